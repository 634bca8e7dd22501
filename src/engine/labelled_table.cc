#include "engine/labelled_table.h"

#include "codec/record_decoder.h"
#include "engine/file_rows.h"

namespace millrace::engine {
namespace {

// What a good row adds besides its cells; false with an error when its weight cannot be used.
bool add_extras(const spec::Pipeline& pipeline, std::span<const data::Cell> cells, Labels wanted,
                LabelledTable& table, data::RecordErrors& errors) {
  const data::Schema& schema = pipeline.schema;
  if (!pipeline.sample_weight.empty()) {
    const data::Cell& cell = cells[*schema.find(pipeline.sample_weight)];
    if (cell.state != data::CellState::kNumber || cell.number <= 0) {
      errors.push_back(
          {data::RecordCode::kOutOfRange, pipeline.sample_weight, "a weight must be above 0"});
      return false;
    }
    table.weights.push_back(cell.number);
  }
  if (wanted == Labels::kRequired) {
    const data::Cell& cell = cells[*schema.label()];
    table.labels.push_back(cell.code == static_cast<std::int32_t>(pipeline.positive_code()) ? 1
                                                                                            : 0);
  }
  if (pipeline.split.kind == spec::SplitSpec::Kind::kHash) {
    const data::Cell& cell = cells[*schema.find(pipeline.split.key)];
    table.keys.push_back(cell.text.empty() && cell.state == data::CellState::kNumber
                             ? std::to_string(cell.number)
                             : std::string(cell.text));
  }
  return true;
}

}  // namespace

void BadLines::add(std::int64_t line, const data::RecordErrors& errors) {
  ++rows;
  if (kept.size() >= kBadLinesKeptMax) return;
  std::string text;
  for (const data::RecordError& error : errors)
    text += (text.empty() ? "" : "; ") + error.message();
  kept.push_back({line, std::move(text)});
}

Error no_good_row(const std::string& path, const std::vector<BadLine>& bad) {
  const std::string why =
      bad.empty() ? "it has no rows"
                  : "line " + std::to_string(bad.front().line) + ": " + bad.front().message;
  return Error(ErrorCode::kBadData, "no good row in " + path + " (" + why + ")");
}

Result<LabelledTable> read_labelled_table(const spec::Pipeline& pipeline, const std::string& path,
                                          Labels labels, env::StopToken& stop) {
  MILLRACE_ASSIGN(FileRows rows, FileRows::open(pipeline, path, stop));
  const auto purpose =
      labels == Labels::kRequired ? codec::Purpose::kTraining : codec::Purpose::kScoring;
  MILLRACE_ASSIGN(
      codec::RecordDecoder decoder,
      codec::RecordDecoder::make(pipeline.schema, purpose, pipeline.input.decode_limits()));
  LabelledTable table(pipeline.schema.size());
  BadLines bad{table.bad, table.bad_rows};
  std::vector<data::Cell> cells(pipeline.schema.size());
  data::RecordErrors errors;
  while (true) {
    if (stop.requested()) return Error(ErrorCode::kInterrupted, "stopped while reading " + path);
    MILLRACE_ASSIGN(const std::optional<FileRows::Row> row, rows.next());
    if (!row) break;
    errors.clear();
    if (row->errors != nullptr) {
      bad.add(row->line, *row->errors);
    } else if (!decoder.decode(row->message, cells, errors) ||
               !add_extras(pipeline, cells, labels, table, errors)) {
      bad.add(row->line, errors);
    } else {
      for (data::Cell& cell : cells) cell.text = {};
      table.cells.add_row(cells);
    }
  }
  if (table.rows() == 0) return no_good_row(path, table.bad);
  return table;
}

}  // namespace millrace::engine
