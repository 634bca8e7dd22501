// millrace predict PIPELINE: a file scored to a file, by the same path as the stream.
#include <memory>

#include "app/bad_lines.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "app/session.h"
#include "base/csv_cell.h"
#include "base/human.h"
#include "engine/file_rows.h"
#include "engine/keyed_state.h"
#include "engine/record_scorer.h"
#include "json/json.h"

namespace millrace::app {
namespace {

// Rows scored together.
constexpr std::size_t kChunkRows = 1000;

struct Options {
  std::string pipeline;
  std::string data;
  std::string out;
  std::string model;
  std::string model_path;
  std::string predictor;
  bool allow_invalid = false;
};

// A chunk of rows: their messages, and what of them could not even be read.
struct Chunk {
  Arena arena{std::size_t{1} << 20};
  std::vector<log::Record> records;                   // of the readable rows
  std::vector<std::int64_t> lines;                    // of all rows
  std::vector<std::optional<std::size_t>> record_of;  // row -> index into records
  std::vector<std::string> unreadable;                // row -> reason, for rows without a record
  std::vector<std::string_view> input;                // row -> its columns as CSV

  void clear() {
    arena.clear();
    records.clear();
    lines.clear();
    record_of.clear();
    unreadable.clear();
    input.clear();
  }
};

std::string all_messages(const data::RecordErrors& errors) {
  std::string text;
  for (const data::RecordError& error : errors)
    text += (text.empty() ? "" : "; ") + error.message();
  return text;
}

class Predicting {
 public:
  Predicting(Session& session, const spec::Pipeline& pipeline, engine::RecordScorer& scorer,
             OutputFile& out, bool csv)
      : session_(session), pipeline_(pipeline), scorer_(scorer), out_(out), csv_(csv) {
    if (pipeline.forecast) {
      keys_.emplace(scorer.state_doubles(),
                    engine::KeyLimits{pipeline.series.keys_max, pipeline.series.evict_after});
    }
  }

  Status run(engine::FileRows& rows) {
    if (csv_) {
      columns_ = codec::has_columns(rows.format()) ? rows.columns() : pipeline_.schema.names();
      MILLRACE_TRY(write_header());
    }
    while (true) {
      MILLRACE_ASSIGN(const bool more, fill(rows));
      MILLRACE_TRY(write_chunk());
      if (!more || session_.output_closed()) return {};
      if (session_.stop().requested())
        return Error(ErrorCode::kInterrupted, "stopped; the output is not whole");
    }
  }

  std::uint64_t predicted = 0;
  std::uint64_t bad = 0;
  double probability_sum = 0;
  std::vector<engine::BadLine> bad_lines;

 private:
  Result<bool> fill(engine::FileRows& rows) {
    chunk_.clear();
    while (chunk_.lines.size() < kChunkRows) {
      MILLRACE_ASSIGN(const std::optional<engine::FileRows::Row> row, rows.next());
      if (!row) return false;
      chunk_.lines.push_back(row->line);
      chunk_.input.push_back(csv_ ? chunk_.arena.copy(input_columns(*row)) : std::string_view());
      chunk_.unreadable.push_back(row->errors != nullptr ? all_messages(*row->errors) : "");
      if (row->errors != nullptr) {
        chunk_.record_of.emplace_back();
        continue;
      }
      chunk_.record_of.emplace_back(chunk_.records.size());
      log::Record record;
      record.timestamp = session_.clock().now();
      record.value = chunk_.arena.copy(row->message);
      if (keys_) record.key = key_of(record);
      chunk_.records.push_back(record);
    }
    return true;
  }

  // The key that `produce` would give it; "" of what cannot be read.
  std::string_view key_of(const log::Record& record) {
    return chunk_.arena.copy(scorer_.field_texts(record, {pipeline_.input.key}).front());
  }

  // The cells of a CSV, or the fields of a JSON object that the schema names; commas between, and
  // nothing but commas for a row that cannot be read.
  std::string input_columns(const engine::FileRows::Row& row) const {
    std::string line;
    const json::Value object = row.cells.empty() && row.errors == nullptr
                                   ? json::parse(row.message, "row").value_or(json::Value())
                                   : json::Value();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += ',';
      if (i < row.cells.size()) {
        append_csv_verbatim(line, row.cells[i]);
      } else if (const auto found = object.find(columns_[i]); found != object.end()) {
        append_csv_verbatim(line, found->is_string() ? found->get_ref<const std::string&>()
                                  : found->is_null() ? std::string()
                                                     : json::to_line(*found));
      }
    }
    return line;
  }

  Status write_header() {
    std::string line;
    for (const std::string& column : columns_) {
      append_csv_verbatim(line, column);
      line += ',';
    }
    for (const std::string& column : answer_columns()) line += column + ",";
    return out_.write(line + "error\n");
  }

  std::vector<std::string> answer_columns() const {
    if (pipeline_.forecast) {
      return {"forecast_ts", "forecast",         "lower",         "upper",
              "status",      "readings_missing", "model_version", "processed_ts"};
    }
    return {pipeline_.output.label_field, pipeline_.output.probability_field, "model_version",
            "processed_ts"};
  }

  Status write_chunk() {
    scorer_.score(chunk_.records, session_.clock().steady(), scored_, keys_ ? &*keys_ : nullptr);
    if (keys_) {
      keys_->freeze();
      keys_->settle();
      keys_->evict();
    }
    std::string text;
    for (std::size_t i = 0; i < chunk_.lines.size(); ++i) {
      std::string why = chunk_.unreadable[i];
      const engine::ScoredRecord* scored = nullptr;
      if (chunk_.record_of[i]) {
        const engine::ScoredRecord& record = scored_.records[*chunk_.record_of[i]];
        if (record.outcome == engine::Outcome::kPredicted) scored = &record;
        if (record.outcome == engine::Outcome::kDeadLetter)
          why = all_messages(scored_.errors[record.errors]);
      }
      count(i, scored, why);
      if (csv_) {
        append_csv_row(text, i, scored, why);
      } else if (scored != nullptr) {
        text.append(scored->message).append("\n");
      } else {
        json::Value object;
        object["line"] = chunk_.lines[i];
        object["error"] = why;
        text += json::to_line(object) + "\n";
      }
    }
    return out_.write(text);
  }

  void count(std::size_t row, const engine::ScoredRecord* scored, const std::string& why) {
    if (scored != nullptr) {
      ++predicted;
      probability_sum += scored->probability;
      return;
    }
    ++bad;
    if (bad_lines.size() < engine::kBadLinesKeptMax) bad_lines.push_back({chunk_.lines[row], why});
  }

  // The input's columns, then the prediction.
  void append_csv_row(std::string& text, std::size_t row, const engine::ScoredRecord* scored,
                      const std::string& why) {
    text.append(chunk_.input[row]).append(",");
    if (scored != nullptr && pipeline_.forecast) {
      // The message has them as published.
      const json::Value message =
          json::parse(scored->message, "a forecast").value_or(json::Value::object());
      for (const std::string& column : answer_columns()) {
        const json::Value value = message.value(column, json::Value());
        append_csv_cell(text, value.is_null()     ? std::string()
                              : value.is_string() ? value.get<std::string>()
                                                  : json::to_line(value));
        text += ",";
      }
      text += "\n";
    } else if (scored != nullptr) {
      const auto& levels = pipeline_.schema.field(*pipeline_.schema.label()).values;
      const std::size_t positive = pipeline_.positive_code();
      append_csv_cell(text, levels[scored->positive ? positive : 1 - positive]);
      text += "," + json::to_line(scored->probability) + "," + scorer_.model_version() + "," +
              env::format_rfc3339(session_.clock().now()) + ",\n";
    } else {
      text.append(answer_columns().size(), ',');
      append_csv_cell(text, why);
      text += "\n";
    }
  }

  Session& session_;
  const spec::Pipeline& pipeline_;
  engine::RecordScorer& scorer_;
  OutputFile& out_;
  bool csv_;
  std::optional<engine::KeyedState> keys_;  // of a pipeline that forecasts
  std::vector<std::string> columns_;        // of the input, in CSV output
  Chunk chunk_;
  engine::ScoredBatch scored_;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const spec::Pipeline& pipeline = loaded.pipeline;
  const model::Registry registry = session.registry();
  MILLRACE_ASSIGN(const model::LoadedModel model, options.model_path.empty()
                                                      ? registry.load(pipeline.name, options.model)
                                                      : registry.load_folder(options.model_path));
  engine::ScorerOptions scorer_options;
  scorer_options.predictor = options.predictor;
  MILLRACE_ASSIGN(engine::RecordScorer scorer,
                  engine::RecordScorer::make(pipeline, model, session.clock(), scorer_options));
  MILLRACE_ASSIGN(engine::FileRows rows,
                  engine::FileRows::open(pipeline, options.data, session.stop()));
  const bool csv = options.out.ends_with(".csv");
  MILLRACE_ASSIGN(OutputFile out, OutputFile::open(session, options.out));
  Predicting predicting(session, pipeline, scorer, out, csv);
  MILLRACE_TRY(predicting.run(rows));
  MILLRACE_TRY(out.close());
  say_bad_lines(session, predicting.bad_lines, predicting.bad);
  if (!out.is_stdout()) {
    json::Value result;
    result["predicted"] = predicting.predicted;
    result["bad_rows"] = predicting.bad;
    result["model_version"] = scorer.model_version();
    result["out"] = options.out;
    MILLRACE_TRY(session.finish(result, human_count(predicting.predicted, "row", "rows") +
                                            " predicted with model " + scorer.model_version() +
                                            ", " +
                                            human_count(predicting.bad, "bad row", "bad rows") +
                                            "; written to " + options.out));
  }
  return predicting.bad > 0 && !options.allow_invalid ? exit_code_of(ErrorCode::kBadData) : 0;
}

}  // namespace

void register_predict(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("predict", "Score a file to a file: one line for every row, in order",
               "millrace predict air-quality --data AirQualityUCI.csv --out forecasts.csv\n"
               "millrace predict telco-churn --data customers.csv --out scored.csv   input columns "
               "+ predictions\n"
               "millrace predict telco-churn --data customers.csv                    NDJSON on "
               "standard output")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
      .value("--data,--dataset-path", &options->data,
             "CSV, NDJSON or Parquet file, or - for standard input")
      .value("--out", &options->out,
             "Output: .csv is the input's columns and the prediction, anything else NDJSON "
             "(default: -)")
      .value("--model", &options->model, "Model version, or its number (default: the current one)")
      .value("--model-path", &options->model_path, "Folder of a model outside --home")
      .value("--predictor", &options->predictor,
             "Prediction engine (default: the fastest; all are exact)")
      .flag("--allow-invalid", &options->allow_invalid, "Exit 0 although rows could not be scored")
      .prints_records([options] { return options->out.empty() || options->out == "-"; })
      .runs([options](Session& session) -> Result<int> {
        if (options->data.empty())
          return Error(ErrorCode::kUsage, "--data FILE is needed (or - for standard input)");
        return run(session, *options);
      });
}

}  // namespace millrace::app
