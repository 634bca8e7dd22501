// Several threads on one log.
#include <gmock/gmock.h>

#include <atomic>
#include <map>
#include <thread>

#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using log::testing::Client;

class SqliteLogThreads : public SqliteLogTest {};

// Gives away what was revoked, as soon as none of its records waits for a commit.
void release_revoked(log::testing::Client& client) {
  std::erase_if(client.revoked, [&client](const log::TopicPartition& source) {
    for (const auto& record : client.records) {
      if (record.partition == source.partition.value()) return false;
    }
    EXPECT_TRUE(client->release(source).has_value());
    return true;
  });
}

std::map<std::string, int> counts_by_value(log::Log& log, const TopicName& topic) {
  std::map<std::string, int> seen;
  auto reader = log.open_reader({topic, {}, {}, false});
  while (true) {
    const auto batch = (*reader)->next(log::testing::soon());
    EXPECT_TRUE(batch.has_value());
    if (!batch || !*batch) break;
    for (const log::Record& record : (*batch)->records) ++seen[std::string(*record.value)];
  }
  return seen;
}

TEST_F(SqliteLogThreads, ProducersAndMembersAtOnceCopyEveryRecordOnce) {
  constexpr std::int32_t kPartitions = 4;
  constexpr std::int64_t kRecords = 600;  // of each producer
  constexpr int kProducers = 2;
  constexpr int kMembers = 3;
  const auto log = open();
  create(*log, in_, kPartitions);
  create(*log, out_, 1);
  std::vector<std::thread> threads;
  for (int p = 0; p < kProducers; ++p) {
    threads.emplace_back([&, p] {
      auto producer = log->open_producer({in_, ""});
      ASSERT_TRUE(producer.has_value());
      const auto handle = (*producer)->open_topic(in_);
      for (std::int64_t i = 0; i < kRecords; ++i) {
        log::testing::OwnedRecord record =
            log::testing::text(std::to_string(p) + ":" + std::to_string(i));
        record.partition.reset();
        ASSERT_TRUE(log::testing::append(**producer, *handle, record).has_value());
        if (i % 20 != 19) continue;
        ASSERT_TRUE((*producer)->commit(RowNumber(0)).has_value());
      }
    });
  }
  const SteadyTime give_up = log::testing::soon() + std::chrono::seconds(40);
  std::atomic<bool> done{false};
  for (int m = 0; m < kMembers; ++m) {
    threads.emplace_back([&, m] {
      log::ConsumerOptions options;
      options.group = group_;
      options.topics = {in_};
      options.batch_records_max = 10 + static_cast<std::size_t>(m);
      Client client(*log, options);
      client.release_at_once = false;
      const auto out = client->transaction().open_topic(out_);
      while (!done) {
        client.poll_once();
        release_revoked(client);
        ASSERT_FALSE(client.error.has_value()) << client.error->message();
        if (client.records.empty()) {
          env::real_clock().sleep_until(env::real_clock().steady() + Milliseconds(1));
          continue;
        }
        for (const auto& record : client.records) {
          log::testing::OwnedRecord copy = record;
          copy.partition = 0;
          ASSERT_TRUE(log::testing::append(client->transaction(), *out, copy).has_value());
        }
        const auto copied = static_cast<std::ptrdiff_t>(client.records.size());
        const bool committed = client.commit().result == log::CommitResult::kCommitted;
        // What came beside the commit is for the next one.
        client.records.erase(client.records.begin(),
                             committed ? client.records.begin() + copied : client.records.end());
      }
    });
  }
  const std::int64_t expected = kProducers * kRecords;
  while (log->admin().describe_topic(out_)->partitions[0].end < Offset(expected)) {
    if (env::real_clock().steady() > give_up) break;
    env::real_clock().sleep_until(env::real_clock().steady() + Milliseconds(10));
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  const std::map<std::string, int> seen = counts_by_value(*log, out_);
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(expected));
  for (const auto& [value, count] : seen) EXPECT_EQ(count, 1) << value;
}

}  // namespace
}  // namespace millrace::log_sqlite
