// What check.py compares with scikit-learn: our features, probabilities and metrics of the telco
// data on fixed splits, by the shipped pipeline.
//   quality_scores PIPELINE.yaml DATA.csv SPLITS.txt OUT_FOLDER
// Writes split-<n>.json (test rows' labels and probabilities, metrics) for each line of SPLITS but
// the last, and features-<name>.json for the last, the reference system's split.
#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "codec/row_decoder.h"
#include "codec/table_reader.h"
#include "env/file.h"
#include "json/json.h"
#include "spec/pipeline.h"
#include "train/trainer.h"

namespace millrace {
namespace {

constexpr std::uint64_t kSplitsBytesMax = 1 << 20;

Result<features::CellTable> read_table(const spec::Pipeline& pipeline, const std::string& path) {
  MILLRACE_ASSIGN(auto reader, codec::TableReader::open(path, codec::TableFormat::kCsv,
                                                        pipeline.csv, pipeline.schema));
  MILLRACE_ASSIGN(auto decoder, codec::RowDecoder::make(pipeline.schema, reader.columns(),
                                                        pipeline.csv, codec::Purpose::kTraining));
  features::CellTable table(pipeline.schema.size());
  std::vector<data::Cell> cells(pipeline.schema.size());
  data::RecordErrors errors;
  while (true) {
    MILLRACE_ASSIGN(const auto row, reader.next());
    if (!row) return table;
    if (!decoder.decode(*row, cells, errors)) {
      return Error(ErrorCode::kBadData,
                   "line " + std::to_string(row->line) + ": " + errors.front().message());
    }
    table.add_row(cells);
  }
}

// A line of the splits file (make_splits.py): a bit a row, 1 = test.
Result<eval::Split> parse_split(std::string_view line, std::size_t rows) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  eval::Split split;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t digit =
        row / 4 < line.size() ? kDigits.find(line[row / 4]) : std::string_view::npos;
    if (digit == std::string_view::npos) return Error(ErrorCode::kBadData, "a split is cut short");
    ((digit >> (3 - row % 4) & 1) == 1 ? split.test : split.train).push_back(row);
  }
  return split;
}

Result<std::vector<eval::Split>> read_splits(const std::string& path, std::size_t rows) {
  MILLRACE_ASSIGN(const std::string text, env::read_file(path, kSplitsBytesMax));
  std::vector<eval::Split> splits;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    MILLRACE_ASSIGN(auto split,
                    parse_split(std::string_view(text).substr(start, end - start), rows));
    splits.push_back(std::move(split));
    start = end + 1;
  }
  if (splits.size() < 2) return Error(ErrorCode::kBadData, "too few splits in " + path);
  return splits;
}

Result<json::Value> score_split(const spec::Pipeline& pipeline, const features::CellTable& table,
                                const std::vector<int>& labels, const eval::Split& split) {
  const train::TrainingInput input{pipeline.schema,
                                   pipeline.features,
                                   pipeline.model,
                                   table,
                                   labels,
                                   {},
                                   split,
                                   pipeline.output.probability_decimals,
                                   {}};
  MILLRACE_ASSIGN(const auto holdout, train::train_holdout(input));
  MILLRACE_ASSIGN(const auto batch,
                  train::feature_rows(holdout.model.transform, table, split.test));
  json::Value out;
  out["rows"] = split.test;
  out["labels"] = json::Value::array();
  for (const std::size_t row : split.test) out["labels"].push_back(labels[row]);
  out["probabilities"] = train::probabilities_of(holdout.model.ensemble, batch);
  out["columns"] = holdout.model.transform.names();
  out["metrics"] = holdout.metrics_holdout;
  return out;
}

// Operators over all fields of the telco schema, as scikit-learn has them too.
std::vector<std::pair<std::string, std::vector<features::Operator>>> feature_sets(
    const data::Schema& schema) {
  const std::vector<std::string> numbers = {"SeniorCitizen", "tenure", "MonthlyCharges",
                                            "TotalCharges"};
  std::vector<std::string> categories;
  for (const data::Field& field : schema.fields()) {
    if (field.type == data::FieldType::kCategory && !field.label) categories.push_back(field.name);
  }
  using features::Drop;
  using features::ImputeWith;
  return {{"reference",
           {features::Impute{numbers, ImputeWith::kMedian}, features::Standardize{numbers},
            features::OneHot{categories, Drop::kFirst}}},
          {"mean-ordinal",
           {features::Impute{numbers, ImputeWith::kMean}, features::Ordinal{categories}}},
          {"constant-binary",
           {features::Impute{numbers, ImputeWith::kConstant, -1.5},
            features::Standardize{{"tenure", "TotalCharges"}},
            features::OneHot{categories, Drop::kIfBinary}}}};
}

// Fitted on the training rows, applied to every row.
Result<json::Value> feature_matrix(const std::vector<features::Operator>& operators,
                                   const data::Schema& schema, const features::CellTable& table,
                                   const eval::Split& split) {
  MILLRACE_ASSIGN(const auto transform,
                  features::Transform::fit(operators, schema, table, split.train));
  std::vector<std::size_t> all(table.rows());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  MILLRACE_ASSIGN(const auto batch, train::feature_rows(transform, table, all));
  json::Value out;
  out["train"] = split.train;
  out["transform"] = transform.to_json();
  out["rows"] = json::Value::array();
  for (std::size_t i = 0; i < batch.rows(); ++i) {
    out["rows"].push_back(std::vector<double>(batch.row(i).begin(), batch.row(i).end()));
  }
  return out;
}

Status run(const std::string& pipeline_path, const std::string& data, const std::string& splits,
           const env::Path& out) {
  MILLRACE_ASSIGN(const auto loaded, spec::load_pipeline(pipeline_path));
  const spec::Pipeline& pipeline = loaded.pipeline;
  MILLRACE_ASSIGN(const auto table, read_table(pipeline, data));
  MILLRACE_ASSIGN(const auto labels,
                  train::binary_labels(pipeline.schema, table, pipeline.positive_code()));
  MILLRACE_ASSIGN(auto all_splits, read_splits(splits, table.rows()));
  MILLRACE_TRY(env::make_folders(out));
  const eval::Split reference = std::move(all_splits.back());
  all_splits.pop_back();
  for (std::size_t i = 0; i < all_splits.size(); ++i) {
    MILLRACE_ASSIGN(const auto scores, score_split(pipeline, table, labels, all_splits[i]));
    MILLRACE_TRY(env::write_file_atomic(out / ("split-" + std::to_string(i) + ".json"),
                                        json::to_line(scores)));
  }
  for (const auto& [name, operators] : feature_sets(pipeline.schema)) {
    MILLRACE_ASSIGN(const auto matrix,
                    feature_matrix(operators, pipeline.schema, table, reference));
    MILLRACE_TRY(
        env::write_file_atomic(out / ("features-" + name + ".json"), json::to_line(matrix)));
  }
  return {};
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: quality_scores PIPELINE.yaml DATA.csv SPLITS.txt OUT_FOLDER\n", stderr);
    return 2;
  }
  const millrace::Status status = millrace::run(argv[1], argv[2], argv[3], argv[4]);
  if (status) return 0;
  std::fprintf(stderr, "quality_scores: %s\n", status.error().message().c_str());
  return status.error().exit_code();
}
