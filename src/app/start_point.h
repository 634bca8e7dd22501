// Where on a topic to begin, as people say it: earliest, latest, an offset, a time.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "log/log.h"

namespace millrace::app {

struct StartPoint {
  enum class Kind { kEarliest, kLatest, kOffset, kTime } kind = Kind::kEarliest;
  Offset offset;   // of kOffset
  Timestamp time;  // of kTime
};

// A time as RFC 3339, or a span back from `now`: "90s", "15m", "2h", "7d". `flag` stands in the
// message. Errors: kUsage.
Result<Timestamp> parse_time(const std::string& flag, const std::string& text, Timestamp now);

// A span: "90s", "15m", "2h", "7d". Errors: kUsage.
Result<Milliseconds> parse_span(const std::string& flag, const std::string& text);

enum class Offsets { kRefused, kTaken };
// "earliest", "latest", a time as parse_time() takes it, and an offset where those are taken.
// Errors: kUsage, listing what there is to choose from.
Result<StartPoint> parse_start_point(const std::string& flag, const std::string& text,
                                     Timestamp now, Offsets offsets);

// The offset of each partition of the topic. An offset is given as it is, also where a partition
// does not reach so far. Errors: what the log returns.
Result<std::map<PartitionId, Offset>> offsets_of(log::Admin& admin, const log::TopicInfo& topic,
                                                 const StartPoint& start);

}  // namespace millrace::app
