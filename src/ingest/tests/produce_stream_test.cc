// Streaming mode: the rate, sampling, the simulator.
#include <gtest/gtest.h>

#include "ingest/tests/produce_fixture.h"
#include "json/json.h"

namespace millrace::ingest {
namespace {

using testing::Seen;

class ProduceStream : public testing::ProduceTest {};

TEST_F(ProduceStream, StreamingKeepsItsRateExactly) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  for (const double rate : {2.0, 200.0, 1000.0, 10'000.0}) {
    options_.events_per_sec = rate;
    options_.count = static_cast<std::uint64_t>(rate * 10);
    const ProduceSummary summary = run_well();
    EXPECT_EQ(summary.sent, *options_.count);
    // The first event is due at once, the last one (count - 1) intervals later.
    EXPECT_NEAR(summary.duration_s, static_cast<double>(*options_.count - 1) / rate, 0.001) << rate;
  }
}

TEST_F(ProduceStream, ASlowLogDoesNotSlowTheRateDown) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 200;
  options_.count = 2000;
  log_.plan.on_append = [&] { clock_.advance(Milliseconds(2)); };
  EXPECT_NEAR(run_well().duration_s, 10, 0.1);
}

TEST_F(ProduceStream, AStallIsCaughtUpUnlessItIsLong) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 100;
  options_.count = 1000;
  int appended = 0;
  log_.plan.on_append = [&] {
    if (++appended == 500) clock_.advance(std::chrono::seconds(3));
  };
  EXPECT_NEAR(run_well().duration_s, 10, 0.1);
  appended = 0;
  log_.plan.on_append = [&] {
    if (++appended == 500) clock_.advance(std::chrono::hours(1));
  };
  ::testing::internal::CaptureStderr();
  EXPECT_NEAR(run_well().duration_s, 3610, 0.1);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("fell behind"), std::string::npos);
}

TEST_F(ProduceStream, SendsThatAreDueTogetherShareACommit) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 10'000;
  options_.count = 10'000;
  const ProduceSummary summary = run_well();
  EXPECT_LE(summary.commits, 42U);
  EXPECT_GE(summary.commits, 20U);
}

TEST_F(ProduceStream, StreamingSamplesRowsWithReplacementAndStampsEach) {
  write_rows(10);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 100;
  options_.count = 500;
  run_well();
  const auto all = read_all();
  ASSERT_EQ(all.size(), 500U);
  std::map<std::string, int> count;
  for (const Seen& seen : all) {
    ++count[*seen.key];
    const auto value = json::parse(seen.value, "message");
    ASSERT_TRUE(value) << seen.value;
    EXPECT_EQ((*value)["event_ts"].get<std::string>(), env::format_rfc3339(seen.timestamp));
  }
  EXPECT_EQ(count.size(), 10U);
  for (const auto& [key, times] : count) EXPECT_GT(times, 20) << key;
}

TEST_F(ProduceStream, StreamingKeepsNoCheckpointAndStopsOnRequest) {
  write_rows(10);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 100;
  int appended = 0;
  log_.plan.on_append = [&] {
    if (++appended == 100) stop_.request();
  };
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.stop, ProduceStop::kSignal);
  EXPECT_EQ(summary.sent, 100U);
  EXPECT_FALSE(summary.resumable);
  EXPECT_FALSE(std::filesystem::exists(options_.checkpoint_file));
}

TEST_F(ProduceStream, ABatchCanBePacedToo) {
  write_rows(100);
  options_.events_per_sec = 50;
  const ProduceSummary summary = run_well();
  EXPECT_NEAR(summary.duration_s, 99 / 50.0, 0.05);
  EXPECT_TRUE(summary.finished);
  expect_each_once(100);
}

// ----------------------------------------------------------------------------------------------
// the simulator

TEST_F(ProduceStream, WithoutDataTheSimulatorSends) {
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, kSimulatedRowsDefault);
  EXPECT_EQ(summary.source, "simulator, seed 42");
  expect_each_once(static_cast<int>(kSimulatedRowsDefault));
  const auto value = json::parse(read_all()[0].value, "message");
  ASSERT_TRUE(value);
  EXPECT_TRUE(value->contains("event_ts"));
}

TEST_F(ProduceStream, PoisonGoesOnTheTopicAsItIs) {
  options_.simulator.poison_rate = 0.5;
  options_.count = 400;
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 400U);
  EXPECT_EQ(summary.bad_rows, 0U);
  int unreadable = 0;
  for (const Seen& seen : read_all()) unreadable += json::parse(seen.value, "") ? 0 : 1;
  EXPECT_GT(unreadable, 50);
}

TEST_F(ProduceStream, APipelineWithoutASimulatorNeedsData) {
  pipeline_.simulator.clear();
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kConfig);
}

}  // namespace
}  // namespace millrace::ingest
