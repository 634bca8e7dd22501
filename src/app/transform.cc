// millrace transform PIPELINE: the feature matrix of a file, as the model sees it.
#include <algorithm>
#include <functional>
#include <memory>
#include <span>

#include "app/bad_lines.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "app/session.h"
#include "base/csv_cell.h"
#include "base/human.h"
#include "codec/parquet_writer.h"
#include "engine/labelled_table.h"
#include "engine/series_table.h"
#include "features/series_transform.h"
#include "json/json.h"
#include "json/text.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::string data;
  std::string out;
  std::string model;
  bool fit = false;
  bool label = false;
  bool allow_invalid = false;
};

// The model's transform, or one fitted on this very file.
Result<features::Transform> transform_of(Session& session, const spec::Pipeline& pipeline,
                                         const Options& options,
                                         const engine::LabelledTable& table) {
  if (!options.fit) {
    MILLRACE_ASSIGN(const model::LoadedModel model,
                    session.registry().load(pipeline.name, options.model));
    return features::Transform::from_json(model.manifest.transform, pipeline.schema);
  }
  std::vector<std::size_t> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  return features::Transform::fit(pipeline.features, pipeline.schema, table.cells, rows);
}

// What a file becomes, a row at a time.
struct Matrix {
  std::vector<std::string> names;
  std::string label;  // "": without
  codec::ColumnKind label_kind = codec::ColumnKind::kInteger;
  std::size_t rows = 0;
  // Fills the features of a row and returns its label.
  std::function<Result<double>(std::size_t, std::span<double>)> row;
};

Status write_csv(const Matrix& matrix, OutputFile& out) {
  std::string text;
  for (const std::string& name : matrix.names) {
    if (!text.empty()) text += ',';
    append_csv_cell(text, name);
  }
  if (!matrix.label.empty()) text += "," + matrix.label;
  text += "\n";
  std::vector<double> row(matrix.names.size());
  constexpr std::size_t kFlush = std::size_t{1} << 20;
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    MILLRACE_ASSIGN(const double label, matrix.row(i, row));
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c > 0) text += ',';
      if (row[c] == row[c]) json::append_number(text, row[c]);  // a missing value is an empty cell
    }
    if (!matrix.label.empty()) text += ',';
    if (!matrix.label.empty() && label == label) json::append_number(text, label);
    text += '\n';
    if (text.size() >= kFlush) {
      MILLRACE_TRY(out.write(text));
      text.clear();
    }
  }
  return out.write(text);
}

// Doubles, a missing value as null.
Status write_parquet(const Matrix& matrix, const env::Path& path) {
  constexpr std::size_t kGroupValuesMax = std::size_t{4} << 20;
  std::vector<codec::ColumnHead> heads;
  for (const std::string& name : matrix.names) {
    heads.push_back({name, codec::ColumnKind::kNumber});
  }
  if (!matrix.label.empty()) heads.push_back({matrix.label, matrix.label_kind});
  if (heads.empty()) return Error(ErrorCode::kConfig, "the pipeline makes no features");
  std::vector<codec::ColumnValues> columns;
  for (const codec::ColumnHead& head : heads) columns.emplace_back(head.kind);
  MILLRACE_ASSIGN(auto file,
                  codec::ParquetWriter::create(path, heads, codec::Compression::kSnappy));
  const std::size_t group_rows = std::max<std::size_t>(1, kGroupValuesMax / heads.size());
  std::vector<double> row(matrix.names.size());
  const auto add = [](codec::ColumnValues& column, double value, codec::ColumnKind kind) {
    if (value != value) {
      column.add_null();
    } else if (kind == codec::ColumnKind::kInteger) {
      column.add_integer(static_cast<std::int64_t>(value));
    } else {
      column.add_number(value);
    }
  };
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    MILLRACE_ASSIGN(const double label, matrix.row(i, row));
    for (std::size_t c = 0; c < row.size(); ++c)
      add(columns[c], row[c], codec::ColumnKind::kNumber);
    if (!matrix.label.empty()) add(columns.back(), label, matrix.label_kind);
    if (columns.front().rows() < group_rows) continue;
    MILLRACE_TRY(file.write(columns));
    for (codec::ColumnValues& column : columns) column.clear();
  }
  if (columns.front().rows() > 0) MILLRACE_TRY(file.write(columns));
  MILLRACE_TRY(file.finish());
  return file.commit();
}

Status write(Session& session, const Matrix& matrix, const std::string& path) {
  if (path.ends_with(".parquet")) return write_parquet(matrix, path);
  MILLRACE_ASSIGN(OutputFile out, OutputFile::open(session, path));
  MILLRACE_TRY(write_csv(matrix, out));
  return out.close();
}

// What is said in the end.
struct Done {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::string fingerprint;
  std::vector<engine::BadLine> bad;
  std::uint64_t bad_rows = 0;
};

Result<Done> transform_labelled(Session& session, const spec::Pipeline& pipeline,
                                const Options& options) {
  const auto labels = options.label ? engine::Labels::kRequired : engine::Labels::kIgnored;
  MILLRACE_ASSIGN(engine::LabelledTable table,
                  engine::read_labelled_table(pipeline, options.data, labels, session.stop()));
  MILLRACE_ASSIGN(const features::Transform transform,
                  transform_of(session, pipeline, options, table));
  Matrix matrix;
  matrix.names = transform.names();
  if (options.label) matrix.label = pipeline.schema.field(*pipeline.schema.label()).name;
  matrix.rows = table.rows();
  data::RecordErrors errors;
  matrix.row = [&](std::size_t i, std::span<double> row) -> Result<double> {
    errors.clear();
    if (!transform.apply(table.cells.row(i), row, errors)) {
      return Error(ErrorCode::kBadData,
                   "row " + std::to_string(i) + ": " + errors.front().message());
    }
    return options.label ? table.labels[i] : 0.0;
  };
  MILLRACE_TRY(write(session, matrix, options.out));
  return Done{table.rows(), transform.columns(), transform.fingerprint(), std::move(table.bad),
              table.bad_rows};
}

// Features of series: nothing is fitted. The label is what came to be at the horizon.
Result<Done> transform_series(Session& session, const spec::Pipeline& pipeline,
                              const Options& options) {
  MILLRACE_ASSIGN(const auto transform,
                  features::SeriesTransform::make(pipeline.series.plan, pipeline.schema));
  MILLRACE_ASSIGN(engine::SeriesTable table,
                  engine::read_series_table(pipeline, transform, options.data, session.stop()));
  Matrix matrix;
  matrix.names = transform.names();
  const spec::ForecastSpec& forecast = *pipeline.forecast;
  if (options.label) matrix.label = forecast.target + "_tplus" + std::to_string(forecast.horizon);
  matrix.label_kind = codec::ColumnKind::kNumber;
  matrix.rows = table.rows();
  matrix.row = [&](std::size_t i, std::span<double> row) -> Result<double> {
    const auto features = table.features.row(i);
    std::copy(features.begin(), features.end(), row.begin());
    return table.target[i];
  };
  MILLRACE_TRY(write(session, matrix, options.out));
  return Done{table.rows(), transform.columns(), transform.fingerprint(), std::move(table.bad),
              table.bad_rows};
}

Result<int> run(Session& session, const Options& options) {
  if (options.data.empty())
    return Error(ErrorCode::kUsage, "--data FILE is needed (or - for standard input)");
  if (options.out.ends_with(".parquet")) MILLRACE_TRY(codec::parquet_available());
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_ASSIGN(const Done done, loaded.pipeline.forecast
                                       ? transform_series(session, loaded.pipeline, options)
                                       : transform_labelled(session, loaded.pipeline, options));
  say_bad_lines(session, done.bad, done.bad_rows);
  if (!options.out.empty() && options.out != "-") {
    json::Value result;
    result["rows"] = done.rows;
    result["columns"] = done.columns;
    result["bad_rows"] = done.bad_rows;
    result["fingerprint"] = done.fingerprint;
    result["out"] = options.out;
    MILLRACE_TRY(session.finish(result, human_count(done.rows) + " rows x " +
                                            std::to_string(done.columns) + " columns written to " +
                                            options.out));
  }
  return done.bad_rows > 0 && !options.allow_invalid ? exit_code_of(ErrorCode::kBadData) : 0;
}

}  // namespace

void register_transform(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("transform",
               "Write the feature matrix of a file, the very numbers that the model sees",
               "millrace transform telco-churn --data customers.csv --out features.csv\n"
               "millrace transform telco-churn --data customers.csv --fit --label --out train.csv")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
      .value("--data,--dataset-path", &options->data,
             "CSV, NDJSON or Parquet file, or - for standard input")
      .value("--out", &options->out,
             "CSV file, or Parquet by its ending .parquet (default: CSV on standard output)")
      .value("--model", &options->model,
             "Use this model's fitted features (default: the current one's)")
      .flag("--fit", &options->fit, "Fit the features on this file instead")
      .flag("--label", &options->label,
            "Add the label as 0/1 in the last column (of a forecast: the target at its horizon)")
      .flag("--allow-invalid", &options->allow_invalid, "Exit 0 although bad rows were skipped")
      .prints_records([options] { return options->out.empty() || options->out == "-"; })
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
