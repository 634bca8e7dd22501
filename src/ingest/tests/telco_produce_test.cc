// The real telco file through produce, onto a log in memory.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/hash.h"
#include "codec/record_decoder.h"
#include "env/testing/manual_clock.h"
#include "ingest/produce.h"
#include "log/testing/memory_log.h"

namespace millrace::ingest {
namespace {

TEST(TelcoFile, AllCustomersGoOutOnceWithTheirKeyAndPassTheSchema) {
  const char* const folder = std::getenv("MILLRACE_DATA_DIR");
  if (folder == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "SKIPPED: no data at MILLRACE_DATA_DIR";
  }
  const auto loaded = spec::load_pipeline("telco-churn");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const spec::Pipeline& pipeline = loaded->pipeline;
  env::ManualClock clock;
  env::StopToken stop;
  telemetry::Logger logger;
  log::testing::MemoryLog log(clock);
  const TopicName topic = pipeline.input.topic.name;
  ASSERT_TRUE(log.admin().create_topic(topic, pipeline.input.topic.config));
  ProduceOptions options;
  options.data = std::string(folder) + "/Telco-Customer-Churn.csv";
  options.check = ProduceOptions::Check::kSchema;
  const auto summary = produce(pipeline, log, options, clock, stop, logger);
  ASSERT_TRUE(summary) << summary.error().message();
  EXPECT_EQ(summary->sent, 7043U);
  EXPECT_EQ(summary->bad_rows, 0U);

  auto decoder = codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kTraining);
  std::vector<data::Cell> cells(pipeline.schema.size());
  auto reader = log.open_reader({topic, {}, {}, false});
  ASSERT_TRUE(reader);
  std::set<std::string> keys;
  std::size_t blank_totals = 0;
  while (true) {
    const auto batch = (*reader)->next(clock.steady() + std::chrono::seconds(1));
    ASSERT_TRUE(batch);
    if (!*batch) break;
    for (const log::Record& record : (*batch)->records) {
      data::RecordErrors errors;
      ASSERT_TRUE(decoder->decode_copy(*record.value, cells, errors)) << *record.value;
      keys.insert(std::string(*record.key));
      EXPECT_EQ((*batch)->source.partition.value(), partition_for_key(*record.key, 3));
      if (record.value->find(R"("TotalCharges":" ")") != std::string_view::npos) ++blank_totals;
    }
  }
  EXPECT_EQ(keys.size(), 7043U);
  EXPECT_EQ(blank_totals, 11U);
}

}  // namespace
}  // namespace millrace::ingest
