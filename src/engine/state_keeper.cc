#include "engine/state_keeper.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/state_codec.h"
#include "json/json.h"

namespace millrace::engine {
namespace {

// What a value begins with; the rest are offset, time and the key's doubles, little-endian.
// The key of the record that says how far a partition's state goes; keys of readings are texts.
const std::string kAppliedKey("\0applied", 8);
// The key of what a drift watch has observed.
const std::string kDriftKey("\0drift", 6);
constexpr Milliseconds kReadMax{30'000};
// A snapshot is due when so many more records, or bytes, were written than all keys would be.
constexpr std::uint64_t kChangesPerKey = 8;
constexpr std::uint64_t kChangesMin = 100'000;
constexpr std::uint64_t kBytesMin = std::uint64_t{64} << 20;

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

struct DriftRecord {
  std::uint64_t sequence = 0;
  std::vector<std::pair<std::int32_t, std::int64_t>> partitions;  // and their positions
  std::string_view observed;
};

// Nothing for a record that is none.
std::optional<DriftRecord> read_drift(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  const auto head = json::parse(text.substr(0, line), "drift");
  if (!head) return std::nullopt;
  DriftRecord record;
  const auto sequence = json::get<std::uint64_t>(*head, "sequence");
  const auto partitions =
      json::get<std::vector<std::pair<std::int32_t, std::int64_t>>>(*head, "partitions");
  if (!sequence || !partitions) return std::nullopt;
  record.sequence = *sequence;
  record.partitions = *partitions;
  record.observed = text.substr(line + 1);
  return record;
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
  return found == held_.end() || options_.doubles == 0 ? nullptr : &found->second.state;
}

Status StateKeeper::take_up(const log::TopicPartition& source, Offset position) {
  Held held(KeyedState(options_.doubles, options_.limits));
  held.applied = held.next = position;
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

void StateKeeper::taken_up() {
  if (drift_ == nullptr) return;
  // Of several the latest: where a process had others before, it wrote elsewhere later.
  std::optional<DriftRecord> latest;
  for (const auto& [partition, text] : std::exchange(found_drift_, {})) {
    std::optional<DriftRecord> record = read_drift(text);
    if (!record) continue;
    drift_sequence_ = std::max(drift_sequence_, record->sequence);
    if (!latest || latest->sequence < record->sequence) latest = std::move(record);
  }
  if (!latest || drift_->monitor().counts().observed > 0) return;
  for (const auto& [partition, next] : latest->partitions) {
    const PartitionId wanted(partition);
    const auto held = std::find_if(held_.begin(), held_.end(), [wanted](const auto& one) {
      return one.first.partition == wanted;
    });
    // Its process may live on with the others; or the group was moved back.
    if (held == held_.end() || held->second.applied < Offset(next)) {
      logger_.info(
          "the windows of drift begin anew: what was kept is of other partitions or later");
      return;
    }
  }
  if (const Status restored = drift_->restore(latest->observed); !restored)
    logger_.warning("the windows of drift begin anew: " + restored.error().message());
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
      held.written_bytes += record.key.value_or("").size() + record.value.value_or("").size();
      if (!record.key) return corrupt(changelog, record, "a record without a key is none of ours");
      if (*record.key == kAppliedKey) {
        const auto note = json::parse(record.value.value_or(""), changelog.topic.value());
        if (!note || !note->contains("applied") || !note->contains("fingerprint"))
          return corrupt(changelog, record, "does not say how far the state goes");
        if ((*note)["fingerprint"] != options_.fingerprint) return other_features(changelog);
        applied = Offset((*note)["applied"].get<std::int64_t>());
        continue;
      }
      if (*record.key == kDriftKey) {
        found_drift_[changelog.partition] = record.value.value_or("");
        continue;
      }
      if (!record.value) {
        held.state.forget(*record.key);
        continue;
      }
      StateHead head;
      const StateForm form = decode_state(*record.value, head, values);
      if (form == StateForm::kNotAState) return corrupt(changelog, record, "is no state of a key");
      if (form == StateForm::kOtherSize) return other_features(changelog);
      held.state.load({*record.key, head.offset, head.time, values});
    }
  }
}

Status StateKeeper::append_one(log::Transaction& transaction, Held& held, PartitionId partition,
                               Timestamp now, const KeyedState::Entry& entry) {
  ++held.in_commit;
  log::NewRecord record{entry.key, std::nullopt, {}, now, partition};
  if (!entry.values.empty()) {
    encode_state({entry.offset, entry.time}, entry.values, value_);
    record.value = value_;
  }
  held.bytes_in_commit += entry.key.size() + record.value.value_or("").size();
  return transaction.append(handle_, record);
}

bool StateKeeper::snapshot_due(const Held& held) const {
  if (!log_.capabilities().embedded) return false;
  const std::uint64_t keys = held.state.size();
  const std::uint64_t bytes = keys * options_.doubles * sizeof(double);
  return held.written > kChangesMin + kChangesPerKey * keys ||
         held.written_bytes > kBytesMin + kChangesPerKey * bytes;
}

// Changed keys or all of them, and how far they go.
Status StateKeeper::append_partition(log::Transaction& transaction,
                                     const log::TopicPartition& source, Held& held) {
  held.in_commit = 0;
  held.bytes_in_commit = 0;
  held.snapshot = snapshot_due(held);
  Status appended;
  const Timestamp now = clock_.now();
  const auto write = [&](const KeyedState::Entry& entry) {
    if (appended) appended = append_one(transaction, held, source.partition, now, entry);
  };
  held.snapshot ? held.state.every(write) : held.state.changes(write);
  MILLRACE_TRY(appended);
  const json::Value note = {{"applied", held.next.value()},
                            {"fingerprint", options_.fingerprint},
                            {"keys", held.state.size()}};
  const std::string text = json::to_line(note);
  ++held.in_commit;
  held.bytes_in_commit += kAppliedKey.size() + text.size();
  return transaction.append(handle_, {kAppliedKey, text, {}, now, source.partition});
}

Status StateKeeper::append(log::Transaction& transaction,
                           const std::vector<log::Position>& positions) {
  std::set<log::TopicPartition> moved;
  for (const log::Position& position : positions) {
    const auto found = held_.find(position.source);
    if (found == held_.end()) continue;
    found->second.next = position.next;
    moved.insert(position.source);
  }
  for (auto& [source, held] : held_) {
    // What is kept of drift grows also where nothing is read.
    if (moved.contains(source) || snapshot_due(held))
      MILLRACE_TRY(append_partition(transaction, source, held));
  }
  if (drift_ != nullptr && !held_.empty()) MILLRACE_TRY(append_drift(transaction));
  for (auto& [source, held] : held_) held.state.freeze();
  return {};
}

// One record a process: a line of JSON that says what it is of, and what was observed.
Status StateKeeper::append_drift(log::Transaction& transaction) {
  auto& [home, held] = *held_.begin();
  if (!drift_->changed() && drift_home_ == home && !held.snapshot) return {};
  json::Value of = json::Value::array();
  for (const auto& [source, one] : held_)
    of.push_back(json::Value::array({source.partition.value(), one.next.value()}));
  value_ = json::to_line({{"sequence", ++drift_sequence_}, {"partitions", std::move(of)}}) + "\n";
  value_ += drift_->save();
  drift_home_ = home;
  ++held.in_commit;
  held.bytes_in_commit += kDriftKey.size() + value_.size();
  return transaction.append(handle_, {kDriftKey, value_, {}, clock_.now(), home.partition});
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
  held.written_bytes = 0;
  return {};
}

void StateKeeper::settle() {
  for (auto& [source, held] : held_) {
    held.state.settle();
    held.applied = held.next;
    held.written += held.in_commit;
    held.written_bytes += held.bytes_in_commit;
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
  drift_home_.reset();
  for (auto& [source, held] : held_) {
    held.state.roll_back();
    held.next = held.applied;
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
