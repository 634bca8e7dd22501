// The engine on the log in memory: windows, aborted, fenced and unknown commits, rebalances. Real
// model, real records.
#include "engine/score_run.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "env/testing/manual_clock.h"
#include "features/transform.h"
#include "json/json.h"
#include "log/testing/memory_log.h"

namespace millrace::engine {
namespace {

constexpr const char* kPipeline = R"(
version: 1
name: plans
input: {topic: in, partitions: 2, key: id}
output: {topic: out, partitions: 2, key: id}
dead_letter: {topic: dead}
commit: {records: 10}
schema:
  id: {type: string}
  plan: {type: category, values: [basic, pro]}
  usage: {type: number, min: 0}
  left: {type: category, values: ['no', 'yes'], label: true, required: false}
features:
  - {numeric: [usage]}
  - {one_hot: [plan]}
report: {segments: [plan], risk_fields: [usage], top_risk: 3}
)";

// Everything a run needs, with one tree: usage below 50 leaves.
class Bench {
 public:
  explicit Bench(const std::vector<std::string>& set = {}) : log(clock) {
    auto loaded = spec::parse_pipeline(kPipeline, "test.yaml", {.set = set});
    EXPECT_TRUE(loaded) << loaded.error().message();
    pipeline = std::move(loaded->pipeline);
    for (const spec::TopicSpec* topic :
         {&pipeline.input.topic, &pipeline.output.topic, &pipeline.dead_letter.topic}) {
      EXPECT_TRUE(log.admin().create_topic(topic->name, topic->config));
    }
  }

  model::LoadedModel model() const {
    model::TreeEnsemble ensemble;
    ensemble.features = 3;
    ensemble.trees = {
        model::Tree{{{1, 2, 0, 50.0F, true}, {-1, -1, 0, 2.0F, true}, {-1, -1, 0, -2.0F, true}}}};
    model::LoadedModel loaded;
    loaded.ensemble = std::make_shared<const model::TreeEnsemble>(ensemble);
    const auto transform = features::Transform::fit(
        pipeline.features, pipeline.schema, features::CellTable(pipeline.schema.size()), {});
    EXPECT_TRUE(transform) << transform.error().message();
    loaded.manifest.pipeline = "plans";
    loaded.manifest.version = "1-00000000";
    loaded.manifest.label = "left";
    loaded.manifest.label_values = {"no", "yes"};
    loaded.manifest.features = transform->names();
    loaded.manifest.feature_fingerprint = transform->fingerprint();
    loaded.manifest.transform = transform->to_json();
    return loaded;
  }

  void produce(int rows, const std::string& broken_every_third = {}) {
    auto producer = log.open_producer({pipeline.input.topic.name, ""});
    ASSERT_TRUE(producer);
    const auto topic = *(*producer)->open_topic(pipeline.input.topic.name);
    for (int i = 0; i < rows; ++i) {
      const std::string key = "k" + std::to_string(i);
      std::string value =
          R"({"id":")" + key + R"(","plan":"pro","usage":)" + std::to_string(i % 100) + "}";
      if (!broken_every_third.empty() && i % 3 == 2) value = broken_every_third;
      log::NewRecord record;
      record.key = key;
      record.value = value;
      ASSERT_TRUE((*producer)->append(topic, record));
    }
    ASSERT_TRUE((*producer)->commit(RowNumber(0)));
  }

  // One run of the engine; the summary is kept.
  Status run(ScoreOptions options) {
    auto scorer = RecordScorer::make(pipeline, model(), clock);
    if (!scorer) return scorer.error();
    log::ConsumerOptions consume;
    consume.group = pipeline.group;
    consume.topics = {pipeline.input.topic.name};
    consume.batch_records_max = 7;
    MILLRACE_ASSIGN(auto consumer, log.open_consumer(consume));
    if (wrap) consumer = wrap(std::move(consumer));
    ScoreRun run(pipeline, *scorer, *consumer, clock, stop, logger, options);
    if (monitor != nullptr) run.watch(*monitor);
    Status result = run.run(on_commit);
    summary = run.summary();
    return result;
  }

  static ScoreOptions window() {
    ScoreOptions options;
    options.mode = ScoreOptions::Mode::kWindow;
    return options;
  }

  // How often each key stands on a topic.
  std::map<std::string, int> keys(const TopicName& topic) {
    std::map<std::string, int> counts;
    auto reader = log.open_reader({topic, {}, {}, false});
    EXPECT_TRUE(reader);
    while (!(*reader)->at_end()) {
      const auto batch = (*reader)->next(clock.steady() + Milliseconds(10));
      EXPECT_TRUE(batch);
      if (!*batch) break;
      for (const log::Record& record : (*batch)->records)
        ++counts[std::string(record.key.value_or("(none)"))];
    }
    return counts;
  }

  void expect_each_once(int rows) {
    auto counts = keys(TopicName("out"));
    for (const auto& [key, count] : keys(TopicName("dead"))) counts[key] += count;
    EXPECT_EQ(counts.size(), static_cast<std::size_t>(rows));
    for (const auto& [key, count] : counts) EXPECT_EQ(count, 1) << key;
  }

  env::ManualClock clock;
  log::testing::MemoryLog log;
  spec::Pipeline pipeline;
  env::StopToken stop;
  telemetry::Logger logger{telemetry::Level::kOff};
  ScoreObserver on_commit;
  RunMonitor* monitor = nullptr;
  std::function<std::unique_ptr<log::Consumer>(std::unique_ptr<log::Consumer>)> wrap;
  data::RunSummary summary;
};

// A consumer whose commits take their time: a batch is handed out before the outcome is.
class LateCommits final : public log::Consumer {
 public:
  LateCommits(std::unique_ptr<log::Consumer> inner, int aborts, int& handed_ahead)
      : inner_(std::move(inner)), aborts_(aborts), handed_ahead_(handed_ahead), outputs_(*this) {}

  Result<log::Event> poll(SteadyTime until) override {
    if (!asked_) return inner_->poll(until);
    if (!std::exchange(looked_, true)) {
      MILLRACE_ASSIGN(log::Event event, inner_->poll(SteadyTime{}));
      handed_ahead_ += std::holds_alternative<log::Batch>(event) ? 1 : 0;
      return event;
    }
    const std::vector<log::Position> positions = *std::exchange(asked_, std::nullopt);
    looked_ = false;
    if (aborts_-- > 0) {
      MILLRACE_TRY(inner_->transaction().abort());
      return log::Event(log::CommitOutcome{log::CommitResult::kAborted, "a test"});
    }
    MILLRACE_TRY(inner_->transaction().commit(positions));
    return inner_->poll(until);
  }
  void interrupt() override { inner_->interrupt(); }
  void wake_on(int descriptor) override { inner_->wake_on(descriptor); }
  bool caught_up(const log::TopicPartition& at) const override { return inner_->caught_up(at); }
  std::vector<log::TopicPartition> assigned() const override { return inner_->assigned(); }
  Status pause(const log::TopicPartition& at) override { return inner_->pause(at); }
  Status resume(const log::TopicPartition& at) override { return inner_->resume(at); }
  Status seek(const log::TopicPartition& at, Offset to) override { return inner_->seek(at, to); }
  Result<std::map<log::TopicPartition, Offset>> end_offsets() override {
    return inner_->end_offsets();
  }
  Result<std::map<log::TopicPartition, Offset>> offsets_for_time(Timestamp time) override {
    return inner_->offsets_for_time(time);
  }
  Status release(const log::TopicPartition& at) override { return inner_->release(at); }
  log::Transaction& transaction() override { return outputs_; }
  std::string member_id() const override { return inner_->member_id(); }
  Status close() override { return inner_->close(); }

 private:
  class Outputs final : public log::Transaction {
   public:
    explicit Outputs(LateCommits& owner) : owner_(owner) {}
    Result<log::TopicHandle> open_topic(const TopicName& topic) override {
      return owner_.inner_->transaction().open_topic(topic);
    }
    Status append(log::TopicHandle topic, const log::NewRecord& record) override {
      EXPECT_FALSE(owner_.asked_) << "appended beside a commit";
      return owner_.inner_->transaction().append(topic, record);
    }
    Status commit(const std::vector<log::Position>& positions) override {
      owner_.asked_ = positions;
      return {};
    }
    Status abort() override {
      owner_.asked_.reset();
      return owner_.inner_->transaction().abort();
    }

   private:
    LateCommits& owner_;
  };

  std::unique_ptr<log::Consumer> inner_;
  int aborts_;
  int& handed_ahead_;
  std::optional<std::vector<log::Position>> asked_;
  bool looked_ = false;
  Outputs outputs_;
};

// Notes what it is told.
class Notes final : public RunMonitor {
 public:
  void on_started() override { text += "started "; }
  void on_scored(const log::TopicPartition& /*source*/, std::span<const log::Record> records,
                 const ScoredBatch& batch) override {
    EXPECT_EQ(records.size(), batch.records.size());
    scored += batch.records.size();
  }
  void on_committed(const data::RunSummary& all, Nanoseconds took) override {
    EXPECT_GE(took.count(), 0);
    committed = all.consumed;
  }
  void on_aborted() override { text += "aborted "; }
  void on_lag(const std::map<log::TopicPartition, std::int64_t>& now) override { lag = now; }
  void on_waiting(const Error& trouble) override {
    text += "waiting:" + std::string(to_string(trouble.code())) + " ";
  }
  void on_going_on() override { text += "going_on "; }

  std::string text;
  std::uint64_t scored = 0;
  std::uint64_t committed = 0;
  std::map<log::TopicPartition, std::int64_t> lag;
};

TEST(ScoreRun, WindowEndsWhenCaughtUpAndCountsWhatItCommitted) {
  Bench bench;
  bench.produce(100);
  ASSERT_TRUE(bench.run(Bench::window()));
  EXPECT_EQ(bench.summary.stop_reason, "caught_up");
  EXPECT_EQ(bench.summary.consumed, 100U);
  EXPECT_EQ(bench.summary.predicted, 100U);
  EXPECT_EQ(bench.summary.by_label["yes"], 50U);
  EXPECT_EQ(bench.summary.by_label["no"], 50U);
  EXPECT_EQ(bench.summary.segments["plan"]["pro"].total, 100U);
  EXPECT_EQ(bench.summary.segments["plan"]["pro"].positive, 50U);
  ASSERT_EQ(bench.summary.top_risk.size(), 3U);
  EXPECT_NEAR(bench.summary.top_risk[0].probability, 0.880797, 1e-9);
  bench.expect_each_once(100);
}

TEST(ScoreRun, WindowsOfFiveOverTwelveAreFiveFiveTwo) {
  Bench bench;
  bench.produce(12);
  ScoreOptions options = Bench::window();
  options.messages_max = 5;
  for (const std::uint64_t expected : {5U, 5U, 2U, 0U}) {
    ASSERT_TRUE(bench.run(options));
    EXPECT_EQ(bench.summary.consumed, expected);
  }
  bench.expect_each_once(12);
}

TEST(ScoreRun, EmptyTopicEndsAtOnceAndIdlenessAfterTheTimeout) {
  Bench bench;
  ASSERT_TRUE(bench.run(Bench::window()));
  EXPECT_EQ(bench.summary.stop_reason, "caught_up");
  EXPECT_EQ(bench.summary.consumed, 0U);
}

TEST(ScoreRun, StopRequestDrainsWhatIsInFlight) {
  Bench bench;
  bench.produce(100);
  bench.on_commit = [&bench](const data::RunSummary&) { bench.stop.request(); };
  ASSERT_TRUE(bench.run({}));
  EXPECT_EQ(bench.summary.stop_reason, "signal");
  EXPECT_GT(bench.summary.consumed, 0U);
  EXPECT_LT(bench.summary.consumed, 100U);
  EXPECT_EQ(bench.keys(TopicName("out")).size(), bench.summary.predicted);
}

// An aborted commit takes its outputs and its counts back, and the records come again.
TEST(ScoreRun, AbortedCommitIsDoneAgainAndCountedOnce) {
  for (const std::size_t nth : {1U, 2U, 3U, 5U}) {
    Bench bench;
    bench.produce(60, "broken");
    bench.log.fail_commit(nth, log::CommitResult::kAborted);
    ASSERT_TRUE(bench.run(Bench::window()));
    EXPECT_EQ(bench.summary.consumed, 60U) << nth;
    EXPECT_EQ(bench.summary.predicted, 40U) << nth;
    EXPECT_EQ(bench.summary.dead_lettered, 20U) << nth;
    EXPECT_EQ(bench.summary.by_label["yes"] + bench.summary.by_label["no"], 40U) << nth;
    EXPECT_EQ(bench.summary.segments["plan"]["pro"].total, 40U) << nth;
    bench.expect_each_once(60);
  }
}

// Keeps what it is told until its commit, as monitors do that tell of committed records alone.
class Keeper final : public RunMonitor {
 public:
  void on_scored(const log::TopicPartition& /*source*/, std::span<const log::Record> records,
                 const ScoredBatch& /*batch*/) override {
    waiting_ += records.size();
  }
  void on_committed(const data::RunSummary& all, Nanoseconds /*took*/) override {
    told += std::exchange(waiting_, 0);
    EXPECT_EQ(told, all.consumed);
  }
  void on_forgotten() override { waiting_ = 0; }
  std::uint64_t told = 0;

 private:
  std::uint64_t waiting_ = 0;
};

TEST(ScoreRun, AMonitorIsToldWhatIsForgotten) {
  for (const std::size_t nth : {1U, 2U, 5U}) {
    Bench bench;
    bench.produce(60, "broken");
    bench.log.fail_commit(nth, log::CommitResult::kAborted);
    Keeper keeper;
    bench.monitor = &keeper;
    ASSERT_TRUE(bench.run(Bench::window()));
    EXPECT_EQ(keeper.told, 60U) << nth;
  }
}

TEST(ScoreRun, FencedCommitStopsAndLeavesTheWorkToOthers) {
  Bench bench;
  bench.produce(60);
  bench.log.fail_commit(2, log::CommitResult::kFenced);
  const Status result = bench.run(Bench::window());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kFenced);
  EXPECT_EQ(bench.keys(TopicName("out")).size(), bench.summary.predicted);
  ASSERT_TRUE(bench.run(Bench::window()));
  bench.expect_each_once(60);
}

TEST(ScoreRun, UnknownOutcomeStopsAndARestartRepeatsNothing) {
  for (const auto effect :
       {log::testing::MemoryLog::Effect::kNothing, log::testing::MemoryLog::Effect::kCommitted}) {
    Bench bench;
    bench.produce(60);
    bench.log.fail_commit(2, log::CommitResult::kUnknown, effect);
    const Status result = bench.run(Bench::window());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kTryAgain);
    ASSERT_TRUE(bench.run(Bench::window()));
    bench.expect_each_once(60);
  }
}

TEST(ScoreRun, FullDiskEndsAWindowAndNothingIsLost) {
  Bench bench;
  bench.produce(60);
  bench.log.fail_commit_request(2, Error(ErrorCode::kDiskFull, "no space"));
  EXPECT_EQ(bench.run(Bench::window()).error().code(), ErrorCode::kDiskFull);
  ASSERT_TRUE(bench.run(Bench::window()));
  bench.expect_each_once(60);
}

TEST(ScoreRun, StreamWaitsWhileTheDiskIsFullAndGoesOnByItself) {
  Bench bench;
  bench.produce(60);
  Notes notes;
  bench.monitor = &notes;
  for (const std::size_t nth : {2U, 3U, 4U}) {
    bench.log.fail_commit_request(nth, Error(ErrorCode::kDiskFull, "no space"));
  }
  bench.on_commit = [&bench](const data::RunSummary& all) {
    if (all.consumed == 60) bench.stop.request();
  };
  ASSERT_TRUE(bench.run({}));
  EXPECT_EQ(bench.summary.consumed, 60U);
  EXPECT_EQ(notes.text, "started waiting:disk_full waiting:disk_full waiting:disk_full going_on ");
  EXPECT_EQ(notes.committed, 60U);
  EXPECT_GT(notes.scored, 60U);
  bench.expect_each_once(60);
}

TEST(ScoreRun, StreamStoppedWhileTheDiskIsFullTriesAgainLater) {
  Bench bench;
  bench.produce(60);
  for (std::size_t nth = 2; nth < 10; ++nth) {
    bench.log.fail_commit_request(nth, Error(ErrorCode::kDiskFull, "no space"));
  }
  class Stopper final : public RunMonitor {
   public:
    explicit Stopper(env::StopToken& stop) : stop_(stop) {}
    void on_waiting(const Error& /*trouble*/) override {
      if (++waits_ == 3) stop_.request();
    }

   private:
    env::StopToken& stop_;
    int waits_ = 0;
  } stopper(bench.stop);
  bench.monitor = &stopper;
  const Status stopped = bench.run({});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kTryAgain);
  EXPECT_EQ(bench.keys(TopicName("out")).size(), bench.summary.predicted);
}

TEST(ScoreRun, AbortsAndLagAreTold) {
  Bench bench;
  bench.produce(60);
  Notes notes;
  bench.monitor = &notes;
  bench.log.fail_commit(2, log::CommitResult::kAborted);
  ScoreOptions options = Bench::window();
  options.messages_max = 45;
  ASSERT_TRUE(bench.run(options));
  EXPECT_EQ(notes.text, "started aborted ");
  EXPECT_EQ(notes.committed, 45U);
  ASSERT_FALSE(notes.lag.empty());
  std::int64_t sum = 0;
  for (const auto& [source, lag] : notes.lag) sum += lag;
  EXPECT_EQ(sum, 60);
}

TEST(ScoreRun, ABatchIsScoredWhileACommitIsInFlight) {
  Bench bench;
  bench.produce(100, "broken");
  int ahead = 0;
  bench.wrap = [&ahead](std::unique_ptr<log::Consumer> inner) {
    return std::make_unique<LateCommits>(std::move(inner), 0, ahead);
  };
  ASSERT_TRUE(bench.run(Bench::window()));
  EXPECT_GT(ahead, 3);
  EXPECT_EQ(bench.summary.consumed, 100U);
  EXPECT_EQ(bench.summary.dead_lettered, 33U);
  bench.expect_each_once(100);
}

TEST(ScoreRun, WhatWasScoredAheadWhenTheDiskWasFullComesAgain) {
  Bench bench;
  bench.produce(60);
  int ahead = 0;
  bench.wrap = [&ahead](std::unique_ptr<log::Consumer> inner) {
    return std::make_unique<LateCommits>(std::move(inner), 0, ahead);
  };
  Notes notes;
  bench.monitor = &notes;
  bench.log.fail_commit_request(2, Error(ErrorCode::kDiskFull, "no space"));
  bench.on_commit = [&bench](const data::RunSummary& all) {
    if (all.consumed == 60) bench.stop.request();
  };
  ASSERT_TRUE(bench.run({}));
  EXPECT_GT(ahead, 2);
  EXPECT_EQ(notes.text, "started waiting:disk_full going_on ");
  bench.expect_each_once(60);
}

TEST(ScoreRun, WhatWasScoredAheadOfAnAbortedCommitComesAgain) {
  Bench bench;
  bench.produce(100);
  int ahead = 0;
  bench.wrap = [&ahead](std::unique_ptr<log::Consumer> inner) {
    return std::make_unique<LateCommits>(std::move(inner), 4, ahead);
  };
  ASSERT_TRUE(bench.run(Bench::window()));
  EXPECT_GT(ahead, 3);
  EXPECT_EQ(bench.summary.consumed, 100U);
  EXPECT_EQ(bench.summary.predicted, 100U);
  bench.expect_each_once(100);
}

TEST(ScoreRun, AWindowOfMessagesIsNotExceededByWhatIsScoredAhead) {
  Bench bench;
  bench.produce(50);
  int ahead = 0;
  bench.wrap = [&ahead](std::unique_ptr<log::Consumer> inner) {
    return std::make_unique<LateCommits>(std::move(inner), 1, ahead);
  };
  ScoreOptions options = Bench::window();
  options.messages_max = 23;
  for (const std::uint64_t expected : {23U, 23U, 4U}) {
    ASSERT_TRUE(bench.run(options));
    EXPECT_EQ(bench.summary.consumed, expected);
  }
  bench.expect_each_once(50);
}

TEST(ScoreRun, FloodStopsBeforeTheBadOnesAreCommitted) {
  Bench bench({"dead_letter.stop_above.ratio=0.2", "dead_letter.stop_above.window=20"});
  bench.produce(60, "broken");
  const Status result = bench.run(Bench::window());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kFlood);
  EXPECT_LT(bench.summary.consumed, 30U);
  EXPECT_EQ(bench.keys(TopicName("dead")).size(), bench.summary.dead_lettered);
}

TEST(ScoreRun, ModelOfOtherFeaturesIsRefused) {
  Bench bench;
  model::LoadedModel other = bench.model();
  other.manifest.feature_fingerprint = "0000000000000000";
  const auto scorer = RecordScorer::make(bench.pipeline, other, bench.clock);
  ASSERT_FALSE(scorer);
  EXPECT_EQ(scorer.error().code(), ErrorCode::kBadModel);
}

// The label is decided on the published, rounded probability, and the positive level may be either
// one.
TEST(RecordScorer, PositiveLevelMayBeTheFirstOne) {
  Bench bench({"output.positive=no"});
  log::Record record;
  const std::string value =
      R"({"id":"a","plan":"basic","usage":10})" + std::string(kArenaPadding, ' ');
  record.value = std::string_view(value).substr(0, value.size() - kArenaPadding);
  auto scorer = RecordScorer::make(bench.pipeline, bench.model(), bench.clock);
  ASSERT_TRUE(scorer) << scorer.error().message();
  ScoredBatch scored;
  scorer->score({&record, 1}, bench.clock.steady(), scored);
  ASSERT_EQ(scored.records[0].outcome, Outcome::kPredicted);
  EXPECT_NEAR(scored.records[0].probability, 1 - 0.880797, 1e-6);
  EXPECT_NE(scored.records[0].message.find(R"("prediction":"yes")"), std::string_view::npos);
}

}  // namespace
}  // namespace millrace::engine
