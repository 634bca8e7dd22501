#include "engine/sink_files.h"

#include <charconv>
#include <filesystem>
#include <system_error>

#include "env/clock.h"
#include "env/digest.h"

namespace millrace::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".parquet";
constexpr std::string_view kUnfinished = ".parquet.tmp.";  // as env::AtomicFile names it
constexpr std::string_view kDay = "date=";
constexpr std::size_t kDigits = 20;
constexpr std::size_t kIncarnationDigits = 8;

std::string padded(Offset offset) {
  const std::string digits = std::to_string(offset.value());
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

std::optional<Offset> offset_in(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return Offset(value);
}

// The range in "PREFIXfirst-last.parquet"; nothing for other names.
std::optional<OffsetRange> range_in(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(kEnding)) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(kEnding.size());
  if (name.size() != 2 * kDigits + 1 || name[kDigits] != '-') return std::nullopt;
  const auto first = offset_in(name.substr(0, kDigits));
  const auto last = offset_in(name.substr(kDigits + 1));
  if (!first || !last) return std::nullopt;
  return OffsetRange{*first, *last};
}

Error cannot_list(const env::Path& folder, const std::error_code& error) {
  return env::errno_error("cannot list", folder, error.value());
}

}  // namespace

std::string date_of(Timestamp time) {
  constexpr std::size_t kDateSize = 10;
  return env::format_rfc3339(time).substr(0, kDateSize);
}

SinkFiles::SinkFiles(env::Path folder, const TopicName& topic, std::string_view incarnation)
    : folder_(std::move(folder)),
      stem_(topic.value() + "-" + env::sha256_hex(incarnation).substr(0, kIncarnationDigits) +
            "-") {}

std::string SinkFiles::prefix(PartitionId partition) const {
  return stem_ + std::to_string(partition.value()) + "-";
}

env::Path SinkFiles::day_folder(std::string_view date) const {
  return folder_ / (std::string(kDay) + std::string(date));
}

env::Path SinkFiles::file(std::string_view date, PartitionId partition, OffsetRange range) const {
  return day_folder(date) / (prefix(partition) + padded(range.first) + "-" + padded(range.last) +
                             std::string(kEnding));
}

Result<std::map<Offset, Offset>> SinkFiles::scan(PartitionId partition, Offset from) const {
  std::map<Offset, Offset> ranges;
  std::error_code error;
  const std::string start = prefix(partition);
  fs::directory_iterator day(folder_, error);
  if (error == std::errc::no_such_file_or_directory) return ranges;
  for (; !error && day != fs::directory_iterator(); day.increment(error)) {
    std::error_code ignored;  // then it is no folder of ours
    if (!day->path().filename().string().starts_with(kDay) || !day->is_directory(ignored)) continue;
    std::error_code inner;
    fs::directory_iterator entry(day->path(), inner);
    for (; !inner && entry != fs::directory_iterator(); entry.increment(inner)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with(start) && name.find(kUnfinished) != std::string::npos) {
        fs::remove(entry->path(), ignored);
        continue;
      }
      const auto range = range_in(name, start);
      if (!range || range->last < from) continue;
      const auto [found, is_new] = ranges.emplace(range->first, range->last);
      if (is_new || found->second == range->last) continue;
      return Error(ErrorCode::kConfig,
                   entry->path().string() + " overlaps a file that ends at " +
                       std::to_string(found->second.value()) +
                       ": records would be there twice. Move one of them away.");
    }
    if (inner) return cannot_list(day->path(), inner);
  }
  if (error) return cannot_list(folder_, error);
  return ranges;
}

}  // namespace millrace::engine
