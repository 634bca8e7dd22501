#include "engine/state_keeper.h"

#include <bit>
#include <cstring>
#include <utility>

#include "json/json.h"

namespace millrace::engine {
namespace {

// What a value begins with; the rest are offset, time and the key's doubles, little-endian.
constexpr std::string_view kMagic = "MRS1";
// The key of the record that says how far a partition's state goes; keys of readings are texts.
const std::string kAppliedKey("\0applied", 8);
constexpr Milliseconds kReadMax{30'000};
// A snapshot is due when so many more records were written than there are keys.
constexpr std::uint64_t kChangesPerKey = 4;
constexpr std::uint64_t kChangesMin = 100'000;

static_assert(std::endian::native == std::endian::little);

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

constexpr std::size_t kHead = 4 + 2 * sizeof(std::int64_t);

Error corrupt(const log::TopicPartition& changelog, const log::Record& record,
              const std::string& what) {
  return Error(ErrorCode::kCorrupt, "state topic " + changelog.topic.value() + "/" +
                                        std::to_string(changelog.partition.value()) + " offset " +
                                        std::to_string(record.offset.value()) + ": " + what);
}

Error other_features(const log::TopicPartition& changelog) {
  return Error(ErrorCode::kBadModel,
               "the state in topic '" + changelog.topic.value() +
                   "' was made by other features than the model's. Use another group "
                   "(--consumer-group), or delete that topic and read again from the beginning");
}

}  // namespace

Status StateKeeper::check(std::size_t partitions) {
  MILLRACE_ASSIGN(const log::TopicInfo info, log_.admin().describe_topic(options_.topic));
  if (info.partitions.size() == partitions) return {};
  return Error(ErrorCode::kConfig,
               "the state of '" + options_.topic.value() + "' is in " +
                   std::to_string(info.partitions.size()) + " partitions and the input in " +
                   std::to_string(partitions) +
                   ": keys would be looked for where they are not. Use another group, or delete "
                   "the state and read again from the beginning");
}

Status StateKeeper::open(log::Transaction& transaction) {
  MILLRACE_ASSIGN(handle_, transaction.open_topic(options_.topic));
  return {};
}

KeyedState* StateKeeper::find(const log::TopicPartition& source) {
  const auto found = held_.find(source);
  return found == held_.end() ? nullptr : &found->second.state;
}

Status StateKeeper::take_up(const log::TopicPartition& source, Offset position) {
  Held held{KeyedState(options_.doubles, options_.limits), 0, 0, 0, false};
  const log::TopicPartition changelog{options_.topic, source.partition};
  std::optional<Offset> applied;
  MILLRACE_TRY(read(held, changelog, applied));
  held.state.loaded();
  const std::string where = source.topic.value() + "/" + std::to_string(source.partition.value());
  if (applied && *applied > position) {
    logger_.warning("the state of " + where + " is as of offset " +
                    std::to_string(applied->value()) + ", reading goes on at " +
                    std::to_string(position.value()) + ": the state begins anew");
    held.state.clear();
  } else if (applied && *applied < position) {
    logger_.warning("the state of " + where + " is as of offset " +
                    std::to_string(applied->value()) + ", reading goes on at " +
                    std::to_string(position.value()) + ": what lies between is not in it");
  }
  held_.insert_or_assign(source, std::move(held));
  return {};
}

Status StateKeeper::read(Held& held, const log::TopicPartition& changelog,
                         std::optional<Offset>& applied) {
  log::ReaderOptions options;
  options.topic = changelog.topic;
  options.partitions = {changelog.partition};
  MILLRACE_ASSIGN(const auto reader, log_.open_reader(options));
  std::vector<double> values(options_.doubles);
  SteadyTime give_up_at = clock_.steady() + kReadMax;
  while (true) {
    MILLRACE_ASSIGN(const auto batch, reader->next(give_up_at));
    if (!batch) {
      if (reader->at_end()) return {};
      return Error(ErrorCode::kUnavailable, "the state of " + changelog.topic.value() + "/" +
                                                std::to_string(changelog.partition.value()) +
                                                " cannot be read");
    }
    give_up_at = clock_.steady() + kReadMax;
    for (const log::Record& record : batch->records) {
      ++held.written;
      if (!record.key) return corrupt(changelog, record, "a record without a key is none of ours");
      if (*record.key == kAppliedKey) {
        const auto note = json::parse(record.value.value_or(""), changelog.topic.value());
        if (!note || !note->contains("applied") || !note->contains("fingerprint"))
          return corrupt(changelog, record, "does not say how far the state goes");
        if ((*note)["fingerprint"] != options_.fingerprint) return other_features(changelog);
        applied = Offset((*note)["applied"].get<std::int64_t>());
        continue;
      }
      if (!record.value) {
        held.state.forget(*record.key);
        continue;
      }
      if (!record.value->starts_with(kMagic))
        return corrupt(changelog, record, "is no state of a key");
      if (record.value->size() != kHead + options_.doubles * sizeof(double))
        return other_features(changelog);
      std::memcpy(values.data(), record.value->data() + kHead, options_.doubles * sizeof(double));
      held.state.load({*record.key, Offset(get<std::int64_t>(*record.value, kMagic.size())),
                       Timestamp(get<std::int64_t>(*record.value, kMagic.size() + 8)), values});
    }
  }
}

Status StateKeeper::append_one(log::Transaction& transaction, Held& held, PartitionId partition,
                               const KeyedState::Entry& entry) {
  ++held.in_commit;
  log::NewRecord record{entry.key, std::nullopt, {}, clock_.now(), partition};
  if (!entry.values.empty()) {
    value_ = kMagic;
    put(value_, entry.offset.value());
    put(value_, entry.time.value());
    value_.append(reinterpret_cast<const char*>(entry.values.data()),
                  entry.values.size() * sizeof(double));
    record.value = value_;
  }
  held.bytes_in_commit += entry.key.size() + record.value.value_or("").size();
  return transaction.append(handle_, record);
}

Status StateKeeper::append(log::Transaction& transaction,
                           const std::vector<log::Position>& positions) {
  const bool compacts = !log_.capabilities().embedded;
  for (const log::Position& position : positions) {
    const auto found = held_.find(position.source);
    if (found == held_.end()) continue;
    Held& held = found->second;
    const PartitionId partition = position.source.partition;
    held.in_commit = 0;
    held.bytes_in_commit = 0;
    held.snapshot = !compacts && held.written > kChangesMin + kChangesPerKey * held.state.size();
    Status appended;
    const auto write = [&](const KeyedState::Entry& entry) {
      if (appended) appended = append_one(transaction, held, partition, entry);
    };
    held.snapshot ? held.state.every(write) : held.state.changes(write);
    MILLRACE_TRY(appended);
    const json::Value note = {{"applied", position.next.value()},
                              {"fingerprint", options_.fingerprint},
                              {"keys", held.state.size()}};
    const std::string text = json::to_line(note);
    ++held.in_commit;
    held.bytes_in_commit += kAppliedKey.size() + text.size();
    MILLRACE_TRY(transaction.append(handle_, {kAppliedKey, text, {}, clock_.now(), partition}));
  }
  for (auto& [source, held] : held_) held.state.freeze();
  return {};
}

// What lies before a snapshot says nothing any more.
Status StateKeeper::trim(const log::TopicPartition& source, Held& held) {
  MILLRACE_ASSIGN(const log::TopicInfo info, log_.admin().describe_topic(options_.topic));
  for (const log::PartitionInfo& partition : info.partitions) {
    if (partition.partition != source.partition) continue;
    const Offset first(partition.end.value() - static_cast<std::int64_t>(held.in_commit));
    MILLRACE_TRY(log_.admin().trim({options_.topic, source.partition}, first));
  }
  held.written = 0;
  return {};
}

void StateKeeper::settle() {
  for (auto& [source, held] : held_) {
    held.state.settle();
    held.written += held.in_commit;
    records_ += held.in_commit;
    written_ += std::exchange(held.bytes_in_commit, 0);
    if (std::exchange(held.snapshot, false)) {
      // What is committed stands; the next snapshot tries again.
      if (const Status trimmed = trim(source, held); !trimmed)
        logger_.warning("old state could not be dropped: " + trimmed.error().message());
    }
    held.in_commit = 0;
  }
}

void StateKeeper::roll_back() {
  for (auto& [source, held] : held_) {
    held.state.roll_back();
    held.in_commit = 0;
    held.bytes_in_commit = 0;
    held.snapshot = false;
  }
}

void StateKeeper::roll_back_ahead() {
  for (auto& [source, held] : held_) held.state.roll_back_ahead();
}

StateKeeper::Figures StateKeeper::figures() const {
  Figures figures;
  for (const auto& [source, held] : held_) figures.keys += held.state.size();
  figures.bytes = figures.keys * options_.doubles * sizeof(double);
  figures.records = records_;
  figures.written = written_;
  return figures;
}

}  // namespace millrace::engine
