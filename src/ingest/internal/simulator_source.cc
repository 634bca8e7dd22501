#include "ingest/internal/simulator_source.h"

#include "ingest/internal/sample_source.h"

namespace millrace::ingest {

SimulatorSource::SimulatorSource(Simulator simulator, const KeyRule& key,
                                 const std::string& stamp_field)
    : simulator_(std::move(simulator)),
      keys_(key),
      // Records that have a time of their own are not stamped.
      stamp_prefix_(
          stamp_field.empty() || simulator_.draws(stamp_field) ? "" : stamp_prefix(stamp_field)) {}

Result<bool> SimulatorSource::next(std::string_view stamp, SourceRow& row) {
  const Poison poison = simulator_.next(json_, key_);
  row.row = row_;
  row_ = row_.next();
  row.line = row_.value();
  row.event_time = simulator_.step_time();
  row.problem.clear();
  row.key = keys_.make(key_, json_);
  row.value = json_;
  if (poison == Poison::kNone && !stamp_prefix_.empty()) {
    message_.clear();
    append_stamped(message_, json_, stamp_prefix_, stamp);
    row.value = message_;
  }
  return true;
}

Status SimulatorSource::skip_to(RowNumber row) {
  std::string json;
  std::string key;
  for (; row_ < row; row_ = row_.next()) simulator_.next(json, key);
  return {};
}

}  // namespace millrace::ingest
