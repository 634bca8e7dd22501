#include "log/testing/conformance.h"

#include <algorithm>

#include "env/clock.h"

namespace millrace::log::testing {

// The suite's files; calling into them makes the linker take them.
void link_producer_tests();
void link_consumer_tests();
void link_transaction_tests();
void link_group_tests();

// A binary that only wants Client and its kin has no log to run the suite on.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LogConformance);

std::string name_of_log(const ::testing::TestParamInfo<LogFactory>& info) {
  link_producer_tests();
  link_consumer_tests();
  link_transaction_tests();
  link_group_tests();
  return info.param.name;
}

void LogConformance::SetUp() {
  storage_ = GetParam().make();
  in_ = topic("in");
  out_ = topic("out");
  create(in_, kPartitions);
  create(out_, kPartitions);
}

SteadyTime soon() { return env::real_clock().steady() + std::chrono::seconds(60); }

OwnedRecord owned(const TopicPartition& source, const Record& record) {
  OwnedRecord copy;
  if (record.key) copy.key = std::string(*record.key);
  if (record.value) copy.value = std::string(*record.value);
  for (const Header& header : record.headers) {
    copy.headers.emplace_back(
        header.name,
        header.value ? std::optional<std::string>(std::string(*header.value)) : std::nullopt);
  }
  copy.timestamp = record.timestamp.value();
  copy.partition = source.partition.value();
  copy.offset = record.offset.value();
  return copy;
}

Status append(Appender& appender, TopicHandle topic, const OwnedRecord& record) {
  std::vector<Header> headers;
  for (const auto& [name, value] : record.headers) {
    headers.push_back({name, value ? std::optional<std::string_view>(*value) : std::nullopt});
  }
  NewRecord fresh;
  if (record.key) fresh.key = *record.key;
  if (record.value) fresh.value = *record.value;
  fresh.headers = headers;
  fresh.timestamp = Timestamp(record.timestamp);
  if (record.partition) fresh.partition = PartitionId(*record.partition);
  return appender.append(topic, fresh);
}

OwnedRecord text(std::string value, std::int32_t partition) {
  OwnedRecord record;
  record.value = std::move(value);
  record.partition = partition;
  return record;
}

void LogConformance::create(const TopicName& topic, std::int32_t partitions) {
  TopicConfig config;
  config.partitions = partitions;
  const auto created = log().admin().create_topic(topic, config);
  ASSERT_TRUE(created.has_value()) << created.error().message();
}

void LogConformance::produce(const TopicName& topic, const std::vector<OwnedRecord>& records) {
  auto producer = log().open_producer({topic, ""});
  ASSERT_TRUE(producer.has_value()) << producer.error().message();
  const auto handle = (*producer)->open_topic(topic);
  ASSERT_TRUE(handle.has_value()) << handle.error().message();
  for (const OwnedRecord& record : records) {
    const Status appended = append(**producer, *handle, record);
    ASSERT_TRUE(appended.has_value()) << appended.error().message();
  }
  const Status committed = (*producer)->commit(RowNumber(0));
  ASSERT_TRUE(committed.has_value()) << committed.error().message();
}

std::vector<OwnedRecord> LogConformance::read_all(const TopicName& topic) {
  std::vector<OwnedRecord> records;
  auto reader = log().open_reader({topic, {}, {}, /*follow=*/false});
  if (!reader) {
    ADD_FAILURE() << reader.error().message();
    return records;
  }
  while (true) {
    auto batch = (*reader)->next(soon());
    if (!batch) {
      ADD_FAILURE() << batch.error().message();
      return records;
    }
    if (!*batch) return records;
    for (const Record& record : (*batch)->records) {
      records.push_back(owned((*batch)->source, record));
    }
  }
}

std::vector<std::string> LogConformance::values_of(const TopicName& topic) {
  std::vector<std::string> values;
  for (const OwnedRecord& record : read_all(topic)) values.push_back(record.value.value_or("null"));
  return values;
}

std::vector<Offset> LogConformance::offsets_of(const TopicName& topic, std::int32_t partition) {
  std::vector<Offset> offsets;
  for (const OwnedRecord& record : read_all(topic)) {
    if (record.partition == partition) offsets.emplace_back(record.offset);
  }
  offsets.push_back(end_of(topic, partition));
  return offsets;
}

Offset LogConformance::end_of(const TopicName& topic, std::int32_t partition) {
  const auto info = log().admin().describe_topic(topic);
  if (!info) {
    ADD_FAILURE() << info.error().message();
    return Offset(-1);
  }
  return info->partitions.at(static_cast<std::size_t>(partition)).end;
}

Status LogConformance::reset_when_empty(const std::vector<Position>& positions) {
  const SteadyTime give_up = soon();
  while (true) {
    Status reset = log().admin().reset_group(group(), positions);
    if (reset || reset.error().code() != ErrorCode::kTryAgain) return reset;
    if (env::real_clock().steady() > give_up) return reset;
  }
}

ConsumerOptions LogConformance::options(const std::string& name) const {
  ConsumerOptions options;
  options.group = group(name);
  options.topics = {in_};
  options.session_timeout = storage_->session_timeout();
  return options;
}

Client::Client(Log& log, const ConsumerOptions& options) {
  auto opened = log.open_consumer(options);
  if (opened) {
    consumer = std::move(*opened);
  } else {
    ADD_FAILURE() << opened.error().message();
    error = opened.error();
  }
}

void Client::take(Event event) {
  if (auto* batch = std::get_if<Batch>(&event)) {
    Offset last(-1);
    for (const Record& record : batch->records) {
      EXPECT_GT(record.offset, last);
      last = record.offset;
      records.push_back(owned(batch->source, record));
    }
    EXPECT_FALSE(batch->records.empty());
    EXPECT_GT(batch->next, last);
    next[batch->source] = batch->next;
  } else if (auto* is_assigned = std::get_if<Assigned>(&event)) {
    for (const auto& partition : is_assigned->partitions) {
      assigned.push_back(partition);
      next.erase(partition.source);
    }
  } else if (auto* is_revoked = std::get_if<Revoked>(&event)) {
    for (const auto& source : is_revoked->partitions) {
      revoked.push_back(source);
      if (!release_at_once) continue;
      EXPECT_TRUE(consumer->release(source).has_value());
    }
  } else if (auto* is_lost = std::get_if<Lost>(&event)) {
    for (const auto& source : is_lost->partitions) lost.push_back(source);
  } else if (const auto* gap = std::get_if<Gap>(&event)) {
    EXPECT_LT(gap->from, gap->to);
    gaps.push_back(*gap);
  } else if (auto* is_outcome = std::get_if<CommitOutcome>(&event)) {
    outcome = *is_outcome;
    if (outcome->result != CommitResult::kCommitted) next.clear();  // it went back
  }
}

bool Client::poll_until(const std::function<bool()>& done) {
  const SteadyTime give_up = soon();
  while (!done()) {
    if (error || !consumer || env::real_clock().steady() > give_up) return false;
    auto event = consumer->poll(env::real_clock().steady() + Milliseconds(50));
    if (!event) {
      error = event.error();
    } else {
      take(std::move(*event));
    }
  }
  return true;
}

void Client::poll_once(Milliseconds patience) {
  auto event = consumer->poll(env::real_clock().steady() + patience);
  if (!event) {
    error = event.error();
  } else {
    take(std::move(*event));
  }
}

bool Client::poll_records(std::size_t count) {
  return poll_until([&] { return records.size() >= count; });
}

bool Client::poll_assigned(std::size_t partitions) {
  return poll_until([&] { return consumer->assigned().size() == partitions; });
}

bool Client::poll_caught_up(const TopicPartition& source) {
  return poll_until([&] { return consumer->caught_up(source); });
}

CommitOutcome Client::commit() { return commit(positions()); }

CommitOutcome Client::commit(const std::vector<Position>& positions) {
  outcome.reset();
  const Status asked = consumer->transaction().commit(positions);
  EXPECT_TRUE(asked.has_value()) << asked.error().message();
  if (!asked) return {CommitResult::kUnknown, asked.error().message()};
  EXPECT_TRUE(poll_until([&] { return outcome.has_value(); }))
      << (error ? error->message() : "no outcome");
  return outcome.value_or(CommitOutcome{CommitResult::kUnknown, "no outcome"});
}

std::vector<Position> Client::positions() const {
  std::vector<Position> positions;
  for (const TopicPartition& source : consumer->assigned()) {
    const auto found = next.find(source);
    if (found != next.end()) positions.push_back({source, found->second});
  }
  return positions;
}

std::vector<std::string> Client::values() const {
  std::vector<std::string> values;
  for (const OwnedRecord& record : records) values.push_back(record.value.value_or("null"));
  return values;
}

}  // namespace millrace::log::testing
