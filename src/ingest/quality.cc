#include "ingest/quality.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "codec/row_decoder.h"
#include "ingest/internal/row_source.h"
#include "json/json.h"
#include "json/text.h"

namespace millrace::ingest {
namespace {

// Running figures of one column; mean and variance by Welford's method.
class Column {
 public:
  explicit Column(const data::Field& field) {
    quality_.name = field.name;
    quality_.type = std::string(data::to_string(field.type));
    numeric_ = data::is_numeric(field.type);
  }

  void add_missing() {
    ++quality_.total;
    ++quality_.missing;
    quality_.longest_gap = std::max(quality_.longest_gap, ++gap_);
  }

  // Steps of the series that have no row.
  void skip(std::uint64_t steps) {
    gap_ += steps;
    quality_.longest_gap = std::max(quality_.longest_gap, gap_);
  }

  void add(const data::Cell& cell) {
    ++quality_.total;
    gap_ = 0;
    if (cell.state == data::CellState::kInvalid) ++quality_.invalid;
    if (!numeric_ || cell.state != data::CellState::kNumber) return;
    const double x = cell.number;
    quality_.min = quality_.numbers == 0 ? x : std::min(quality_.min, x);
    quality_.max = quality_.numbers == 0 ? x : std::max(quality_.max, x);
    ++quality_.numbers;
    const double from_mean = x - quality_.mean;
    quality_.mean += from_mean / static_cast<double>(quality_.numbers);
    squares_ += from_mean * (x - quality_.mean);
  }

  ColumnQuality result() const {
    ColumnQuality quality = quality_;
    if (quality.numbers > 1) {
      quality.std_dev = std::sqrt(squares_ / static_cast<double>(quality.numbers - 1));
    }
    return quality;
  }

 private:
  ColumnQuality quality_;
  bool numeric_ = false;
  std::uint64_t gap_ = 0;
  double squares_ = 0;
};

// Errors that say that a value is not there, rather than wrong.
bool says_missing(data::RecordCode code) {
  return code == data::RecordCode::kNullValue || code == data::RecordCode::kBlankValue ||
         code == data::RecordCode::kMissingField;
}

class Measurement {
 public:
  Measurement(const spec::Pipeline& pipeline, const std::vector<std::string>& file_columns)
      : schema_(pipeline.schema), cells_(schema_.size()), absent_(schema_.size()) {
    const data::Schema& schema = schema_;
    if (pipeline.csv.timestamp && pipeline.csv.timestamp->step.count() > 0) {
      time_ = schema.find(pipeline.csv.timestamp->field);
      step_ = pipeline.csv.timestamp->step;
    }
    for (std::size_t i = 0; i < schema.size(); ++i) {
      const std::string& name = schema.field(i).name;
      const bool there = file_columns.empty() || std::find(file_columns.begin(), file_columns.end(),
                                                           name) != file_columns.end();
      columns_.push_back(there ? std::optional<Column>(schema.field(i)) : std::nullopt);
    }
  }

  void add(codec::RowDecoder& decoder, const codec::TableRow& row) {
    errors_.clear();
    std::fill(absent_.begin(), absent_.end(), 0);
    if (!decoder.decode(row, cells_, errors_)) {
      for (const data::RecordError& error : errors_) {
        if (!says_missing(error.code)) continue;
        if (const auto index = schema_.find(error.field)) absent_[*index] = 1;
      }
    }
    skip_absent_steps();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i]) continue;
      if (absent_[i] != 0 || cells_[i].state == data::CellState::kMissing) {
        columns_[i]->add_missing();
      } else {
        columns_[i]->add(cells_[i]);
      }
    }
  }

  std::uint64_t absent_steps() const { return absent_steps_; }

  std::vector<ColumnQuality> results() const {
    std::vector<ColumnQuality> all;
    for (const auto& column : columns_) {
      if (column) all.push_back(column->result());
    }
    return all;
  }

 private:
  // Where times jump, the hours in between are gaps of every column.
  void skip_absent_steps() {
    if (!time_ || cells_[*time_].state != data::CellState::kText) return;
    const std::int64_t now = cells_[*time_].time_ms;
    const std::int64_t steps = last_ms_ ? (now - *last_ms_) / step_.count() - 1 : 0;
    last_ms_ = now;
    if (steps <= 0) return;
    absent_steps_ += static_cast<std::uint64_t>(steps);
    for (auto& column : columns_) {
      if (column) column->skip(static_cast<std::uint64_t>(steps));
    }
  }

  const data::Schema& schema_;
  std::optional<std::size_t> time_;  // the field whose steps are known
  Milliseconds step_{0};
  std::optional<std::int64_t> last_ms_;
  std::uint64_t absent_steps_ = 0;
  std::vector<std::optional<Column>> columns_;  // by field; nothing where the file has no such one
  std::vector<data::Cell> cells_;
  std::vector<char> absent_;
  data::RecordErrors errors_;
};

}  // namespace

Result<QualityReport> measure_quality(const spec::Pipeline& pipeline, const std::string& path,
                                      const env::StopToken& stop) {
  const codec::TableFormat format = codec::format_of_path(path);
  MILLRACE_ASSIGN(codec::TableReader reader,
                  codec::TableReader::open(path, format, pipeline.csv, pipeline.schema, &stop));
  MILLRACE_ASSIGN(
      codec::RowDecoder decoder,
      codec::RowDecoder::make(pipeline.schema, reader.columns(), pipeline.csv,
                              codec::Purpose::kScoring, pipeline.input.decode_limits()));
  QualityReport report;
  report.source = path == "-" ? "standard input" : path;
  Measurement measurement(pipeline, reader.columns());
  codec::TableRow row;
  while (true) {
    if (stop.requested()) return Error(ErrorCode::kInterrupted, "Stopped while reading " + path);
    MILLRACE_ASSIGN(const bool more, reader.read(row));
    if (!more) break;
    if (row.errors.empty()) {
      ++report.rows;
      measurement.add(decoder, row);
      continue;
    }
    ++report.bad_rows;
    if (report.bad.size() < kBadRowsKeptMax) {
      report.bad.push_back({row.line, problem_of(row.errors)});
    }
  }
  report.absent_steps = measurement.absent_steps();
  report.columns = measurement.results();
  return report;
}

json::Value to_json(const QualityReport& report) {
  json::Value value = json::Value::object();
  value["source"] = report.source;
  value["rows"] = report.rows;
  value["bad_rows"] = report.bad_rows;
  value["absent_steps"] = report.absent_steps;
  json::Value columns = json::Value::array();
  for (const ColumnQuality& column : report.columns) {
    json::Value one = json::Value::object();
    one["column"] = column.name;
    one["type"] = column.type;
    one["total"] = column.total;
    one["missing"] = column.missing;
    one["pct_missing"] = std::round(column.missing_percent() * 100) / 100;
    one["invalid"] = column.invalid;
    one["longest_gap"] = column.longest_gap;
    const bool measured = column.numbers > 0;
    one["mean"] = measured ? json::Value(column.mean) : json::Value();
    one["std"] = measured ? json::Value(column.std_dev) : json::Value();
    one["min"] = measured ? json::Value(column.min) : json::Value();
    one["max"] = measured ? json::Value(column.max) : json::Value();
    columns.push_back(std::move(one));
  }
  value["columns"] = std::move(columns);
  json::Value bad = json::Value::array();
  for (const BadRow& row : report.bad) {
    bad.push_back({{"line", row.line}, {"message", row.message}});
  }
  value["bad"] = std::move(bad);
  return value;
}

namespace {

// A cell of a CSV, quoted where it must be.
void append_cell(std::string& out, const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

}  // namespace

std::string to_csv(const QualityReport& report) {
  std::string out = "column,total,missing,pct_missing,mean,std,min,max,longest_gap,invalid,type\n";
  for (const ColumnQuality& column : report.columns) {
    append_cell(out, column.name);
    out += "," + std::to_string(column.total) + "," + std::to_string(column.missing) + ",";
    json::append_number(out, std::round(column.missing_percent() * 100) / 100);
    for (const double figure : {column.mean, column.std_dev, column.min, column.max}) {
      out += ',';
      if (column.numbers > 0) json::append_number(out, figure);
    }
    out += "," + std::to_string(column.longest_gap) + "," + std::to_string(column.invalid) + "," +
           column.type + "\n";
  }
  return out;
}

}  // namespace millrace::ingest
