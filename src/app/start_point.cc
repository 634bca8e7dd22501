#include "app/start_point.h"

#include <charconv>
#include <optional>

#include "base/text.h"
#include "env/clock.h"

namespace millrace::app {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> milliseconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1000;
    case 'm':
      return 60'000;
    case 'h':
      return 3'600'000;
    case 'd':
      return 86'400'000;
    default:
      return std::nullopt;
  }
}

// "15m" as milliseconds.
std::optional<std::int64_t> span_ms(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto unit = milliseconds_of_unit(text.back());
  const auto count = whole_number(text.substr(0, text.size() - 1));
  constexpr std::int64_t kSpanMax = 100LL * 366 * 86'400'000;  // a century
  if (!unit || !count || *count > kSpanMax / *unit) return std::nullopt;
  return *count * *unit;
}

constexpr const char* kTimes = "a time such as 2025-10-11T03:28:23Z, or a span back such as 15m";

}  // namespace

Result<Timestamp> parse_time(const std::string& flag, const std::string& text, Timestamp now) {
  if (const auto span = span_ms(text)) return Timestamp(now.value() - *span);
  const auto time = env::parse_rfc3339(text);
  if (time) return *time;
  return Error(ErrorCode::kUsage, flag + " '" + printable(text) + "': give " + kTimes);
}

Result<Milliseconds> parse_span(const std::string& flag, const std::string& text) {
  if (const auto span = span_ms(text)) return Milliseconds(*span);
  return Error(ErrorCode::kUsage,
               flag + " '" + printable(text) + "': give a span such as 30s or 5m");
}

Result<StartPoint> parse_start_point(const std::string& flag, const std::string& text,
                                     Timestamp now, Offsets offsets) {
  StartPoint start;
  if (text == "earliest") return start;
  if (text == "latest") {
    start.kind = StartPoint::Kind::kLatest;
    return start;
  }
  if (const auto offset = whole_number(text); offset && offsets == Offsets::kTaken) {
    start.kind = StartPoint::Kind::kOffset;
    start.offset = Offset(*offset);
    return start;
  }
  const auto time = parse_time(flag, text, now);
  if (time) {
    start.kind = StartPoint::Kind::kTime;
    start.time = *time;
    return start;
  }
  const std::string choices =
      offsets == Offsets::kTaken ? "earliest, latest, an offset, " : "earliest, latest, ";
  return Error(ErrorCode::kUsage, flag + " '" + printable(text) + "': choose " + choices + kTimes);
}

Result<std::map<PartitionId, Offset>> offsets_of(log::Admin& admin, const log::TopicInfo& topic,
                                                 const StartPoint& start) {
  if (start.kind == StartPoint::Kind::kTime) return admin.offsets_for_time(topic.name, start.time);
  std::map<PartitionId, Offset> offsets;
  for (const log::PartitionInfo& partition : topic.partitions) {
    Offset at = start.offset;
    if (start.kind == StartPoint::Kind::kEarliest) at = partition.begin;
    if (start.kind == StartPoint::Kind::kLatest) at = partition.end;
    offsets[partition.partition] = at;
  }
  return offsets;
}

}  // namespace millrace::app
