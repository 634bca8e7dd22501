// Dead letters put back on the topic they came from, each at most once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/dead_letter.h"
#include "env/clock.h"
#include "env/stop.h"
#include "log/log.h"

namespace millrace::engine {

// The topic where replays are remembered: key = source position of the dead letter, value = when
// and where to. Written in the same transaction as the replayed record.
inline constexpr const char* kReplayedTopic = "__millrace.replayed";

struct DeadLetterFilter {
  std::optional<std::string> code;          // exact
  std::optional<std::string> type;          // exact
  std::optional<std::string> message;       // part of the message
  std::optional<std::string> source_topic;  // exact
  std::optional<std::string> key;           // exact bytes of the record key
  std::optional<PartitionId> partition;     // of the dead-letter topic
  // When the record was set aside (the record's own time where the letter does not say).
  std::optional<Timestamp> from;  // at or after
  std::optional<Timestamp> to;    // before
  bool matches(const DeadLetter& letter) const;
};

// Calls `each` for every dead letter of the topic that matches, in order of partition and offset,
// until it returns false. Errors: kUnknownTopic, kUsage for a partition the topic has not, and what
// the log returns.
Status scan_dead_letters(log::Log& log, const TopicName& topic, const DeadLetterFilter& filter,
                         const std::function<bool(const DeadLetter&)>& each);

struct ReplayResult {
  std::uint64_t matched = 0;
  std::uint64_t replayed = 0;
  std::uint64_t replayed_before = 0;
  std::uint64_t attempts_used_up = 0;
  std::uint64_t truncated = 0;                   // their original is not whole
  std::uint64_t no_source = 0;                   // no dead letters of ours, and no --to
  std::map<std::string, std::uint64_t> by_code;  // of the replayed
};

struct ReplayOptions {
  DeadLetterFilter filter;
  std::optional<TopicName> to;                        // instead of each one's source topic
  std::optional<std::uint64_t> limit;                 // records put back
  std::uint32_t attempts_max = 3;                     // one that failed this often stays
  enum class Again { kNo, kYes } again = Again::kNo;  // also what was replayed before
  enum class Action { kReplay, kDryRun } action = Action::kReplay;
  // When the n-th record (from 0) may be put back at the earliest; empty: as fast as it goes.
  std::function<SteadyTime(std::uint64_t)> due;
  // Called after each commit with how many are back on their topics by then.
  std::function<void(std::uint64_t)> on_commit;
};

// Stops early and commits what it did when `stop` is requested. Errors: kUnknownTopic (dead-letter
// or target topic).
Result<ReplayResult> replay_dead_letters(log::Log& log, const TopicName& topic,
                                         const ReplayOptions& options, env::Clock& clock,
                                         env::StopToken& stop);

}  // namespace millrace::engine
