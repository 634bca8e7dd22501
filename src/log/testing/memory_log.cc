#include "log/testing/memory_log.h"

#include <algorithm>

#include "base/text.h"
#include "log/append_rules.h"
#include "log/group_rules.h"
#include "log/testing/memory_state.h"

namespace millrace::log::testing {
namespace {

TopicInfo info_of(const MemoryTopic& topic) {
  TopicInfo info{topic.name, topic.incarnation, topic.config, topic.created, {}, 0};
  std::int32_t number = 0;
  for (const MemoryPartition& partition : topic.partitions) {
    info.partitions.push_back(
        {PartitionId(number++), partition.begin, partition.end(), std::nullopt});
    for (const StoredRecord& record : partition.records) info.bytes += record.bytes;
  }
  return info;
}

class MemoryAdmin final : public Admin {
 public:
  explicit MemoryAdmin(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}

  Result<bool> create_topic(const TopicName& name, const TopicConfig& config) override {
    MILLRACE_TRY(check_topic(name, config));
    const std::lock_guard lock(state_->mutex);
    if (state_->topics.contains(name)) return false;
    auto topic = std::make_shared<MemoryTopic>();
    topic->name = name;
    topic->incarnation = std::to_string(++state_->incarnations);
    topic->config = config;
    topic->created = state_->clock->now();
    topic->partitions.resize(static_cast<std::size_t>(config.partitions));
    state_->topics[name] = std::move(topic);
    return true;
  }

  Result<std::vector<TopicInfo>> topics() override {
    const std::lock_guard lock(state_->mutex);
    std::vector<TopicInfo> infos;
    for (const auto& [name, topic] : state_->topics) infos.push_back(info_of(*topic));
    return infos;
  }

  Result<TopicInfo> describe_topic(const TopicName& name) override {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(const auto topic, state_->find(name));
    return info_of(*topic);
  }

  Status delete_topic(const TopicName& name) override {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(const auto topic, state_->find(name));
    topic->deleted = true;
    state_->topics.erase(name);
    for (auto& [id, group] : state_->groups) {
      std::erase_if(group.positions, [&](const auto& row) { return row.first.topic == name; });
      std::erase_if(group.ownership, [&](const auto& row) { return row.first.topic == name; });
    }
    state_->wake_all();
    return {};
  }

  Status trim(const TopicPartition& source, Offset before) override {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(const auto topic, state_->find(source.topic));
    const std::int32_t number = source.partition.value();
    if (number < 0 || number >= topic->config.partitions) {
      return Error(ErrorCode::kConfig, "topic '" + source.topic.value() + "' has no partition " +
                                           std::to_string(number));
    }
    MemoryPartition& partition = topic->partitions[static_cast<std::size_t>(number)];
    while (partition.begin < before && !partition.records.empty()) {
      partition.records.pop_front();
      partition.begin = partition.begin.next();
    }
    state_->wake_all();
    return {};
  }

  Result<std::vector<GroupInfo>> groups() override {
    const std::lock_guard lock(state_->mutex);
    std::vector<GroupInfo> infos;
    for (const auto& [id, group] : state_->groups) infos.push_back(group_info(id, group));
    return infos;
  }

  Result<GroupInfo> describe_group(const GroupId& id) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->groups.find(id);
    if (found == state_->groups.end()) return unknown_group(id);
    return group_info(id, found->second);
  }

  Status reset_group(const GroupId& id, const std::vector<Position>& positions) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->groups.find(id);
    if (found == state_->groups.end()) return unknown_group(id);
    MILLRACE_TRY(check_no_members(id, group_info(id, found->second).members));
    for (const Position& position : positions) {
      MILLRACE_ASSIGN(const auto topic, state_->find(position.source.topic));
      const std::int32_t number = position.source.partition.value();
      if (number < 0 || number >= topic->config.partitions) {
        return no_such_partition(position.source);
      }
      const MemoryPartition& partition = topic->partitions[static_cast<std::size_t>(number)];
      MILLRACE_TRY(check_position(position, partition.begin, partition.end()));
    }
    for (const Position& position : positions) {
      found->second.positions[position.source] = position.next;
    }
    return {};
  }

  Status delete_group(const GroupId& id) override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->groups.find(id);
    if (found == state_->groups.end()) return unknown_group(id);
    MILLRACE_TRY(check_no_members(id, group_info(id, found->second).members));
    state_->groups.erase(found);
    return {};
  }

  Result<std::map<PartitionId, Offset>> offsets_for_time(const TopicName& name,
                                                         Timestamp time) override {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(const auto topic, state_->find(name));
    std::map<PartitionId, Offset> offsets;
    std::int32_t number = 0;
    for (const MemoryPartition& partition : topic->partitions) {
      offsets[PartitionId(number++)] = partition.first_at_or_after(time);
    }
    return offsets;
  }

 private:
  Error unknown_group(const GroupId& id) const {
    std::vector<std::string> names;
    for (const auto& [known, group] : state_->groups) names.push_back(known.value());
    return Error(ErrorCode::kNoInput, "there is no consumer group '" + printable(id.value()) + "'" +
                                          did_you_mean(id.value(), names));
  }

  GroupInfo group_info(const GroupId& id, const MemoryGroup& group) const {
    GroupInfo info{id, "stable", {}, {}};
    for (const auto& [epoch, member] : group.members) {
      info.members.push_back({member.id, "this process", {}});
      for (const auto& [source, row] : group.ownership) {
        if (row.owner == epoch) info.members.back().assigned.push_back(source);
        if (row.owner != row.wanted) info.state = "rebalancing";
      }
    }
    if (info.members.empty()) info.state = "empty";
    for (const auto& [name, topic] : state_->topics) {
      auto of_topic = [&, &topic_name = name](const auto& row) {
        return row.first.topic == topic_name;
      };
      if (std::none_of(group.positions.begin(), group.positions.end(), of_topic) &&
          std::none_of(group.ownership.begin(), group.ownership.end(), of_topic)) {
        continue;
      }
      for (std::int32_t number = 0; number < topic->config.partitions; ++number) {
        const TopicPartition source{name, PartitionId(number)};
        const MemoryPartition& partition = topic->partitions[static_cast<std::size_t>(number)];
        const auto position = group.positions.find(source);
        info.positions.push_back(
            {source,
             position == group.positions.end() ? std::nullopt : std::optional(position->second),
             partition.begin, partition.end()});
      }
    }
    return info;
  }

  std::shared_ptr<MemoryState> state_;
};

class MemoryProducer final : public Producer {
 public:
  MemoryProducer(std::shared_ptr<MemoryState> state, std::string resume_id, std::string incarnation)
      : state_(std::move(state)),
        appender_(state_),
        key_(std::move(resume_id), std::move(incarnation)) {}
  ~MemoryProducer() override {
    const std::lock_guard lock(state_->mutex);
    state_->live_producers.erase(key_.first);
  }
  Result<TopicHandle> open_topic(const TopicName& topic) override {
    return appender_.open_topic(topic);
  }
  Status append(TopicHandle topic, const NewRecord& record) override {
    return appender_.append(topic, record);
  }
  Result<std::optional<RowNumber>> position() override {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->producers.find(key_);
    if (found == state_->producers.end()) return std::optional<RowNumber>();
    return std::optional<RowNumber>(found->second);
  }
  Status commit(RowNumber next_row) override {
    const std::lock_guard lock(state_->mutex);
    if (auto error = state_->next_request_fault()) return *error;
    MILLRACE_TRY(appender_.write());
    if (!key_.first.empty()) state_->producers[key_] = next_row;
    state_->wake_all();
    return {};
  }

 private:
  std::shared_ptr<MemoryState> state_;
  MemoryAppender appender_;
  const std::pair<std::string, std::string> key_;
};

class MemoryReader final : public Reader {
 public:
  struct Part {
    TopicPartition source;
    Offset position;
    Offset end;
  };
  MemoryReader(std::shared_ptr<MemoryState> state, std::shared_ptr<MemoryTopic> topic,
               std::vector<Part> parts, bool follow)
      : state_(std::move(state)),
        topic_(std::move(topic)),
        parts_(std::move(parts)),
        waiter_(state_),
        follow_(follow) {}

  Result<std::optional<Batch>> next(SteadyTime until) override {
    constexpr std::size_t kRecordsMax = 10'000;
    constexpr std::size_t kBytesMax = std::size_t{8} << 20;
    while (true) {
      {
        const std::lock_guard lock(state_->mutex);
        for (Part& part : parts_) {
          const auto number = static_cast<std::size_t>(part.source.partition.value());
          const MemoryPartition& partition = topic_->partitions[number];
          if (follow_) part.end = partition.end();
          part.position = std::max(part.position, partition.begin);
          if (part.position >= part.end) continue;
          const auto left = static_cast<std::size_t>(part.end.value() - part.position.value());
          Batch batch;
          fill_batch(partition, part.source, part.position, std::min(left, kRecordsMax), kBytesMax,
                     batch);
          part.position = batch.next;
          batch.arrived = state_->clock->steady();
          return std::optional<Batch>(std::move(batch));
        }
      }
      if (!follow_ || state_->clock->steady() >= until) return std::optional<Batch>();
      waiter_.wait(until);
    }
  }
  bool at_end() const override {
    return std::all_of(parts_.begin(), parts_.end(),
                       [](const Part& part) { return part.position >= part.end; });
  }

 private:
  std::shared_ptr<MemoryState> state_;
  std::shared_ptr<MemoryTopic> topic_;
  std::vector<Part> parts_;
  MemoryWaiter waiter_;
  const bool follow_;
};

}  // namespace

std::unique_ptr<Admin> make_memory_admin(std::shared_ptr<MemoryState> state) {
  return std::make_unique<MemoryAdmin>(std::move(state));
}

MemoryLog::MemoryLog(env::Clock& clock)
    : state_(std::make_shared<MemoryState>(clock)), admin_(make_memory_admin(state_)) {}

MemoryLog::MemoryLog(const MemoryLog& storage)
    : state_(storage.state_), admin_(make_memory_admin(state_)) {}

MemoryLog::~MemoryLog() = default;

Admin& MemoryLog::admin() { return *admin_; }

Result<std::unique_ptr<Consumer>> MemoryLog::open_consumer(const ConsumerOptions& options) {
  return open_memory_consumer(state_, options);
}

Result<std::unique_ptr<Reader>> MemoryLog::open_reader(const ReaderOptions& options) {
  std::vector<MemoryReader::Part> parts;
  std::shared_ptr<MemoryTopic> topic;
  {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(topic, state_->find(options.topic));
    std::vector<PartitionId> wanted = options.partitions;
    for (std::int32_t i = 0; options.partitions.empty() && i < topic->config.partitions; ++i) {
      wanted.emplace_back(i);
    }
    for (const PartitionId number : wanted) {
      if (number.value() < 0 || number.value() >= topic->config.partitions) {
        return Error(ErrorCode::kUsage, "topic '" + options.topic.value() + "' has no partition " +
                                            std::to_string(number.value()));
      }
      const auto& partition = topic->partitions[static_cast<std::size_t>(number.value())];
      const auto from = options.from.find(number);
      parts.push_back({{options.topic, number},
                       from == options.from.end() ? partition.begin : from->second,
                       partition.end()});
    }
  }
  return std::unique_ptr<Reader>(
      std::make_unique<MemoryReader>(state_, std::move(topic), std::move(parts), options.follow));
}

Result<std::unique_ptr<Producer>> MemoryLog::open_producer(const ProducerOptions& options) {
  std::string incarnation;
  {
    const std::lock_guard lock(state_->mutex);
    MILLRACE_ASSIGN(const auto topic, state_->find(options.topic));
    incarnation = topic->incarnation;
    if (!options.resume_id.empty() && !state_->live_producers.insert(options.resume_id).second) {
      return Error(ErrorCode::kLockHeld,
                   "another producer with the id '" + options.resume_id + "' is at work");
    }
  }
  return std::unique_ptr<Producer>(
      std::make_unique<MemoryProducer>(state_, options.resume_id, std::move(incarnation)));
}

void MemoryLog::fail_commit(std::size_t nth, CommitResult result, Effect effect) {
  const std::lock_guard lock(state_->mutex);
  state_->faults[state_->commits + nth] = {result, effect};
}

void MemoryLog::fail_commit_request(std::size_t nth, Error error) {
  const std::lock_guard lock(state_->mutex);
  state_->request_faults.insert_or_assign(state_->requests + nth, std::move(error));
}

void MemoryLog::evict(const std::string& member_id) {
  const std::lock_guard lock(state_->mutex);
  for (auto& [id, group] : state_->groups) {
    std::erase_if(group.members, [&](const auto& row) { return row.second.id == member_id; });
    state_->rebalance(group);
  }
  state_->wake_all();
}

}  // namespace millrace::log::testing
