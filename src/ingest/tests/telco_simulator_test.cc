// The shipped telco-churn simulator against the shipped schema.
#include <gtest/gtest.h>

#include <map>

#include "codec/record_decoder.h"
#include "ingest/simulator.h"
#include "spec/pipeline.h"

namespace millrace::ingest {
namespace {

constexpr int kRecords = 20'000;

class TelcoSimulator : public testing::Test {
 protected:
  TelcoSimulator() {
    auto loaded = spec::load_pipeline("telco-churn");
    EXPECT_TRUE(loaded) << loaded.error().message();
    pipeline_ = std::move(loaded->pipeline);
  }

  Simulator simulator(const SimulatorOptions& options = {}) {
    auto made = Simulator::make(pipeline_.schema, pipeline_.simulator, "simulator.yaml",
                                pipeline_.input.key, 42, options);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }

  spec::Pipeline pipeline_;
};

TEST_F(TelcoSimulator, SharesAreThoseOfTheRealCustomersAndEveryRecordIsValid) {
  Simulator made = simulator();
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kTraining);
  ASSERT_TRUE(decoder);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  std::map<std::string, double> share;
  std::string json;
  std::string key;
  for (int i = 0; i < kRecords; ++i) {
    made.next(json, key);
    data::RecordErrors errors;
    ASSERT_TRUE(decoder->decode_copy(json, cells, errors)) << errors[0].message() << json;
    for (const char* name : {"Churn", "Contract", "InternetService", "SeniorCitizen"}) {
      const data::Cell& cell = cells[*pipeline_.schema.find(name)];
      const std::string level = cell.state == data::CellState::kCategory
                                    ? std::string(cell.text)
                                    : std::to_string(static_cast<int>(cell.number));
      share[std::string(name) + "=" + level] += 1.0 / kRecords;
    }
    EXPECT_EQ(cells[*pipeline_.schema.find("customerID")].text, key);
  }
  EXPECT_NEAR(share["Churn=Yes"], 0.265, 0.015);
  EXPECT_NEAR(share["Contract=Month-to-month"], 3875.0 / 7043, 0.02);
  EXPECT_NEAR(share["Contract=Two year"], 1695.0 / 7043, 0.02);
  EXPECT_NEAR(share["InternetService=Fiber optic"], 3096.0 / 7043, 0.015);
  EXPECT_NEAR(share["InternetService=No"], 1526.0 / 7043, 0.015);
  EXPECT_NEAR(share["SeniorCitizen=1"], 1142.0 / 7043, 0.01);
}

TEST_F(TelcoSimulator, EveryKindOfPoisonIsRefusedWhenScoring) {
  SimulatorOptions options;
  options.poison_rate = 0.5;
  Simulator made = simulator(options);
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring);
  ASSERT_TRUE(decoder);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  std::map<Poison, int> seen;
  std::string json;
  std::string key;
  for (int i = 0; i < 5000; ++i) {
    const Poison poison = made.next(json, key);
    ++seen[poison];
    data::RecordErrors errors;
    EXPECT_EQ(decoder->decode_copy(json, cells, errors), poison == Poison::kNone)
        << to_string(poison) << ": " << json;
  }
  EXPECT_EQ(seen.size(), 9U);
}

TEST_F(TelcoSimulator, DriftedRecordsAreStillValid) {
  SimulatorOptions options;
  options.drift_after = 100;
  options.drift_sigma = 1;
  Simulator made = simulator(options);
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring);
  ASSERT_TRUE(decoder);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  int fiber = 0;
  std::string json;
  std::string key;
  for (int i = 0; i < 3000; ++i) {
    made.next(json, key);
    data::RecordErrors errors;
    ASSERT_TRUE(decoder->decode_copy(json, cells, errors)) << errors[0].message() << json;
    const data::Cell& cell = cells[*pipeline_.schema.find("InternetService")];
    if (i >= 100 && cell.text == "Fiber optic") ++fiber;
  }
  EXPECT_GT(fiber / 2900.0, 0.6);
}

}  // namespace
}  // namespace millrace::ingest
