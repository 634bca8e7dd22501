#include "ingest/internal/sample_source.h"

#include <algorithm>

#include "base/check.h"
#include "ingest/produce.h"
#include "json/text.h"

namespace millrace::ingest {

std::string stamp_prefix(std::string_view field) {
  std::string prefix = ",";
  json::append_string(prefix, field);
  prefix += ":\"";
  return prefix;
}

void append_stamped(std::string& out, std::string_view object, std::string_view prefix,
                    std::string_view stamp) {
  const std::size_t close = object.rfind('}');
  CHECK(close != std::string_view::npos);
  const bool empty = object.find_first_not_of(" \t", 1) == close;
  out.append(object.substr(0, close)).append(empty ? prefix.substr(1) : prefix);
  out.append(stamp).append("\"}");
}

SampleSource::SampleSource(const std::string& stamp_field, std::uint64_t seed)
    : random_(seed), stamp_prefix_(stamp_field.empty() ? "" : stamp_prefix(stamp_field)) {}

Result<std::unique_ptr<SampleSource>> SampleSource::load(RowSource& from,
                                                         const std::string& stamp_field,
                                                         std::uint64_t seed,
                                                         std::size_t bytes_max) {
  std::unique_ptr<SampleSource> source(new SampleSource(stamp_field, seed));
  SourceRow row;
  while (true) {
    MILLRACE_ASSIGN(const bool more, from.next({}, row));
    if (!more) break;
    ++source->rows_read_;
    if (row.problem.empty()) {
      source->keep(row, bytes_max);
    } else {
      ++source->bad_rows_;
      if (source->bad_.size() < kBadRowsKeptMax) {
        source->bad_.push_back({row.row, row.line, row.problem});
      }
    }
  }
  if (source->rows_.empty()) {
    return Error(ErrorCode::kBadData, "There is no good row to sample from.");
  }
  return source;
}

// Each row draws a priority; when the rows kept outgrow the limit, the threshold halves and those
// above it go. What is left is a uniform choice, whatever the order of the file.
void SampleSource::keep(const SourceRow& row, std::size_t bytes_max) {
  Kept kept;
  kept.priority = random_.uniform();
  if (kept.priority >= threshold_) return;
  kept.row = row.row;
  kept.line = row.line;
  kept.value = row.value;
  if (row.key) kept.key = std::string(*row.key);
  kept.event_time = row.event_time;
  bytes_kept_ += kept.value.size() + sizeof(Kept);
  rows_.push_back(std::move(kept));
  while (bytes_kept_ > bytes_max && rows_.size() > 1) {
    threshold_ /= 2;
    std::erase_if(rows_, [this](const Kept& old) { return old.priority >= threshold_; });
    bytes_kept_ = 0;
    for (const Kept& left : rows_) bytes_kept_ += left.value.size() + sizeof(Kept);
  }
}

Result<bool> SampleSource::next(std::string_view stamp, SourceRow& row) {
  row.key.reset();
  row.event_time.reset();
  row.problem.clear();
  if (bad_told_ < bad_rows_) {
    ++bad_told_;
    if (bad_.empty()) {
      row.problem = "bad";  // only counted: the list is full
      return true;
    }
    row.row = bad_.front().row;
    row.line = bad_.front().line;
    row.problem = std::move(bad_.front().problem);
    bad_.pop_front();
    return true;
  }
  const Kept& kept = rows_[random_.below(rows_.size())];
  row.row = kept.row;
  row.line = kept.line;
  row.event_time = kept.event_time;
  if (kept.key) row.key = *kept.key;
  row.value = kept.value;
  if (!stamp_prefix_.empty()) {
    message_.clear();
    append_stamped(message_, kept.value, stamp_prefix_, stamp);
    row.value = message_;
  }
  return true;
}

Status SampleSource::skip_to(RowNumber) {
  return Error(ErrorCode::kInternal, "A sampled source has no order to return to.");
}

}  // namespace millrace::ingest
