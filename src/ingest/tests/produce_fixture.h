// What the tests of produce() share: a pipeline, a log whose producers fail on request, and what is
// on the topic afterwards.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/testing/manual_clock.h"
#include "ingest/produce.h"
#include "log/testing/memory_log.h"

namespace millrace::ingest::testing {

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

// A log whose producers fail on request.
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

struct Seen {
  std::string value;
  std::optional<std::string> key;
  Timestamp timestamp;
  std::size_t headers = 0;
};

class ProduceTest : public ::testing::Test {
 protected:
  ProduceTest() {
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

}  // namespace millrace::ingest::testing
