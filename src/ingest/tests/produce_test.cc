#include "ingest/produce.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "env/testing/manual_clock.h"
#include "ingest/checkpoint.h"
#include "json/json.h"
#include "log/testing/memory_log.h"

namespace millrace::ingest {
namespace {

// ----------------------------------------------------------------------------------------------
// a log whose producers fail on request

enum class Failure { kNone, kBeforeCommit, kAfterCommit };

struct FailurePlan {
  Failure failure = Failure::kNone;
  int at_commit = 1;
  int commits = 0;
  std::function<void()> on_append;
};

class FlakyProducer final : public log::Producer {
 public:
  FlakyProducer(std::unique_ptr<log::Producer> inner, FailurePlan& plan)
      : inner_(std::move(inner)), plan_(plan) {}
  Result<log::TopicHandle> open_topic(const TopicName& topic) override {
    return inner_->open_topic(topic);
  }
  Status append(log::TopicHandle topic, const log::NewRecord& record) override {
    if (plan_.on_append) plan_.on_append();
    return inner_->append(topic, record);
  }
  Result<std::optional<RowNumber>> position() override { return inner_->position(); }
  Status commit(RowNumber next_row) override {
    const bool fails = ++plan_.commits == plan_.at_commit;
    if (fails && plan_.failure == Failure::kBeforeCommit) {
      return Error(ErrorCode::kIo, "killed before the commit");
    }
    MILLRACE_TRY(inner_->commit(next_row));
    if (fails && plan_.failure == Failure::kAfterCommit) {
      return Error(ErrorCode::kIo, "killed after the commit");
    }
    return {};
  }

 private:
  std::unique_ptr<log::Producer> inner_;
  FailurePlan& plan_;
};

class FlakyLog final : public log::Log {
 public:
  explicit FlakyLog(log::Log& inner) : inner_(inner) {}
  std::string url() const override { return inner_.url(); }
  log::Capabilities capabilities() const override { return inner_.capabilities(); }
  log::Admin& admin() override { return inner_.admin(); }
  Result<std::unique_ptr<log::Consumer>> open_consumer(const log::ConsumerOptions& o) override {
    return inner_.open_consumer(o);
  }
  Result<std::unique_ptr<log::Reader>> open_reader(const log::ReaderOptions& o) override {
    return inner_.open_reader(o);
  }
  Result<std::unique_ptr<log::Producer>> open_producer(const log::ProducerOptions& o) override {
    ++producers;
    MILLRACE_ASSIGN(auto inner, inner_.open_producer(o));
    return std::unique_ptr<log::Producer>(std::make_unique<FlakyProducer>(std::move(inner), plan));
  }

  FailurePlan plan;
  int producers = 0;

 private:
  log::Log& inner_;
};

// ----------------------------------------------------------------------------------------------
// fixture

struct Seen {
  std::string value;
  std::optional<std::string> key;
  Timestamp timestamp;
  std::size_t headers = 0;
};

class Produce : public testing::Test {
 protected:
  Produce() {
    std::vector<data::Field> fields(4);
    fields[0].name = "id";
    fields[1].name = "n";
    fields[1].type = data::FieldType::kInteger;
    fields[1].max = 1'000'000;
    fields[2].name = "label";
    fields[2].type = data::FieldType::kCategory;
    fields[2].values = {"No", "Yes"};
    fields[2].label = true;
    fields[3].name = "event_ts";
    fields[3].type = data::FieldType::kTimestamp;
    fields[3].required = false;
    pipeline_.name = "p";
    pipeline_.schema = *data::Schema::make(fields);
    pipeline_.input.topic.name = TopicName("in");
    pipeline_.input.topic.config.partitions = 3;
    pipeline_.input.key = "id";
    pipeline_.input.event_time = "event_ts";
    pipeline_.simulator =
        "version: 1\nfields:\n"
        "  id: {kind: id, pattern: 'k[0-9]{6}'}\n"
        "  n: {kind: quantiles, values: [0, 100], decimals: 0}\n"
        "  label: {kind: category, weights: {'No': 0.7, 'Yes': 0.3}}\n";
    EXPECT_TRUE(memory_.admin().create_topic(TopicName("in"), pipeline_.input.topic.config));
    options_.checkpoint_file = folder_->path() / "checkpoints" / "c.json";
  }

  // A CSV of `rows` rows: k0,0,No ...
  void write_rows(int rows, const std::string& name = "in.csv") {
    std::string text = "id,n,label\n";
    for (int i = 0; i < rows; ++i) {
      text += "k" + std::to_string(i) + "," + std::to_string(i) + (i % 4 == 0 ? ",Yes\n" : ",No\n");
    }
    write(text, name);
  }

  void write(const std::string& text, const std::string& name = "in.csv") {
    const env::Path path = folder_->path() / name;
    ASSERT_TRUE(env::write_file_atomic(path, text));
    options_.data = path.string();
  }

  Result<ProduceSummary> run() {
    return produce(pipeline_, log_, options_, clock_, stop_, logger_, progress_);
  }

  ProduceSummary run_well() {
    auto summary = run();
    EXPECT_TRUE(summary) << summary.error().message();
    return summary ? *summary : ProduceSummary{};
  }

  std::vector<Seen> read_all() {
    std::vector<Seen> all;
    auto reader = memory_.open_reader({TopicName("in"), {}, {}, false});
    EXPECT_TRUE(reader);
    while (true) {
      auto batch = (*reader)->next(clock_.steady() + std::chrono::seconds(1));
      if (!batch || !*batch) break;
      for (const log::Record& record : (*batch)->records) {
        Seen seen;
        if (record.value) seen.value = *record.value;
        if (record.key) seen.key = std::string(*record.key);
        seen.timestamp = record.timestamp;
        seen.headers = record.headers.size();
        all.push_back(std::move(seen));
      }
    }
    return all;
  }

  // How often each key is on the topic.
  std::map<std::string, int> keys() {
    std::map<std::string, int> count;
    for (const Seen& seen : read_all()) ++count[seen.key.value_or("(null)")];
    return count;
  }

  void expect_each_once(int rows) {
    const auto count = keys();
    EXPECT_EQ(count.size(), static_cast<std::size_t>(rows));
    for (const auto& [key, times] : count) EXPECT_EQ(times, 1) << key;
  }

  Result<env::TemporaryFolder> folder_ = env::TemporaryFolder::make("produce");
  env::ManualClock clock_;
  env::StopToken stop_;
  telemetry::Logger logger_{telemetry::Level::kWarning};
  spec::Pipeline pipeline_;
  log::testing::MemoryLog memory_{clock_};
  FlakyLog log_{memory_};
  ProduceOptions options_;
  ProduceProgress progress_;
};

// ----------------------------------------------------------------------------------------------
// messages

TEST_F(Produce, RowsBecomeMessagesWithKeyAndStampedTime) {
  write("id,n,label\nk1,7,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 1U);
  EXPECT_TRUE(summary.finished);
  EXPECT_EQ(summary.stop, ProduceStop::kEndOfData);
  const auto all = read_all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key, "k1");
  EXPECT_EQ(all[0].value,
            R"({"id":"k1","n":7,"label":"No","event_ts":"2025-10-11T03:28:23.234Z"})");
  EXPECT_EQ(all[0].timestamp, Timestamp(1'760'153'303'234));
  EXPECT_EQ(all[0].headers, 0U);
}

TEST_F(Produce, AnEventTimeColumnIsKeptAndIsTheRecordsTime) {
  write("id,n,label,event_ts\nk1,7,No,2024-01-02T03:04:05.678Z\nk2,8,No,\n");
  run_well();
  const auto all = read_all();
  ASSERT_EQ(all.size(), 2U);
  std::map<std::string, Seen> by_key;
  for (const Seen& seen : all) by_key[*seen.key] = seen;
  EXPECT_EQ(by_key["k1"].timestamp, Timestamp(1'704'164'645'678));
  EXPECT_EQ(by_key["k1"].value,
            R"({"id":"k1","n":7,"label":"No","event_ts":"2024-01-02T03:04:05.678Z"})");
  EXPECT_EQ(by_key["k2"].timestamp, Timestamp(1'760'153'303'234));
}

TEST_F(Produce, NdjsonRowsPassUnchangedWithTheirKeyAndTime) {
  write(R"({ "n": 1, "id": "k1", "event_ts": "2024-01-02T03:04:05.678Z", "label": "No" })"
        "\n"
        R"({"id":"k2","n":2})"
        "\n",
        "in.ndjson");
  run_well();
  std::map<std::string, Seen> by_key;
  for (const Seen& seen : read_all()) by_key[*seen.key] = seen;
  ASSERT_EQ(by_key.size(), 2U);
  EXPECT_EQ(by_key["k1"].timestamp, Timestamp(1'704'164'645'678));
  EXPECT_EQ(by_key["k2"].value, R"({"id":"k2","n":2})");
  EXPECT_EQ(by_key["k2"].timestamp, Timestamp(1'760'153'303'234));
}

TEST_F(Produce, BadRowsAreSkippedCountedAndListedByLine) {
  write("id,n,label\nk1,1,No\nk2,2\nk3,3,No,more\nk4,x,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.bad_rows, 2U);
  ASSERT_EQ(summary.bad.size(), 2U);
  EXPECT_EQ(summary.bad[0].line, 3);
  EXPECT_EQ(summary.bad[1].line, 4);
  EXPECT_FALSE(summary.bad[0].message.empty());
  EXPECT_EQ(keys(), (std::map<std::string, int>{{"k1", 1}, {"k4", 1}}));
}

TEST_F(Produce, ValidationAlsoSkipsRowsAgainstTheSchema) {
  options_.check = ProduceOptions::Check::kSchema;
  write("id,n,label\nk1,1,No\nk2,x,No\nk3,2000000,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 1U);
  ASSERT_EQ(summary.bad.size(), 2U);
  EXPECT_NE(summary.bad[0].message.find("'n'"), std::string::npos) << summary.bad[0].message;
  EXPECT_EQ(summary.bad[1].line, 4);
}

TEST_F(Produce, ARowAboveTheMessageCapIsABadRow) {
  write("id,n,label\nk1,1,No\n" + std::string(1 << 20, 'k') + ",2,No\nk3,3,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.bad_rows, 1U);
  EXPECT_EQ(summary.bad[0].line, 3);
}

TEST_F(Produce, OnlyTheFirstThousandBadRowsAreListed) {
  std::string text = "id,n,label\n";
  for (int i = 0; i < 1500; ++i) text += "only-one-cell\n";
  write(text);
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.bad_rows, 1500U);
  EXPECT_EQ(summary.bad.size(), kBadRowsKeptMax);
}

TEST_F(Produce, RawLinesGoAsTheyAre) {
  options_.form = ProduceOptions::Form::kRaw;
  write("id,n\r\n\n\xFF{", "in.csv");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 3U);
  std::set<std::string> values;
  for (const Seen& seen : read_all()) {
    EXPECT_FALSE(seen.key);
    EXPECT_EQ(seen.headers, 0U);
    values.insert(seen.value);
  }
  EXPECT_EQ(values, (std::set<std::string>{"id,n\r", "", "\xFF{"}));
}

TEST_F(Produce, KeysComeFromWhereTheRuleSays) {
  write_rows(3);
  options_.checkpoint_file.clear();
  options_.key = KeyRule{KeyRule::Kind::kConstant, "same"};
  run_well();
  EXPECT_EQ(keys()["same"], 3);
  options_.key = KeyRule{KeyRule::Kind::kNone, ""};
  run_well();
  EXPECT_EQ(keys()["(null)"], 3);
  options_.key = KeyRule{KeyRule::Kind::kField, "label"};
  run_well();
  EXPECT_EQ(keys()["Yes"], 1);
}

TEST_F(Produce, AKeyColumnThatIsNotThereIsNamed) {
  write_rows(1);
  options_.key = KeyRule{KeyRule::Kind::kField, "lable"};
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kConfig);
  EXPECT_NE(summary.error().message().find("did you mean 'label'"), std::string::npos);
}

// ----------------------------------------------------------------------------------------------
// batch mode: commits, checkpoints, resuming

TEST_F(Produce, ABatchIsOneCommit) {
  write_rows(25);
  options_.batch_rows = 10;
  EXPECT_EQ(run_well().commits, 3U);
  expect_each_once(25);
}

TEST_F(Produce, AFinishedFileSaysSoAndSendsNothing) {
  write_rows(5);
  EXPECT_FALSE(run_well().already_finished);
  const ProduceSummary again = run_well();
  EXPECT_TRUE(again.already_finished);
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.sent, 0U);
  expect_each_once(5);
}

TEST_F(Produce, RestartSendsAFinishedFileAgain) {
  write_rows(5);
  run_well();
  options_.resume = ProduceOptions::Resume::kRestart;
  EXPECT_EQ(run_well().sent, 5U);
  EXPECT_EQ(keys()["k0"], 2);
}

// The process dies around each commit in turn, with the log's commit done or not.
TEST_F(Produce, KilledAnywhereEveryRowArrivesExactlyOnce) {
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

TEST_F(Produce, TheIdIsOnDiskBeforeTheFirstCommit) {
  write_rows(5);
  log_.plan = {Failure::kAfterCommit, 1, 0, {}};
  ASSERT_FALSE(run());
  const auto checkpoint = read_checkpoint(options_.checkpoint_file);
  ASSERT_TRUE(checkpoint && *checkpoint);
  EXPECT_EQ((*checkpoint)->id.size(), 32U);
  EXPECT_EQ((*checkpoint)->next_row, RowNumber(0));
}

TEST_F(Produce, ASignalInTheMiddleCommitsWhatWasReadAndResumesBehindIt) {
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

TEST_F(Produce, ACountIsOfThisRunAndTheNextOneGoesOn) {
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

TEST_F(Produce, BadRowsKeepTheirNumbersOverAResume) {
  write("id,n,label\nk0,0,No\nbad\nk2,2,No\nk3,3,No\n");
  options_.batch_rows = 2;
  log_.plan = {Failure::kBeforeCommit, 2, 0, {}};
  ASSERT_FALSE(run());
  log_.plan = {};
  const ProduceSummary rest = run_well();
  EXPECT_EQ(rest.resumed_from, RowNumber(2));
  EXPECT_EQ(keys(), (std::map<std::string, int>{{"k0", 1}, {"k2", 1}, {"k3", 1}}));
}

TEST_F(Produce, AChangedFileStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  write_rows(6);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 6U);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("the content of"), std::string::npos) << text;
}

TEST_F(Produce, ATopicCreatedAnewStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  ASSERT_TRUE(memory_.admin().delete_topic(TopicName("in")));
  ASSERT_TRUE(memory_.admin().create_topic(TopicName("in"), pipeline_.input.topic.config));
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 5U);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("was created anew"), std::string::npos) << text;
}

TEST_F(Produce, ABrokenCheckpointStartsAnewWithAWarning) {
  write_rows(5);
  run_well();
  ASSERT_TRUE(env::write_file_atomic(options_.checkpoint_file, "{\"version\": 1"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_well().sent, 5U);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("cannot be used"), std::string::npos);
}

TEST_F(Produce, ACheckpointInUseIsRefused) {
  write_rows(5);
  ASSERT_TRUE(env::make_folders(options_.checkpoint_file.parent_path()));
  const auto held = env::FileLock::acquire(options_.checkpoint_file.string() + ".lock");
  ASSERT_TRUE(held);
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kLockHeld);
  EXPECT_EQ(summary.error().exit_code(), 75);
}

TEST_F(Produce, AMissingFileIsNoInput) {
  options_.data = (folder_->path() / "none.csv").string();
  EXPECT_EQ(run().error().code(), ErrorCode::kNoInput);
}

TEST_F(Produce, AMissingTopicIsUnknown) {
  write_rows(1);
  pipeline_.input.topic.name = TopicName("other");
  EXPECT_EQ(run().error().code(), ErrorCode::kUnknownTopic);
}

TEST_F(Produce, RatesThatCannotBeAreRefused) {
  write_rows(1);
  for (const double rate : {0.0, -1.0, std::nan(""), 1e12}) {
    options_.events_per_sec = rate;
    const auto summary = run();
    ASSERT_FALSE(summary) << rate;
    EXPECT_EQ(summary.error().code(), ErrorCode::kUsage);
  }
}

TEST_F(Produce, ADryRunBuildsEverythingAndTouchesNothing) {
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

TEST_F(Produce, ProgressComesAfterEachCommit) {
  write_rows(25);
  options_.batch_rows = 10;
  std::vector<std::uint64_t> sent;
  progress_ = [&](const ProduceSummary& summary) { sent.push_back(summary.sent); };
  run_well();
  EXPECT_EQ(sent, (std::vector<std::uint64_t>{10, 20, 25}));
}

// ----------------------------------------------------------------------------------------------
// streaming mode

TEST_F(Produce, StreamingKeepsItsRateExactly) {
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

TEST_F(Produce, ASlowLogDoesNotSlowTheRateDown) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 200;
  options_.count = 2000;
  log_.plan.on_append = [&] { clock_.advance(Milliseconds(2)); };
  EXPECT_NEAR(run_well().duration_s, 10, 0.1);
}

TEST_F(Produce, AStallIsCaughtUpUnlessItIsLong) {
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
  testing::internal::CaptureStderr();
  EXPECT_NEAR(run_well().duration_s, 3610, 0.1);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("fell behind"), std::string::npos);
}

TEST_F(Produce, SendsThatAreDueTogetherShareACommit) {
  write_rows(50);
  options_.mode = ProduceOptions::Mode::kStreaming;
  options_.events_per_sec = 10'000;
  options_.count = 10'000;
  const ProduceSummary summary = run_well();
  EXPECT_LE(summary.commits, 42U);
  EXPECT_GE(summary.commits, 20U);
}

TEST_F(Produce, StreamingSamplesRowsWithReplacementAndStampsEach) {
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

TEST_F(Produce, StreamingKeepsNoCheckpointAndStopsOnRequest) {
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

TEST_F(Produce, ABatchCanBePacedToo) {
  write_rows(100);
  options_.events_per_sec = 50;
  const ProduceSummary summary = run_well();
  EXPECT_NEAR(summary.duration_s, 99 / 50.0, 0.05);
  EXPECT_TRUE(summary.finished);
  expect_each_once(100);
}

// ----------------------------------------------------------------------------------------------
// the simulator

TEST_F(Produce, WithoutDataTheSimulatorSends) {
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, kSimulatedRowsDefault);
  EXPECT_EQ(summary.source, "simulator, seed 42");
  expect_each_once(static_cast<int>(kSimulatedRowsDefault));
  const auto value = json::parse(read_all()[0].value, "message");
  ASSERT_TRUE(value);
  EXPECT_TRUE(value->contains("event_ts"));
}

TEST_F(Produce, PoisonGoesOnTheTopicAsItIs) {
  options_.simulator.poison_rate = 0.5;
  options_.count = 400;
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 400U);
  EXPECT_EQ(summary.bad_rows, 0U);
  int unreadable = 0;
  for (const Seen& seen : read_all()) unreadable += json::parse(seen.value, "") ? 0 : 1;
  EXPECT_GT(unreadable, 50);
}

TEST_F(Produce, APipelineWithoutASimulatorNeedsData) {
  pipeline_.simulator.clear();
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kConfig);
}

}  // namespace
}  // namespace millrace::ingest
