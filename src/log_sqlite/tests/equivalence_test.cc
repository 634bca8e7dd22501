// The embedded log and the log in memory give the same answers to the same operations.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "log/testing/memory_log.h"
#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using log::testing::Client;

// What to do, and two numbers that say how.
using Operation = std::tuple<int, std::uint8_t, std::uint8_t>;
constexpr int kKinds = 9;
constexpr std::int32_t kPartitions = 3;

// Drives one log through operations and writes down everything it answers.
class Driver {
 public:
  Driver(log::Log& log, const std::string& name)
      : log_(&log), in_("in-" + name), out_("out-" + name), group_("group-" + name) {
    log::TopicConfig config;
    config.partitions = kPartitions;
    note(log_->admin().create_topic(in_, config).has_value());
    note(log_->admin().create_topic(out_, config).has_value());
    open_client();
  }

  void apply(const Operation& operation) {
    const auto& [kind, a, b] = operation;
    trace_ += " |" + std::to_string(kind) + ":";
    const log::TopicPartition source{in_, PartitionId(a % kPartitions)};
    switch (kind) {
      case 0:
        return produce(a, b);
      case 1:
        return drain();
      case 2:
        return commit(a, b);
      case 3:
        note((*client_)->transaction().abort().has_value());
        client_->next.clear();
        return;
      case 4:
        note(log_->admin().trim(source, Offset(b % 40)).has_value());
        return;
      case 5:
        note((*client_)->seek(source, Offset(b % 40)).has_value());
        return;
      case 6:
        client_.reset();
        return open_client();
      case 7:
        note(b % 2 == 0 ? (*client_)->pause(source).has_value()
                        : (*client_)->resume(source).has_value());
        return;
      default:
        return ask_for_time(b);
    }
  }

  std::string finish() {
    for (const TopicName& topic : {in_, out_}) {
      const auto info = log_->admin().describe_topic(topic);
      for (const auto& partition : info->partitions) {
        note(partition.begin.value());
        note(partition.end.value());
      }
      auto reader = log_->open_reader({topic, {}, {}, false});
      std::map<std::int32_t, std::string> values;
      while (true) {
        const auto batch = (*reader)->next(log::testing::soon());
        if (!batch || !*batch) break;
        for (const auto& record : (*batch)->records) {
          values[(*batch)->source.partition.value()] +=
              std::to_string(record.offset.value()) + "=" + std::string(*record.value) + ",";
        }
      }
      for (const auto& [partition, text] : values) trace_ += text + ";";
    }
    const auto group = log_->admin().describe_group(GroupId(group_));
    for (const auto& position : group->positions) {
      note(position.committed ? position.committed->value() : -1);
      note(position.consumer_lag());
    }
    return trace_;
  }

 private:
  template <class T>
  void note(T value) {
    trace_ += " " + std::to_string(value);
  }

  void open_client() {
    log::ConsumerOptions options;
    options.group = GroupId(group_);
    options.topics = {in_};
    options.batch_records_max = 7;
    client_ = std::make_unique<Client>(*log_, options);
    note(client_->poll_assigned(kPartitions));
    for (const auto& partition : client_->assigned) note(partition.position.value());
  }

  void produce(std::uint8_t a, std::uint8_t b) {
    auto producer = log_->open_producer({in_, ""});
    const auto handle = (*producer)->open_topic(in_);
    for (int i = 0; i < a % 12; ++i) {
      log::testing::OwnedRecord record = log::testing::text(std::to_string(++written_));
      if (b % 3 == 1) record.partition.reset();
      if (b % 3 == 2) record.key = std::to_string(i * b);
      if (b % 3 == 2) record.partition.reset();
      if (i % 4 == 3) record.headers = {{"h", std::to_string(i)}, {"null", std::nullopt}};
      record.timestamp = written_ * 10 - b;
      note(log::testing::append(**producer, *handle, record).has_value());
    }
    note((*producer)->commit(RowNumber(0)).has_value());
  }

  // Everything that can be had now, by partition: how it is cut into batches is the log's affair.
  void drain() {
    client_->records.clear();
    std::size_t seen = 0;
    do {
      seen = client_->records.size() + client_->gaps.size();
      client_->poll_once();
    } while (client_->records.size() + client_->gaps.size() > seen);
    note(!client_->error.has_value());
    std::map<std::int32_t, std::string> values;
    for (const auto& record : client_->records) {
      values[*record.partition] += std::to_string(record.offset) + "=" + *record.value + "/" +
                                   std::to_string(record.headers.size()) + ",";
    }
    for (const auto& [partition, text] : values) trace_ += text + ";";
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      note((*client_)->caught_up({in_, PartitionId(i)}));
    }
  }

  // Outputs, and for each partition a position up to what was seen. All of it was seen: a batch
  // that comes beside the commit comes sooner or later as the log likes.
  void commit(std::uint8_t a, std::uint8_t b) {
    drain();
    const auto out = (*client_)->transaction().open_topic(out_);
    for (int i = 0; i < a % 5; ++i) {
      note(log::testing::append((*client_)->transaction(), *out,
                                log::testing::text("o" + std::to_string(++written_), i % 2))
               .has_value());
    }
    std::vector<log::Position> positions = client_->positions();
    for (log::Position& position : positions) {
      position.next = Offset(std::max<std::int64_t>(0, position.next.value() - b % 4));
    }
    note(static_cast<int>(client_->commit(positions).result));
  }

  void ask_for_time(std::uint8_t time) {
    const auto offsets = (*client_)->offsets_for_time(Timestamp(time * 3));
    note(offsets.has_value());
    if (!offsets) return;
    for (const auto& [source, offset] : *offsets) note(offset.value());
  }

  log::Log* log_;
  const TopicName in_;
  const TopicName out_;
  const std::string group_;
  std::unique_ptr<Client> client_;
  std::string trace_;
  int written_ = 0;
};

class SqliteLogEquivalence : public SqliteLogTest {};

TEST_F(SqliteLogEquivalence, AnyOperationsGiveTheSameAnswersAsInMemory) {
  // Thousands of commits: what a power cut would leave is not the matter here.
  const auto embedded = std::move(*open_sqlite_log(
      {.file = file_, .synchronous = SqliteLogOptions::Synchronous::kNormal}, env::real_clock()));
  log::testing::MemoryLog memory(env::real_clock());
  int number = 0;
  const bool same = rc::check([&] {
    const auto operations = *rc::gen::container<std::vector<Operation>>(
        rc::gen::tuple(rc::gen::inRange(0, kKinds), rc::gen::arbitrary<std::uint8_t>(),
                       rc::gen::arbitrary<std::uint8_t>()));
    const std::string name = std::to_string(++number);
    Driver first(*embedded, name);
    Driver second(memory, name);
    for (const Operation& operation : operations) {
      first.apply(operation);
      second.apply(operation);
    }
    RC_ASSERT(first.finish() == second.finish());
  });
  EXPECT_TRUE(same);
}

}  // namespace
}  // namespace millrace::log_sqlite
