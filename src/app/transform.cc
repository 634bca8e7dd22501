// millrace transform PIPELINE: the feature matrix of a file, as the model sees it.
#include <algorithm>
#include <memory>

#include "app/bad_lines.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/forecasting.h"
#include "app/output_file.h"
#include "app/session.h"
#include "base/csv_cell.h"
#include "base/human.h"
#include "codec/parquet_writer.h"
#include "engine/labelled_table.h"
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

Status write_matrix(const features::Transform& transform, const engine::LabelledTable& table,
                    const std::string& label, OutputFile& out) {
  std::string text;
  for (const std::string& name : transform.names()) {
    if (!text.empty()) text += ',';
    append_csv_cell(text, name);
  }
  if (!label.empty()) text += "," + label;
  text += "\n";
  std::vector<double> row(transform.columns());
  data::RecordErrors errors;
  constexpr std::size_t kFlush = std::size_t{1} << 20;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    errors.clear();
    if (!transform.apply(table.cells.row(i), row, errors)) {
      return Error(ErrorCode::kBadData,
                   "row " + std::to_string(i) + ": " + errors.front().message());
    }
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c > 0) text += ',';
      if (row[c] == row[c]) json::append_number(text, row[c]);  // a missing value is an empty cell
    }
    if (!label.empty()) text += "," + std::to_string(table.labels[i]);
    text += '\n';
    if (text.size() >= kFlush) {
      MILLRACE_TRY(out.write(text));
      text.clear();
    }
  }
  return out.write(text);
}

// Doubles, a missing value as null; the label as a whole number.
Status write_parquet(const features::Transform& transform, const engine::LabelledTable& table,
                     const std::string& label, const env::Path& path) {
  constexpr std::size_t kGroupValuesMax = std::size_t{4} << 20;
  std::vector<codec::ColumnHead> heads;
  for (const std::string& name : transform.names()) {
    heads.push_back({name, codec::ColumnKind::kNumber});
  }
  if (!label.empty()) heads.push_back({label, codec::ColumnKind::kInteger});
  if (heads.empty()) return Error(ErrorCode::kConfig, "the pipeline makes no features");
  std::vector<codec::ColumnValues> columns;
  for (const codec::ColumnHead& head : heads) columns.emplace_back(head.kind);
  MILLRACE_ASSIGN(auto file,
                  codec::ParquetWriter::create(path, heads, codec::Compression::kSnappy));
  const std::size_t group_rows = std::max<std::size_t>(1, kGroupValuesMax / heads.size());
  std::vector<double> row(transform.columns());
  data::RecordErrors errors;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    errors.clear();
    if (!transform.apply(table.cells.row(i), row, errors)) {
      return Error(ErrorCode::kBadData,
                   "row " + std::to_string(i) + ": " + errors.front().message());
    }
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (row[c] == row[c]) {
        columns[c].add_number(row[c]);
      } else {
        columns[c].add_null();
      }
    }
    if (!label.empty()) columns.back().add_integer(table.labels[i]);
    if (columns.front().rows() < group_rows) continue;
    MILLRACE_TRY(file.write(columns));
    for (codec::ColumnValues& column : columns) column.clear();
  }
  if (columns.front().rows() > 0) MILLRACE_TRY(file.write(columns));
  MILLRACE_TRY(file.finish());
  return file.commit();
}

Result<int> run(Session& session, const Options& options) {
  if (options.data.empty())
    return Error(ErrorCode::kUsage, "--data FILE is needed (or - for standard input)");
  const bool parquet = options.out.ends_with(".parquet");
  if (parquet) MILLRACE_TRY(codec::parquet_available());
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  MILLRACE_TRY(need_label(loaded.pipeline, "transform"));
  const auto labels = options.label ? engine::Labels::kRequired : engine::Labels::kIgnored;
  MILLRACE_ASSIGN(
      const engine::LabelledTable table,
      engine::read_labelled_table(loaded.pipeline, options.data, labels, session.stop()));
  MILLRACE_ASSIGN(const features::Transform transform,
                  transform_of(session, loaded.pipeline, options, table));
  const std::string label = options.label
                                ? loaded.pipeline.schema.field(*loaded.pipeline.schema.label()).name
                                : std::string();
  if (parquet) {
    MILLRACE_TRY(write_parquet(transform, table, label, options.out));
  } else {
    MILLRACE_ASSIGN(OutputFile out, OutputFile::open(session, options.out));
    MILLRACE_TRY(write_matrix(transform, table, label, out));
    MILLRACE_TRY(out.close());
  }
  say_bad_lines(session, table.bad, table.bad_rows);
  if (!options.out.empty() && options.out != "-") {
    json::Value result;
    result["rows"] = table.rows();
    result["columns"] = transform.columns();
    result["bad_rows"] = table.bad_rows;
    result["fingerprint"] = transform.fingerprint();
    result["out"] = options.out;
    MILLRACE_TRY(session.finish(result, human_count(table.rows()) + " rows x " +
                                            std::to_string(transform.columns()) +
                                            " columns written to " + options.out));
  }
  return table.bad_rows > 0 && !options.allow_invalid ? exit_code_of(ErrorCode::kBadData) : 0;
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
      .flag("--label", &options->label, "Add the label as 0/1 in the last column")
      .flag("--allow-invalid", &options->allow_invalid, "Exit 0 although bad rows were skipped")
      .prints_records([options] { return options->out.empty() || options->out == "-"; })
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
