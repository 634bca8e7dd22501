#include "engine/replay.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace millrace::engine {
namespace {

// Records put back in one transaction.
constexpr std::uint64_t kCommitRecords = 1000;
constexpr Milliseconds kReadMax{10'000};
// With a rate: what was put back becomes visible at least this often, and a stop is seen this soon.
constexpr Milliseconds kCommitEvery{500};
constexpr Milliseconds kLookForStop{100};

std::string source_of(const DeadLetter& letter) {
  if (letter.source_topic.empty()) {
    return letter.at.topic.value() + "/" + std::to_string(letter.at.partition.value()) + "/" +
           std::to_string(letter.offset.value());
  }
  return letter.source_topic + "/" + std::to_string(letter.source_partition) + "/" +
         std::to_string(letter.source_offset);
}

Status each_record(
    log::Log& log, const TopicName& topic, std::optional<PartitionId> partition,
    const std::function<bool(const log::TopicPartition&, const log::Record&)>& each) {
  log::ReaderOptions options;
  options.topic = topic;
  if (partition) options.partitions = {*partition};
  MILLRACE_ASSIGN(const std::unique_ptr<log::Reader> reader, log.open_reader(options));
  while (!reader->at_end()) {
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch,
                    reader->next(env::real_clock().steady() + kReadMax));
    if (!batch) continue;
    for (const log::Record& record : batch->records) {
      if (!each(batch->source, record)) return {};
    }
  }
  return {};
}

Result<std::set<std::string>> replayed_before(log::Log& log) {
  std::set<std::string> sources;
  const Status read =
      each_record(log, TopicName(kReplayedTopic), std::nullopt,
                  [&sources](const log::TopicPartition&, const log::Record& record) {
                    if (record.key) sources.emplace(*record.key);
                    return true;
                  });
  if (!read && read.error().code() != ErrorCode::kUnknownTopic) return read.error();
  return sources;
}

// Puts records back and remembers them, a transaction a thousand.
class Replayer {
 public:
  Replayer(log::Log& log, const ReplayOptions& options, env::Clock& clock)
      : log_(log), options_(options), clock_(clock) {}

  Status open() {
    log::TopicConfig config;
    config.other["cleanup.policy"] = "compact";
    MILLRACE_TRY(log_.admin().create_topic(TopicName(kReplayedTopic), config));
    MILLRACE_ASSIGN(producer_, log_.open_producer({TopicName(kReplayedTopic), ""}));
    MILLRACE_ASSIGN(remembered_, producer_->open_topic(TopicName(kReplayedTopic)));
    return {};
  }

  Status replay(const DeadLetter& letter, const std::string& source) {
    const TopicName target = options_.to ? *options_.to : TopicName(letter.source_topic);
    MILLRACE_ASSIGN(const log::TopicHandle handle, handle_of(target));
    std::vector<log::Header> headers;
    for (const auto& [name, value] : letter.original_headers) {
      headers.push_back({name, value ? std::optional<std::string_view>(*value) : std::nullopt});
    }
    const std::string attempt = std::to_string(letter.attempt);
    headers.push_back({kReplaySourceHeader, std::string_view(source)});
    headers.push_back({kReplayAttemptHeader, std::string_view(attempt)});
    log::NewRecord record;
    if (letter.key) record.key = *letter.key;
    if (letter.value) record.value = *letter.value;
    record.headers = headers;
    record.timestamp = letter.timestamp;
    MILLRACE_TRY(producer_->append(handle, record));
    const std::string note = env::format_rfc3339(clock_.now()) + " " + target.value();
    log::NewRecord mark;
    mark.key = source;
    mark.value = note;
    mark.timestamp = clock_.now();
    MILLRACE_TRY(producer_->append(remembered_, mark));
    if (pending_ == 0) first_pending_ = clock_.steady();
    ++appended_;
    if (++pending_ < kCommitRecords) return {};
    return commit();
  }

  // Waits until the next record is due; false when a stop was requested meanwhile.
  Result<bool> wait_until_due(std::uint64_t n, const env::StopToken& stop) {
    if (!options_.due) return true;
    const SteadyTime due = options_.due(n);
    while (clock_.steady() < due) {
      if (stop.requested()) return false;
      if (pending_ > 0 && due > first_pending_ + kCommitEvery) MILLRACE_TRY(commit());
      clock_.sleep_until(std::min(due, clock_.steady() + kLookForStop));
    }
    return true;
  }

  Status commit() {
    if (pending_ == 0) return {};
    pending_ = 0;
    MILLRACE_TRY(producer_->commit(RowNumber(0)));
    if (options_.on_commit) options_.on_commit(appended_);
    return {};
  }

 private:
  Result<log::TopicHandle> handle_of(const TopicName& topic) {
    const auto found = handles_.find(topic);
    if (found != handles_.end()) return found->second;
    MILLRACE_ASSIGN(const log::TopicHandle handle, producer_->open_topic(topic));
    handles_.emplace(topic, handle);
    return handle;
  }

  log::Log& log_;
  const ReplayOptions& options_;
  env::Clock& clock_;
  std::unique_ptr<log::Producer> producer_;
  log::TopicHandle remembered_;
  std::map<TopicName, log::TopicHandle> handles_;
  std::uint64_t appended_ = 0;
  std::uint64_t pending_ = 0;
  SteadyTime first_pending_{};
};

// Counts why a letter is not put back; true when it is.
bool eligible(const DeadLetter& letter, const std::string& source,
              const std::set<std::string>& before, const ReplayOptions& options,
              ReplayResult& result) {
  ++result.matched;
  std::uint64_t* reason = nullptr;
  if (letter.source_topic.empty() && !options.to) reason = &result.no_source;
  if (letter.truncated) reason = &result.truncated;
  if (letter.attempt >= options.attempts_max) reason = &result.attempts_used_up;
  if (options.again == ReplayOptions::Again::kNo && before.contains(source))
    reason = &result.replayed_before;
  if (reason != nullptr) ++*reason;
  return reason == nullptr;
}

Timestamp time_of(const DeadLetter& letter) {
  const auto failed = env::parse_rfc3339(letter.failed_at);
  return failed ? *failed : letter.timestamp;
}

bool in_time(const DeadLetterFilter& filter, const DeadLetter& letter) {
  if (!filter.from && !filter.to) return true;
  const Timestamp time = time_of(letter);
  return (!filter.from || time >= *filter.from) && (!filter.to || time < *filter.to);
}

}  // namespace

bool DeadLetterFilter::matches(const DeadLetter& letter) const {
  return (!code || *code == letter.code) && (!type || *type == letter.type) &&
         (!message || letter.message.find(*message) != std::string::npos) &&
         (!source_topic || *source_topic == letter.source_topic) &&
         (!key || (letter.key && *key == *letter.key)) &&
         (!partition || *partition == letter.at.partition) && in_time(*this, letter);
}

Status scan_dead_letters(log::Log& log, const TopicName& topic, const DeadLetterFilter& filter,
                         const std::function<bool(const DeadLetter&)>& each) {
  return each_record(log, topic, filter.partition,
                     [&](const log::TopicPartition& at, const log::Record& record) {
                       const DeadLetter letter = read_dead_letter(at, record);
                       return !filter.matches(letter) || each(letter);
                     });
}

Result<ReplayResult> replay_dead_letters(log::Log& log, const TopicName& topic,
                                         const ReplayOptions& options, env::Clock& clock,
                                         env::StopToken& stop) {
  MILLRACE_ASSIGN(const std::set<std::string> before, replayed_before(log));
  const bool dry = options.action == ReplayOptions::Action::kDryRun;
  ReplayResult result;
  Replayer replayer(log, options, clock);
  if (!dry) MILLRACE_TRY(replayer.open());
  Status failed;
  const auto one = [&](const DeadLetter& letter) {
    if (stop.requested() || (options.limit && result.replayed >= *options.limit)) return false;
    const std::string source = source_of(letter);
    if (!eligible(letter, source, before, options, result)) return true;
    if (!dry) {
      const Result<bool> due = replayer.wait_until_due(result.replayed, stop);
      if (due && !*due) return false;
      failed = due ? replayer.replay(letter, source) : Status(due.error());
    }
    if (!failed) return false;
    ++result.replayed;
    ++result.by_code[letter.code];
    return true;
  };
  MILLRACE_TRY(scan_dead_letters(log, topic, options.filter, one));
  if (!failed) return failed.error();
  MILLRACE_TRY(replayer.commit());
  return result;
}

}  // namespace millrace::engine
