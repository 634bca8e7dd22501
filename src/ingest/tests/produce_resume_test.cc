// Batch mode: commits, checkpoints, going on where a run ended.
#include <gtest/gtest.h>

#include <cmath>

#include "ingest/checkpoint.h"
#include "ingest/tests/produce_fixture.h"

namespace millrace::ingest {
namespace {

using testing::Failure;

class ProduceResume : public testing::ProduceTest {};

TEST_F(ProduceResume, ABatchIsOneCommit) {
  write_rows(25);
  options_.batch_rows = 10;
  EXPECT_EQ(run_well().commits, 3U);
  expect_each_once(25);
}

TEST_F(ProduceResume, AFinishedFileSaysSoAndSendsNothing) {
  write_rows(5);
  EXPECT_FALSE(run_well().already_finished);
  const ProduceSummary again = run_well();
  EXPECT_TRUE(again.already_finished);
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.sent, 0U);
  expect_each_once(5);
}

TEST_F(ProduceResume, RestartSendsAFinishedFileAgain) {
  write_rows(5);
  run_well();
  options_.resume = ProduceOptions::Resume::kRestart;
  EXPECT_EQ(run_well().sent, 5U);
  EXPECT_EQ(keys()["k0"], 2);
}

// The process dies around each commit in turn, with the log's commit done or not.
TEST_F(ProduceResume, KilledAnywhereEveryRowArrivesExactlyOnce) {
  options_.batch_rows = 10;
  int file = 0;
  for (const Failure failure : {Failure::kBeforeCommit, Failure::kAfterCommit}) {
    for (int at = 1; at <= 4; ++at) {
      ASSERT_TRUE(memory_.admin().delete_topic(TopicName("in")));
      ASSERT_TRUE(memory_.admin().create_topic(TopicName("in"), pipeline_.input.topic.config));
      write_rows(35, "in" + std::to_string(file++) + ".csv");
      options_.checkpoint_file = *options_.data + ".json";
      log_.plan = {failure, at, 0, {}};
      ASSERT_FALSE(run());
      log_.plan = {};
      const ProduceSummary rest = run_well();
      const int committed = (at - (failure == Failure::kBeforeCommit ? 1 : 0)) * 10;
      EXPECT_EQ(rest.resumed_from, RowNumber(std::min(committed, 35)));
      EXPECT_TRUE(rest.finished);
      expect_each_once(35);
    }
  }
}

TEST_F(ProduceResume, TheIdIsOnDiskBeforeTheFirstCommit) {
  write_rows(5);
  log_.plan = {Failure::kAfterCommit, 1, 0, {}};
  ASSERT_FALSE(run());
  const auto checkpoint = read_checkpoint(options_.checkpoint_file);
  ASSERT_TRUE(checkpoint && *checkpoint);
  EXPECT_EQ((*checkpoint)->id.size(), 32U);
  EXPECT_EQ((*checkpoint)->next_row, RowNumber(0));
}

TEST_F(ProduceResume, ASignalInTheMiddleCommitsWhatWasReadAndResumesBehindIt) {
  write_rows(100);
  options_.batch_rows = 30;
  int appended = 0;
  log_.plan.on_append = [&] {
    if (++appended == 43) stop_.request();
  };
  const ProduceSummary first = run_well();
  EXPECT_EQ(first.stop, ProduceStop::kSignal);
  EXPECT_EQ(first.sent, 43U);
  EXPECT_FALSE(first.finished);
  EXPECT_EQ((*read_checkpoint(options_.checkpoint_file))->next_row, RowNumber(43));
  log_.plan = {};
  env::StopToken go_on;
  const auto rest = produce(pipeline_, log_, options_, clock_, go_on, logger_);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->resumed_from, RowNumber(43));
  EXPECT_EQ(rest->sent, 57U);
  expect_each_once(100);
}

TEST_F(ProduceResume, ACountIsOfThisRunAndTheNextOneGoesOn) {
  write_rows(25);
  options_.count = 10;
  const ProduceSummary first = run_well();
  EXPECT_EQ(first.sent, 10U);
  EXPECT_EQ(first.stop, ProduceStop::kCount);
  EXPECT_FALSE(first.finished);
  run_well();
  const ProduceSummary last = run_well();
  EXPECT_EQ(last.sent, 5U);
  EXPECT_TRUE(last.finished);
  expect_each_once(25);
}

TEST_F(ProduceResume, BadRowsKeepTheirNumbersOverAResume) {
  write("id,n,label\nk0,0,No\nbad\nk2,2,No\nk3,3,No\n");
  options_.batch_rows = 2;
  log_.plan = {Failure::kBeforeCommit, 2, 0, {}};
  ASSERT_FALSE(run());
  log_.plan = {};
  const ProduceSummary rest = run_well();
  EXPECT_EQ(rest.resumed_from, RowNumber(2));
  EXPECT_EQ(keys(), (std::map<std::string, int>{{"k0", 1}, {"k2", 1}, {"k3", 1}}));
}

TEST_F(ProduceResume, AChangedFileStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  write_rows(6);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 6U);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("the content of"), std::string::npos) << text;
}

TEST_F(ProduceResume, ATopicCreatedAnewStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  ASSERT_TRUE(memory_.admin().delete_topic(TopicName("in")));
  ASSERT_TRUE(memory_.admin().create_topic(TopicName("in"), pipeline_.input.topic.config));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 5U);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("was created anew"), std::string::npos) << text;
}

TEST_F(ProduceResume, ABrokenCheckpointStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  ASSERT_TRUE(env::write_file_atomic(options_.checkpoint_file, "{\"version\": 1"));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 5U);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("cannot be used"), std::string::npos);
}

TEST_F(ProduceResume, ACheckpointInUseIsRefused) {
  write_rows(5);
  ASSERT_TRUE(env::make_folders(options_.checkpoint_file.parent_path()));
  const auto held = env::FileLock::acquire(options_.checkpoint_file.string() + ".lock");
  ASSERT_TRUE(held);
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kLockHeld);
  EXPECT_EQ(summary.error().exit_code(), 75);
}

TEST_F(ProduceResume, AMissingFileIsNoInput) {
  options_.data = (folder_->path() / "none.csv").string();
  EXPECT_EQ(run().error().code(), ErrorCode::kNoInput);
}

TEST_F(ProduceResume, AMissingTopicIsUnknown) {
  write_rows(1);
  pipeline_.input.topic.name = TopicName("other");
  EXPECT_EQ(run().error().code(), ErrorCode::kUnknownTopic);
}

TEST_F(ProduceResume, RatesThatCannotBeAreRefused) {
  write_rows(1);
  for (const double rate : {0.0, -1.0, std::nan(""), 1e12}) {
    options_.events_per_sec = rate;
    const auto summary = run();
    ASSERT_FALSE(summary) << rate;
    EXPECT_EQ(summary.error().code(), ErrorCode::kUsage);
  }
}

TEST_F(ProduceResume, ADryRunBuildsEverythingAndTouchesNothing) {
  write("id,n,label\nk1,1,No\nbad\n");
  const auto summary = dry_run(pipeline_, options_, clock_, stop_, logger_);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->sent, 1U);
  EXPECT_EQ(summary->bad_rows, 1U);
  EXPECT_TRUE(summary->dry_run);
  EXPECT_TRUE(read_all().empty());
  EXPECT_EQ(log_.producers, 0);
  EXPECT_FALSE(std::filesystem::exists(options_.checkpoint_file));
}

TEST_F(ProduceResume, ProgressComesAfterEachCommit) {
  write_rows(25);
  options_.batch_rows = 10;
  std::vector<std::uint64_t> sent;
  progress_ = [&](const ProduceSummary& summary) { sent.push_back(summary.sent); };
  run_well();
  EXPECT_EQ(sent, (std::vector<std::uint64_t>{10, 20, 25}));
}

}  // namespace
}  // namespace millrace::ingest
