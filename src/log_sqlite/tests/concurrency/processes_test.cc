// Several processes on one log: they share, die, hang, and come back.
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <set>

#include "env/random.h"
#include "log_sqlite/tests/concurrency/worker.h"
#include "log_sqlite/tests/fixture.h"

namespace millrace::log_sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class SqliteLogProcesses : public SqliteLogTest {
 protected:
  static constexpr std::int32_t kPartitions = 4;

  void SetUp() override {
    log_ = open();
    create(*log_, in_, kPartitions);
    create(*log_, out_, kPartitions);
  }

  std::vector<std::string> scorer(std::int64_t expected, int session_ms = 10'000,
                                  int batch = 50) const {
    return {"score",
            file_.string(),
            group_.value(),
            std::to_string(expected),
            std::to_string(session_ms),
            std::to_string(batch)};
  }
  std::vector<std::string> producer(std::int64_t rows, std::int64_t batch) const {
    return {"produce", file_.string(), std::to_string(rows), std::to_string(batch)};
  }

  void fill_more(std::int64_t from, std::int64_t count) {
    fill(*log_, in_, kPartitions, count, 25, "", from);
  }
  std::int64_t outputs() {
    std::int64_t count = 0;
    const auto info = log_->admin().describe_topic(out_);
    if (!info) {
      ADD_FAILURE() << info.error().message();
      return -1;
    }
    for (const auto& partition : info->partitions) count += partition.end.value();
    return count;
  }

  // Every record of "in" is in "out" once, in its partition, in order.
  void expect_copied(std::int64_t per_partition) {
    for (std::int32_t number = 0; number < kPartitions; ++number) {
      auto reader = log_->open_reader({out_, {PartitionId(number)}, {}, false});
      ASSERT_TRUE(reader.has_value());
      std::int64_t next = 0;
      while (true) {
        const auto batch = (*reader)->next(log::testing::soon());
        ASSERT_TRUE(batch.has_value()) << batch.error().message();
        if (!*batch) break;
        for (const log::Record& record : (*batch)->records) {
          ASSERT_EQ(record.value, value_of(number, next)) << "partition " << number;
          ++next;
        }
      }
      EXPECT_EQ(next, per_partition) << "partition " << number;
    }
    const auto report = check_sqlite_log(file_, env::real_clock());
    ASSERT_TRUE(report.has_value());
    EXPECT_THAT(report->damage, SizeIs(0));
  }

  log::GroupInfo group() {
    auto info = log_->admin().describe_group(group_);
    return info ? *info : log::GroupInfo{};
  }
  // Looks until it is so; false after a minute.
  template <class Condition>
  static bool eventually(Condition condition) {
    env::Clock& clock = env::real_clock();
    const SteadyTime give_up = clock.steady() + std::chrono::seconds(60);
    while (!condition()) {
      if (clock.steady() > give_up) return false;
      clock.sleep_until(clock.steady() + Milliseconds(5));
    }
    return true;
  }
  // Members by id, with how many partitions each has.
  std::map<std::string, std::size_t> members() {
    std::map<std::string, std::size_t> found;
    for (const auto& member : group().members) found[member.id] = member.assigned.size();
    return found;
  }
  bool settled(std::vector<std::size_t> shares) {
    std::vector<std::size_t> now;
    const auto info = group();
    for (const auto& member : info.members) now.push_back(member.assigned.size());
    std::sort(now.begin(), now.end());
    return info.state == "stable" && now == shares;
  }

  std::unique_ptr<log::Log> log_;
};

TEST_F(SqliteLogProcesses, KilledAtEveryPointOfACommitNothingIsTornOrTwice) {
  std::int64_t filled = 0;
  for (const char* point :
       {"log.in_transaction", "log.before_log_commit", "log.after_log_commit"}) {
    for (const int reached : {1, 3}) {
      SCOPED_TRACE(std::string(point) + ":" + std::to_string(reached));
      fill_more(filled, 200);
      filled += 200;
      Worker victim(scorer(0), std::string(point) + ":" + std::to_string(reached));
      EXPECT_EQ(victim.wait(), -SIGKILL);
      const auto after = group();
      std::int64_t positions = 0;
      for (const auto& position : after.positions) {
        positions += position.committed.value_or(Offset(0)).value();
      }
      EXPECT_EQ(positions, outputs());
      Worker heir(scorer(filled * kPartitions));
      EXPECT_EQ(heir.wait(), 0);
      expect_copied(filled);
    }
  }
}

TEST_F(SqliteLogProcesses, AKilledProducerResumesWithEveryRowOnce) {
  constexpr std::int64_t kRows = 3'000;
  for (const char* point : {"log.in_transaction:2", "log.before_log_commit:3",
                            "log.after_log_commit:1", "log.after_log_commit:2"}) {
    Worker victim(producer(kRows, 250), point);
    EXPECT_EQ(victim.wait(), -SIGKILL);
  }
  Worker heir(producer(kRows, 250));
  EXPECT_EQ(heir.wait(), 0);
  std::multiset<std::int64_t> rows;
  auto reader = log_->open_reader({in_, {}, {}, false});
  while (true) {
    const auto batch = (*reader)->next(log::testing::soon());
    ASSERT_TRUE(batch.has_value());
    if (!*batch) break;
    for (const log::Record& record : (*batch)->records) {
      rows.insert(std::stoll(std::string(*record.value)));
    }
  }
  EXPECT_THAT(rows, SizeIs(kRows));
  EXPECT_EQ(std::set<std::int64_t>(rows.begin(), rows.end()).size(),
            static_cast<std::size_t>(kRows));
}

TEST_F(SqliteLogProcesses, ASecondProducerOfTheSameIdNamesTheFirst) {
  auto first = log_->open_producer({in_, "rows"});
  ASSERT_TRUE(first.has_value());
  Worker second(producer(10, 5));
  EXPECT_EQ(second.wait(), 75);
  const auto here = log_->open_producer({in_, "rows"});
  ASSERT_FALSE(here.has_value());
  EXPECT_THAT(here.error().message(), HasSubstr("process " + std::to_string(::getpid())));
}

TEST_F(SqliteLogProcesses, TwoShareThePartitionsAndOneTakesThemBack) {
  auto first = std::make_unique<Worker>(scorer(0));
  ASSERT_TRUE(eventually([&] { return settled({4}); }));
  auto second = std::make_unique<Worker>(scorer(0));
  ASSERT_TRUE(eventually([&] { return settled({2, 2}); }));
  second->signal(SIGKILL);
  ASSERT_TRUE(eventually([&] { return settled({4}); }));
}

TEST_F(SqliteLogProcesses, ARestartTakesItsDeadPredecessorsPlaceAtOnce) {
  // The session lasts an hour, so that only the freed lock can tell.
  constexpr int kHour = 3'600'000;
  auto first = std::make_unique<Worker>(scorer(0, kHour));
  ASSERT_TRUE(eventually([&] { return settled({4}); }));
  const auto before = members();
  first->signal(SIGKILL);
  first->wait();
  Worker heir(scorer(0, kHour));
  ASSERT_TRUE(eventually([&] { return settled({4}); }));
  EXPECT_EQ(members(), before);
}

TEST_F(SqliteLogProcesses, AHungMemberLosesItsPartitionsAndIsFencedWhenItWakes) {
  fill(*log_, in_, kPartitions, 100, 50);
  Worker hung(scorer(0, 1'000));
  ASSERT_TRUE(eventually([&] { return outputs() == 100 * kPartitions; }));
  ASSERT_TRUE(eventually([&] { return settled({4}); }));
  const auto before = members();
  hung.signal(SIGSTOP);
  fill_more(100, 100);
  Worker other(scorer(200 * kPartitions, 1'000));
  EXPECT_EQ(other.wait(), 0);
  EXPECT_TRUE(hung.running());
  hung.signal(SIGCONT);
  EXPECT_EQ(hung.wait(), 75);
  expect_copied(200);
}

TEST_F(SqliteLogProcesses, MembersThatComeGoAndDieUnderLoadCopyEveryRecordOnce) {
  constexpr std::int64_t kRecords = 1'500;
  env::Random random(42);
  std::vector<Worker> workers;
  std::int64_t filled = 0;
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    if (filled < kRecords) {
      fill_more(filled, kRecords / 10);
      filled += kRecords / 10;
    }
    if (workers.size() < 3) workers.emplace_back(scorer(0, 2'000, 7));
    // Somewhere in what it does, and only after it has done something.
    const std::int64_t before = outputs();
    const auto more = static_cast<std::int64_t>(random.below(300));
    ASSERT_TRUE(
        eventually([&] { return outputs() >= std::min(before + more, filled * kPartitions); }));
    workers[random.below(workers.size())].signal(SIGKILL);
    std::vector<Worker> left;
    for (Worker& worker : workers) {
      if (worker.running()) left.push_back(std::move(worker));
    }
    workers.swap(left);
  }
  workers.clear();
  Worker last(scorer(kRecords * kPartitions));
  EXPECT_EQ(last.wait(), 0);
  expect_copied(kRecords);
}

}  // namespace
}  // namespace millrace::log_sqlite
