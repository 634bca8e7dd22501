// The publisher's air quality file, as it is, through quality report and produce.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "codec/record_decoder.h"
#include "env/testing/manual_clock.h"
#include "ingest/produce.h"
#include "ingest/quality.h"
#include "log/testing/memory_log.h"

namespace millrace::ingest {
namespace {

constexpr std::uint64_t kHours = 9357;

class AirQualityFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* const folder = std::getenv("MILLRACE_DATA_DIR");
    if (folder == nullptr || !std::filesystem::exists(folder)) {
      GTEST_SKIP() << "SKIPPED: no data at MILLRACE_DATA_DIR";
    }
    path_ = std::string(folder) + "/AirQualityUCI.csv";
    auto loaded = spec::load_pipeline("air-quality");
    ASSERT_TRUE(loaded) << loaded.error().message();
    pipeline_ = std::move(loaded->pipeline);
  }

  std::string path_;
  spec::Pipeline pipeline_;
  env::StopToken stop_;
};

// Reference 2.1: what is missing, and statistics of what was observed. BUG-A4: of the file as it
// is, nothing filled in.
TEST_F(AirQualityFile, QualityFiguresAreThePublishedOnes) {
  const auto report = measure_quality(pipeline_, path_, stop_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->rows, kHours);
  EXPECT_EQ(report->bad_rows, 0U);
  EXPECT_EQ(report->absent_steps, 0U);  // 2004-03-10 18:00 to 2005-04-04 14:00 without a gap
  struct Figures {
    std::uint64_t missing;
    double mean;
    double std_dev;
    double min;
    double max;
    std::uint64_t longest_gap;
  };
  const std::map<std::string, Figures> published = {
      {"CO", {1683, 2.1527495439145166, 1.4532520363373487, 0.1, 11.9, 173}},
      {"NMHC", {8443, 218.81181619256017, 204.4599212564721, 7, 1189, 8126}},
      {"NOx", {1639, 246.8967349054159, 212.97916810358612, 2, 1479, 173}},
      {"NO2", {1642, 113.09125081011017, 48.370107782225396, 2, 340, 173}},
      {"Benzene", {366, 10.083105327549772, 7.449819698300137, 0.1, 63.7, 76}},
      {"PT08.S1(CO)", {366, 1099.8331664998332, 217.0800372559752, 647, 2040, 76}},
      {"PT08.S2(NMHC)", {366, 939.1533755978201, 266.83142860197717, 383, 2214, 76}},
      {"PT08.S3(NOx)", {366, 835.4936047158269, 256.8173200157982, 322, 2683, 76}},
      {"PT08.S4(NO2)", {366, 1456.2645979312647, 346.20679352734425, 551, 2775, 76}},
      {"PT08.S5(O3)", {366, 1022.9061283505728, 398.48428772146315, 221, 2523, 76}},
      {"T", {366, 18.317828940051164, 8.832115731829768, -1.9, 44.6, 76}},
      {"RH", {366, 49.2342008675342, 17.316892462046205, 9.2, 88.7, 76}},
      {"AH", {366, 1.0255302747191637, 0.4038126060476913, 0.1847, 2.231, 76}}};
  std::size_t found = 0;
  for (const ColumnQuality& column : report->columns) {
    EXPECT_EQ(column.total, kHours) << column.name;
    EXPECT_EQ(column.invalid, 0U) << column.name;
    const auto one = published.find(column.name);
    if (one == published.end()) continue;
    ++found;
    const Figures& figures = one->second;
    EXPECT_EQ(column.missing, figures.missing) << column.name;
    EXPECT_EQ(column.numbers, kHours - figures.missing) << column.name;
    EXPECT_NEAR(column.mean, figures.mean, 1e-9 * figures.mean) << column.name;
    EXPECT_NEAR(column.std_dev, figures.std_dev, 1e-9 * figures.std_dev) << column.name;
    EXPECT_EQ(column.min, figures.min) << column.name;
    EXPECT_EQ(column.max, figures.max) << column.name;
    EXPECT_EQ(column.longest_gap, figures.longest_gap) << column.name;
  }
  EXPECT_EQ(found, published.size());
}

// BUG-A1, A9: true hours, in order, as the records' own times, under the station's key.
TEST_F(AirQualityFile, EveryHourGoesOutInOrderWithItsOwnTimeAndPassesTheSchema) {
  env::ManualClock clock;
  telemetry::Logger logger;
  log::testing::MemoryLog log(clock);
  const TopicName topic = pipeline_.input.topic.name;
  ASSERT_TRUE(log.admin().create_topic(topic, pipeline_.input.topic.config));
  ProduceOptions options;
  options.data = path_;
  options.check = ProduceOptions::Check::kSchema;
  const auto summary = produce(pipeline_, log, options, clock, stop_, logger);
  ASSERT_TRUE(summary) << summary.error().message();
  EXPECT_EQ(summary->sent, kHours);
  EXPECT_EQ(summary->bad_rows, 0U);
  auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring);
  std::vector<data::Cell> cells(pipeline_.schema.size());
  auto reader = log.open_reader({topic, {}, {}, false});
  ASSERT_TRUE(reader);
  std::int64_t expected = 1'078'941'600'000;  // 2004-03-10T18:00:00Z
  std::uint64_t records = 0;
  std::uint64_t missing_co = 0;
  while (true) {
    const auto batch = (*reader)->next(clock.steady() + std::chrono::seconds(1));
    ASSERT_TRUE(batch);
    if (!*batch) break;
    for (const log::Record& record : (*batch)->records) {
      data::RecordErrors errors;
      ASSERT_TRUE(decoder->decode_copy(*record.value, cells, errors)) << *record.value;
      EXPECT_EQ(record.value->find("NaN"), std::string_view::npos);
      EXPECT_EQ(*record.key, "sensor_1");
      ASSERT_EQ(record.timestamp.value(), expected);
      EXPECT_EQ(cells[*pipeline_.schema.find("event_ts")].time_ms, expected);
      expected += 3'600'000;
      ++records;
      const data::Cell& co = cells[*pipeline_.schema.find("CO")];
      if (co.state == data::CellState::kMissing) ++missing_co;
    }
  }
  EXPECT_EQ(records, kHours);
  EXPECT_EQ(missing_co, 1683U);
}

}  // namespace
}  // namespace millrace::ingest
