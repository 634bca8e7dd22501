#include "ingest/internal/table_source.h"

#include <algorithm>

#include "base/text.h"
#include "env/clock.h"
#include "ingest/internal/json_field.h"

namespace millrace::ingest {
namespace {

std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       const std::string& name) {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::optional<Timestamp> time_of(std::string_view text) {
  const auto time = env::parse_rfc3339(text);
  if (!time) return std::nullopt;
  return *time;
}

}  // namespace

Result<std::unique_ptr<TableSource>> TableSource::open(const spec::Pipeline& pipeline,
                                                       const std::string& path,
                                                       ProduceOptions::Form form,
                                                       const KeyRule& key, Stamping stamping,
                                                       const env::StopToken& stop) {
  codec::TableFormat format = codec::TableFormat::kRaw;
  if (form == ProduceOptions::Form::kMessages) {
    format = codec::format_of_path(path);
  }
  MILLRACE_ASSIGN(codec::TableReader reader,
                  codec::TableReader::open(path, format, pipeline.csv, pipeline.schema, &stop));
  if (key.kind == KeyRule::Kind::kField && codec::has_columns(reader.format()) &&
      !find_column(reader.columns(), key.text)) {
    return Error(ErrorCode::kConfig, path + " has no column '" + key.text +
                                         "' to take the key from" +
                                         did_you_mean(key.text, reader.columns()) +
                                         " (another key: --key COLUMN, uuid, hash or none)");
  }
  return std::unique_ptr<TableSource>(new TableSource(pipeline, std::move(reader), key, stamping));
}

TableSource::TableSource(const spec::Pipeline& pipeline, codec::TableReader reader,
                         const KeyRule& key, Stamping stamping)
    : format_(reader.format()),
      reader_(std::move(reader)),
      encoder_(pipeline.schema, reader_.columns(), pipeline.csv),
      keys_(key),
      time_field_(pipeline.input.event_time.value_or("")),
      stamping_(stamping) {
  if (codec::has_columns(format_)) {
    if (key.kind == KeyRule::Kind::kField) key_column_ = find_column(reader_.columns(), key.text);
    if (!time_field_.empty()) time_column_ = find_column(reader_.columns(), time_field_);
    if (!time_column_) stamp_field_ = time_field_;
  }
}

Result<bool> TableSource::next(std::string_view stamp, SourceRow& row) {
  MILLRACE_ASSIGN(const bool more, reader_.read(current_));
  if (!more) return false;
  const codec::TableRow& from = current_;
  row.row = from.row;
  row.line = from.line;
  row.key.reset();
  row.event_time.reset();
  row.problem.clear();
  if (!from.errors.empty()) [[unlikely]] {
    row.problem = problem_of(from.errors);
    return true;
  }
  if (format_ == codec::TableFormat::kRaw) {
    row.value = from.raw;
  } else if (format_ == codec::TableFormat::kNdjson) {
    fill_from_json(from, row);
  } else {
    const bool stamped = stamping_ == Stamping::kOnSend;
    encoder_.encode(from, stamped ? std::string_view(stamp_field_) : "", stamp, message_);
    fill_from_cells(from, row);
  }
  return true;
}

void TableSource::fill_from_cells(const codec::TableRow& from, SourceRow& row) {
  row.value = message_;
  std::optional<std::string_view> key_text;
  if (key_column_) key_text = from.cells[*key_column_];
  row.key = keys_.make(key_text, from.raw);
  if (time_column_) row.event_time = time_of(from.cells[*time_column_]);
}

void TableSource::fill_from_json(const codec::TableRow& from, SourceRow& row) {
  row.value = from.raw;
  std::optional<std::string_view> key_text;
  if (keys_.rule().kind == KeyRule::Kind::kField) {
    key_text = json_field(from.raw, keys_.rule().text, scratch_);
  }
  row.key = keys_.make(key_text, from.raw);
  if (time_field_.empty()) return;
  if (const auto text = json_field(from.raw, time_field_, time_scratch_)) {
    row.event_time = time_of(*text);
  }
}

}  // namespace millrace::ingest
