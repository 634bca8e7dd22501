// Several consumers of one group.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "env/clock.h"
#include "log/testing/conformance.h"

namespace millrace::log::testing {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void link_group_tests() {}

namespace {

// Polls both until both have as many partitions as they should.
bool settle(Client& a, std::size_t of_a, Client& b, std::size_t of_b) {
  return a.poll_until([&] {
    b.poll_once();
    return a->assigned().size() == of_a && b->assigned().size() == of_b;
  });
}

}  // namespace

TEST_P(LogConformance, TwoMembersShareThePartitions) {
  Client first(log(), options());
  ASSERT_TRUE(first.poll_assigned(kPartitions));
  Client second(log(), options());
  ASSERT_TRUE(settle(first, 2, second, 2));
  std::set<TopicPartition> all;
  for (Client* client : {&first, &second}) {
    for (const TopicPartition& source : (*client)->assigned()) all.insert(source);
  }
  EXPECT_THAT(all, SizeIs(kPartitions));
  EXPECT_NE(first->member_id(), second->member_id());
  // Two, or all at first: what stays here may be taken away and given back.
  EXPECT_GE(first.revoked.size(), 2U);
  EXPECT_THAT(first.lost, IsEmpty());
}

// Two that start at the same moment: the first owns what it has not seen yet.
TEST_P(LogConformance, AMemberThatHasNotBegunGivesTheOtherItsShareAtOnce) {
  ConsumerOptions patient = options();
  // Longer than this test waits: the share does not come from a timeout.
  patient.session_timeout = Milliseconds(300'000);
  Client first(log(), patient);
  Client second(log(), patient);
  EXPECT_TRUE(settle(first, 2, second, 2));
}

TEST_P(LogConformance, ARevokedPartitionIsOursUntilItIsReleased) {
  std::vector<OwnedRecord> records;
  for (std::int32_t p = 0; p < kPartitions; ++p) records.push_back(text("r", p));
  produce(in_, records);
  Client first(log(), options());
  first.release_at_once = false;
  ASSERT_TRUE(first.poll_records(kPartitions));
  Client second(log(), options());
  ASSERT_TRUE(first.poll_until([&] {
    second.poll_once();
    return first.revoked.size() >= 2;
  }));
  second.poll_once();
  EXPECT_THAT(second->assigned(), IsEmpty());
  // The last commit covers the revoked partitions as well.
  EXPECT_EQ(first.commit().result, CommitResult::kCommitted);
  for (const TopicPartition& source : first.revoked) {
    ASSERT_TRUE(first->release(source).has_value());
  }
  ASSERT_TRUE(settle(first, 2, second, 2));
  for (const auto& partition : second.assigned) {
    EXPECT_GT(partition.position, Offset(0));
    EXPECT_LE(partition.position, end_of(in_, partition.source.partition.value()));
  }
  EXPECT_THAT(second.values(), IsEmpty());
}

TEST_P(LogConformance, ALeavingMembersPartitionsGoToTheOthers) {
  Client first(log(), options());
  ASSERT_TRUE(first.poll_assigned(kPartitions));
  auto second = std::make_unique<Client>(log(), options());
  ASSERT_TRUE(settle(first, 2, *second, 2));
  ASSERT_TRUE((*second)->close().has_value());
  second.reset();
  EXPECT_TRUE(first.poll_assigned(kPartitions));
}

TEST_P(LogConformance, EqualPartitionNumbersOfAllTopicsGoToTheSameMember) {
  const TopicName wide = topic("wide");
  create(wide, kPartitions);
  ConsumerOptions both = options();
  both.topics = {in_, wide};
  Client first(log(), both);
  ASSERT_TRUE(first.poll_assigned(8));
  Client second(log(), both);
  ASSERT_TRUE(first.poll_until([&] {
    second.poll_once();
    return first->assigned().size() + second->assigned().size() == 8 && !second->assigned().empty();
  }));
  std::map<std::int32_t, std::set<std::string>> who;
  for (Client* client : {&first, &second}) {
    for (const TopicPartition& source : (*client)->assigned()) {
      who[source.partition.value()].insert((*client)->member_id());
    }
  }
  EXPECT_THAT(who, SizeIs(kPartitions));
  for (const auto& [number, members] : who) EXPECT_THAT(members, SizeIs(1)) << number;
}

TEST_P(LogConformance, MembersWithOtherTopicsGetOnlyTheirs) {
  ConsumerOptions other = options();
  other.topics = {out_};
  Client reads_in(log(), options());
  Client reads_out(log(), other);
  ASSERT_TRUE(settle(reads_in, kPartitions, reads_out, kPartitions));
  for (const TopicPartition& source : reads_in->assigned()) EXPECT_EQ(source.topic, in_);
  for (const TopicPartition& source : reads_out->assigned()) EXPECT_EQ(source.topic, out_);
}

TEST_P(LogConformance, AMemberTooManyWaits) {
  const TopicName narrow = topic("narrow");
  create(narrow, 1);
  ConsumerOptions one = options();
  one.topics = {narrow};
  auto first = std::make_unique<Client>(log(), one);
  Client second(log(), one);
  ASSERT_TRUE(settle(*first, 1, second, 0));
  first.reset();
  EXPECT_TRUE(second.poll_assigned(1));
}

TEST_P(LogConformance, CommittingForAPartitionThatIsNotOursIsAborted) {
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  const auto out = client->transaction().open_topic(out_);
  ASSERT_TRUE(append(client->transaction(), *out, text("never")).has_value());
  EXPECT_EQ(client.commit({{{out_, PartitionId(0)}, Offset(0)}}).result, CommitResult::kAborted);
  EXPECT_THAT(values_of(out_), IsEmpty());
  // The consumer went back by itself.
  ASSERT_TRUE(client.poll_records(2));
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
}

TEST_P(LogConformance, GroupsDoNotDisturbEachOther) {
  produce(in_, {text("0")});
  Client one(log(), options("one"));
  Client two(log(), options("two"));
  ASSERT_TRUE(one.poll_records(1));
  ASSERT_TRUE(two.poll_records(1));
  EXPECT_EQ(one.commit().result, CommitResult::kCommitted);
  const auto groups = log().admin().groups();
  ASSERT_TRUE(groups.has_value());
  std::map<GroupId, GroupPosition> first;  // of partition 0
  for (const GroupInfo& info : *groups) {
    if (info.id == group("one") || info.id == group("two")) first[info.id] = info.positions.at(0);
  }
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_GT(first[group("one")].committed, Offset(0));
  EXPECT_EQ(first[group("two")].committed, std::nullopt);
  EXPECT_EQ(first[group("two")].consumer_lag(), end_of(in_).value());
}

TEST_P(LogConformance, AGroupIsDescribedWithItsMembers) {
  Client client(log(), options());
  ASSERT_TRUE(client.poll_assigned(kPartitions));
  auto info = log().admin().describe_group(group("group"));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->state, "stable");
  ASSERT_THAT(info->members, SizeIs(1));
  EXPECT_EQ(info->members[0].id, client->member_id());
  EXPECT_THAT(info->members[0].assigned, SizeIs(kPartitions));
  ASSERT_TRUE(client->close().has_value());
  const SteadyTime give_up = soon();
  do {
    info = log().admin().describe_group(group("group"));
    ASSERT_TRUE(info.has_value());
  } while (!info->members.empty() && env::real_clock().steady() < give_up);
  EXPECT_EQ(info->state, "empty");
  EXPECT_THAT(info->members, IsEmpty());
  const auto unknown = log().admin().describe_group(group("nobody"));
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kNoInput);
}

TEST_P(LogConformance, AResetGroupGoesOnAtTheNewPositions) {
  produce(in_, {text("0"), text("1"), text("2"), text("3", 1)});
  std::vector<OwnedRecord> seen;
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(4));
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
    seen = client.records;
  }
  const auto again = std::find_if(seen.begin(), seen.end(),
                                  [](const OwnedRecord& record) { return record.value == "1"; });
  ASSERT_NE(again, seen.end());
  const Status reset = reset_when_empty({{{in_, PartitionId(0)}, Offset(again->offset)}});
  ASSERT_TRUE(reset.has_value()) << reset.error().message();
  const auto info = log().admin().describe_group(group("group"));
  ASSERT_TRUE(info.has_value());
  for (const GroupPosition& position : info->positions) {
    if (position.source.partition == PartitionId(0)) {
      EXPECT_EQ(position.committed, Offset(again->offset));
    }
    if (position.source.partition == PartitionId(1)) {
      EXPECT_GT(position.committed, std::optional(position.begin));
    }
  }
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(2));
  EXPECT_THAT(client.values(), ElementsAre("1", "2"));
}

TEST_P(LogConformance, AGroupIsResetToTheEndsOfItsPartitions) {
  produce(in_, {text("0"), text("1", 1)});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(2));
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  }
  produce(in_, {text("skipped"), text("skipped", 1)});
  const auto topic = log().admin().describe_topic(in_);
  ASSERT_TRUE(topic.has_value());
  std::vector<Position> ends;
  for (const PartitionInfo& partition : topic->partitions) {
    ends.push_back({{in_, partition.partition}, partition.end});
  }
  const Status reset = reset_when_empty(ends);
  ASSERT_TRUE(reset.has_value()) << reset.error().message();
  produce(in_, {text("2")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_THAT(client.values(), ElementsAre("2"));
}

TEST_P(LogConformance, AGroupWithMembersIsNotReset) {
  produce(in_, {text("0")});
  Client client(log(), options());
  ASSERT_TRUE(client.poll_records(1));
  EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  const auto before = log().admin().describe_group(group("group"));
  ASSERT_TRUE(before.has_value());
  const Status reset = log().admin().reset_group(
      group("group"), {{{in_, PartitionId(0)}, before->positions.at(0).begin}});
  ASSERT_FALSE(reset.has_value());
  EXPECT_EQ(reset.error().code(), ErrorCode::kTryAgain);
  EXPECT_THAT(reset.error().message(), ::testing::HasSubstr(client->member_id()));
  const auto after = log().admin().describe_group(group("group"));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->positions.at(0).committed, before->positions.at(0).committed);
}

TEST_P(LogConformance, ADeletedGroupBeginsAnew) {
  produce(in_, {text("0"), text("1", 1)});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(2));
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
    const Status refused = log().admin().delete_group(group("group"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kTryAgain);
  }
  const SteadyTime give_up = soon();
  Status deleted = log().admin().delete_group(group("group"));
  while (!deleted && deleted.error().code() == ErrorCode::kTryAgain &&
         env::real_clock().steady() < give_up) {
    deleted = log().admin().delete_group(group("group"));
  }
  ASSERT_TRUE(deleted.has_value()) << deleted.error().message();
  const auto gone = log().admin().describe_group(group("group"));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code(), ErrorCode::kNoInput);
  EXPECT_EQ(log().admin().delete_group(group("group")).error().code(), ErrorCode::kNoInput);
  Client again(log(), options());
  EXPECT_TRUE(again.poll_records(2));
}

TEST_P(LogConformance, AResetIsAllOrNothing) {
  produce(in_, {text("0"), text("1", 1)});
  {
    Client client(log(), options());
    ASSERT_TRUE(client.poll_records(2));
    EXPECT_EQ(client.commit().result, CommitResult::kCommitted);
  }
  const auto before = log().admin().describe_group(group());
  ASSERT_TRUE(before.has_value());
  const Position good{{in_, PartitionId(0)}, before->positions.at(0).begin};
  for (const auto& [bad, code] : std::vector<std::pair<Position, ErrorCode>>{
           {{{in_, PartitionId(1)}, before->positions.at(1).end.next()}, ErrorCode::kUsage},
           {{{in_, PartitionId(1)}, Offset(-1)}, ErrorCode::kUsage},
           {{{in_, PartitionId(kPartitions)}, Offset(0)}, ErrorCode::kUsage},
           {{{topic("nowhere"), PartitionId(0)}, Offset(0)}, ErrorCode::kUnknownTopic}}) {
    const Status reset = reset_when_empty({good, bad});
    ASSERT_FALSE(reset.has_value());
    EXPECT_EQ(reset.error().code(), code) << reset.error().message();
  }
  const auto after = log().admin().describe_group(group());
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->positions.at(0).committed, before->positions.at(0).committed);
  const Status unknown = log().admin().reset_group(group("nobody"), {good});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kNoInput);
}

TEST_P(LogConformance, TheMemberIdIsStableOverRestarts) {
  std::string id;
  {
    Client client(log(), options("payments"));
    id = client->member_id();
    EXPECT_THAT(id, ::testing::StartsWith(group("payments").value() + "."));
    EXPECT_EQ(id.substr(id.size() - 2), ".0");
  }
  reopen();
  Client client(log(), options("payments"));
  EXPECT_EQ(client->member_id(), id);
}

TEST_P(LogConformance, MembersOfOneGroupScoreEveryRecordOnce) {
  std::vector<OwnedRecord> records;
  for (int i = 0; i < 400; ++i) records.push_back(text(std::to_string(i), i % kPartitions));
  produce(in_, records);
  ConsumerOptions small = options();
  small.batch_records_max = 5;
  std::vector<std::unique_ptr<Client>> members;
  std::size_t turns = 0;
  const SteadyTime give_up = soon() + Milliseconds(60'000);  // brokers take seconds to rebalance
  std::vector<std::string> seen;
  while (seen.size() < 400 && env::real_clock().steady() < give_up) {
    if (turns % 20 == 0 && members.size() < 3) {
      members.push_back(std::make_unique<Client>(log(), small));
      members.back()->release_at_once = false;
    }
    if (turns % 50 == 49 && members.size() > 1) members.erase(members.begin());
    for (auto& member : members) {
      member->poll_once(Milliseconds(20));
      if (!member->lost.empty()) {
        ASSERT_TRUE((*member)->transaction().abort().has_value());
        member->records.clear();
        member->lost.clear();
      }
      if (member->records.empty()) {
        // Given away once nothing of them is uncommitted.
        for (const TopicPartition& source : member->revoked) (void)(*member)->release(source);
        member->revoked.clear();
        continue;
      }
      const auto out = (*member)->transaction().open_topic(out_);
      for (const OwnedRecord& record : member->records) {
        ASSERT_TRUE(append((*member)->transaction(), *out, record).has_value());
      }
      member->records.clear();
      // An outcome other than committed rewinds: what came beside the commit comes again.
      if (member->commit().result != CommitResult::kCommitted) member->records.clear();
    }
    if (++turns % 10 == 0) seen = values_of(out_);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(seen.size(), 400U);
}

}  // namespace millrace::log::testing
