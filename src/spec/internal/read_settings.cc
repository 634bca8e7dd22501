#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "config/scalars.h"
#include "env/time_format.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

using config::Choice;
using config::IntegerRange;
using config::MapReader;
using config::NumberRange;
using model::TrainingParameters;

constexpr std::array kDeliveries = {Choice<Delivery>{"exactly_once", Delivery::kExactlyOnce},
                                    Choice<Delivery>{"at_least_once", Delivery::kAtLeastOnce}};
constexpr std::array kSplits = {
    Choice<SplitSpec::Kind>{"stratified", SplitSpec::Kind::kStratified},
    Choice<SplitSpec::Kind>{"hash", SplitSpec::Kind::kHash},
    Choice<SplitSpec::Kind>{"chronological", SplitSpec::Kind::kChronological}};
constexpr std::array kClassWeights = {
    Choice<model::ClassWeight>{"none", model::ClassWeight::kNone},
    Choice<model::ClassWeight>{"balanced", model::ClassWeight::kBalanced}};

constexpr IntegerRange kSeedRange{0, std::numeric_limits<std::int64_t>::max()};
constexpr std::size_t kTimestampColumnsMax = 16;
constexpr NumberRange kShare{.min = 0, .max = 1, .at_min = NumberRange::Min::kExcluded};
constexpr NumberRange kNotNegative{.min = 0, .max = 1e9};

struct CountKey {
  std::string_view key;
  std::uint32_t TrainingParameters::*member;
  IntegerRange range;
};
constexpr std::array kCounts = {
    CountKey{"trees", &TrainingParameters::trees, {1, 10'000}},
    CountKey{"depth", &TrainingParameters::depth, {1, 16}},
    CountKey{"bins", &TrainingParameters::bins, {2, 65'536}},
};

struct NumberKey {
  std::string_view key;
  double TrainingParameters::*member;
  NumberRange range;
};
constexpr std::array kNumbers = {
    NumberKey{"learning_rate", &TrainingParameters::learning_rate, kShare},
    NumberKey{"subsample", &TrainingParameters::subsample, kShare},
    NumberKey{"column_sample", &TrainingParameters::column_sample, kShare},
    NumberKey{"min_child_weight", &TrainingParameters::min_child_weight, kNotNegative},
    NumberKey{"l2", &TrainingParameters::l2, kNotNegative},
    NumberKey{"min_split_gain", &TrainingParameters::min_split_gain, kNotNegative},
    NumberKey{"threshold", &TrainingParameters::threshold, {.min = 0, .max = 1}},
};

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : between).append(word);
  return out;
}

constexpr std::array kObjectives = {
    Choice<model::Objective>{"binary", model::Objective::kBinary},
    Choice<model::Objective>{"regression", model::Objective::kRegression}};
constexpr std::array kLosses = {Choice<model::Loss>{"squared", model::Loss::kSquared},
                                Choice<model::Loss>{"absolute", model::Loss::kAbsolute},
                                Choice<model::Loss>{"pseudo_huber", model::Loss::kPseudoHuber}};

// The objective follows from what is predicted; a file that says another one is wrong.
void read_objective(MapReader& map, const Pipeline& pipeline, TrainingParameters& parameters) {
  const model::Objective wanted =
      pipeline.forecast ? model::Objective::kRegression : model::Objective::kBinary;
  parameters.objective = map.choice("objective", wanted, kObjectives);
  if (parameters.objective != wanted) {
    map.error("objective", pipeline.forecast
                               ? "a forecast is a regression ('objective: regression')"
                               : "a label is predicted by 'objective: binary'; "
                                 "regression needs a 'target' to forecast");
  }
  parameters.loss = map.choice("loss", model::Loss::kSquared, kLosses);
  parameters.huber_slope =
      map.number("huber_slope", parameters.huber_slope,
                 {.min = 0, .max = 1e9, .at_min = NumberRange::Min::kExcluded});
  if (map.has("loss") && !pipeline.forecast)
    map.error("loss", "'loss' is for 'objective: regression'");
  if (map.has("huber_slope") && parameters.loss != model::Loss::kPseudoHuber)
    map.error("huber_slope", "'huber_slope' is for 'loss: pseudo_huber'");
}

// What may be trained depends on what is predicted.
void read_algorithm(MapReader& map, const Pipeline& pipeline, TrainingParameters& parameters) {
  constexpr std::array<std::string_view, 4> kNotBuilt = {"random_forest", "logistic_regression",
                                                         "linear_regression", "persistence"};
  const std::string value = map.text("algorithm", "gradient_boosting");
  if (value == "gradient_boosting") return;
  if (value == "arima") {
    parameters.algorithm = model::Algorithm::kArima;
    if (!pipeline.forecast)
      map.error("algorithm", "'algorithm: arima' needs a 'target' to forecast");
    return;
  }
  std::vector<std::string> built = {"gradient_boosting"};
  if (pipeline.forecast) built.emplace_back("arima");
  if (std::find(kNotBuilt.begin(), kNotBuilt.end(), value) != kNotBuilt.end()) {
    map.error("algorithm", "'algorithm: " + value + "' is not built yet; " +
                               joined(built, " and ") + (built.size() == 1 ? " is" : " are"));
    return;
  }
  map.error("algorithm", "'algorithm': expected " + joined(built, " or ") + ", found '" +
                             printable(value, 60) + "'" + did_you_mean(value, built));
}

void read_model(MapReader& top, const Pipeline& pipeline, TrainingParameters& parameters) {
  MapReader map = top.map("model");
  read_algorithm(map, pipeline, parameters);
  read_objective(map, pipeline, parameters);
  for (const CountKey& row : kCounts) {
    std::uint32_t& value = parameters.*row.member;
    value = static_cast<std::uint32_t>(map.integer(row.key, value, row.range));
  }
  for (const NumberKey& row : kNumbers) {
    double& value = parameters.*row.member;
    value = map.number(row.key, value, row.range);
  }
  parameters.class_weight = map.choice("class_weight", model::ClassWeight::kNone, kClassWeights);
  parameters.seed = static_cast<std::uint64_t>(
      map.integer("seed", static_cast<std::int64_t>(parameters.seed), kSeedRange));
  map.finish();
}

constexpr std::array kScales = {Choice<eval::RangeScale>{"linear", eval::RangeScale::kLinear},
                                Choice<eval::RangeScale>{"log", eval::RangeScale::kLogarithmic}};

bool is_within(double value, const NumberRange& range) {
  const bool above =
      range.at_min == NumberRange::Min::kExcluded ? value > range.min : value >= range.min;
  return above && value <= range.max;
}

// What is tried of one parameter: a list of values, or {min, max, scale}. `of`: the key that has
// such values.
void read_dimension(MapReader& map, std::string_view key, std::string_view of,
                    const NumberRange& range, eval::RangeNumbers numbers,
                    eval::SearchSpace& space) {
  if (!map.has(key)) return;
  const std::size_t errors_before = map.reading().errors();
  std::vector<double> bounds;
  eval::Dimension dimension{std::string(key), eval::Choices{}};
  if (map.raw(key)->kind == config::NodeKind::kMap) {
    MapReader given = map.map(key);
    bounds = {given.number("min", range.min), given.number("max", range.max)};
    const auto scale = given.choice("scale", eval::RangeScale::kLinear, kScales);
    if (!given.has("min") || !given.has("max"))
      map.error(key, "'" + std::string(key) + "': a range needs 'min' and 'max'");
    given.finish();
    dimension.values = eval::Range{bounds[0], bounds[1], scale, numbers};
  } else {
    bounds = map.numbers(key);
    dimension.values = eval::Choices{bounds};
  }
  if (map.reading().errors() != errors_before) return;
  for (const double value : bounds) {
    const bool whole = numbers == eval::RangeNumbers::kReal || value == std::floor(value);
    if (!is_within(value, range) || !whole) {
      map.error(key, "'" + std::string(key) + "': " + config::format_number(value) +
                         " is no value that '" + std::string(of) + "' can have");
      return;
    }
  }
  // Its own check: of values given twice, or bounds the wrong way round.
  if (const auto drawn = eval::random_search({dimension}, 1, 0); !drawn)
    map.error(key, drawn.error().message());
  space.push_back(std::move(dimension));
}

void read_tune(MapReader& top, eval::SearchSpace& space) {
  MapReader map = top.map("tune");
  for (const CountKey& row : kCounts) {
    const NumberRange range{.min = static_cast<double>(row.range.min),
                            .max = static_cast<double>(row.range.max)};
    read_dimension(map, row.key, "model." + std::string(row.key), range, eval::RangeNumbers::kWhole,
                   space);
  }
  for (const NumberKey& row : kNumbers) {
    if (row.key != "threshold")
      read_dimension(map, row.key, "model." + std::string(row.key), row.range,
                     eval::RangeNumbers::kReal, space);
  }
  constexpr NumberRange kOrder{.min = 0, .max = series::kArimaStatesMax - 1};
  constexpr NumberRange kDifferences{.min = 0, .max = series::kArimaDifferencesMax};
  for (const std::string_view key : {"p", "d", "q"}) {
    read_dimension(map, key, "target.arima", key == "d" ? kDifferences : kOrder,
                   eval::RangeNumbers::kWhole, space);
  }
  map.finish();
}

void read_split(MapReader& top, const Pipeline& pipeline, SplitSpec& split) {
  MapReader map = top.map("split");
  split.kind = map.choice(
      "kind", pipeline.forecast ? SplitSpec::Kind::kChronological : SplitSpec::Kind::kStratified,
      kSplits);
  if (pipeline.forecast && split.kind != SplitSpec::Kind::kChronological)
    map.error("kind",
              "a forecast is split by time ('kind: chronological'): what was known later "
              "must not train what is measured before it");
  split.test_fraction =
      map.number("test_fraction", split.test_fraction, {.min = 0.001, .max = 0.9});
  split.seed = static_cast<std::uint64_t>(
      map.integer("seed", static_cast<std::int64_t>(split.seed), kSeedRange));
  split.key = map.optional_text("key").value_or("");
  const bool hash = split.kind == SplitSpec::Kind::kHash;
  if (hash && !map.has("key")) map.error("kind", "'kind: hash' needs a 'key', the field to hash");
  if (!hash && map.has("key")) map.error("key", "'key' is for 'kind: hash'");
  map.finish();
}

// One character, or a word for those that are hard to see.
char read_character(MapReader& map, std::string_view key, char fallback) {
  const std::string text = map.text(key, std::string(1, fallback));
  if (text == "tab") return '\t';
  const bool legal = text.size() == 1 && text != "\n" && text != "\r" &&
                     static_cast<unsigned char>(text[0]) < 0x80;
  if (!legal) {
    map.error(key, "'" + std::string(key) + "': expected one ASCII character or 'tab', found '" +
                       printable(text, 60) + "'");
    return fallback;
  }
  return text[0];
}

// The format as the reader of rows will understand it.
void check_time_format(MapReader& map, const std::string& format) {
  if (const auto parsed = env::TimeFormat::parse(format); !parsed) {
    map.error("format", parsed.error().message());
  }
}

void read_timestamp(MapReader& csv, codec::CsvDialect& dialect) {
  const auto* entries = csv.entries("timestamp");
  MapReader map = csv.map("timestamp");
  if (entries == nullptr || entries->empty()) {  // an empty one takes a file's away, with --set
    for (const std::string_view key : {"field", "columns", "format", "step"}) map.known(key);
    map.finish();
    return;
  }
  codec::CsvTimestamp timestamp;
  timestamp.field = map.required_text("field");
  timestamp.columns = map.required_texts("columns");
  timestamp.format = map.required_text("format");
  timestamp.step = map.duration("step", timestamp.step);
  if (map.has("columns") && timestamp.columns.size() > kTimestampColumnsMax) {
    map.error("columns", "more than " + std::to_string(kTimestampColumnsMax) + " columns");
  }
  if (map.has("format")) check_time_format(map, timestamp.format);
  if (!dialect.header) {
    map.reading().error(map.where(), "'csv.timestamp' names columns: it needs 'header: true'");
  }
  map.finish();
  dialect.timestamp = std::move(timestamp);
}

// A map of texts, in file order.
void read_pairs(MapReader& csv, std::string_view key,
                std::vector<std::pair<std::string, std::string>>& pairs) {
  const auto* entries = csv.entries(key);
  if (entries == nullptr) return;
  MapReader map = csv.map(key);
  for (const config::MapEntry& entry : *entries) {
    pairs.emplace_back(entry.key, map.optional_text(entry.key).value_or(""));
  }
  map.finish();
}

void read_csv(MapReader& top, codec::CsvDialect& csv) {
  MapReader map = top.map("csv");
  csv.separator = read_character(map, "separator", csv.separator);
  csv.quote = read_character(map, "quote", csv.quote);
  if (csv.separator == csv.quote) {
    map.error("separator", "'separator' and 'quote' are the same character");
  }
  csv.decimal_comma = map.boolean("decimal_comma", csv.decimal_comma);
  if (csv.decimal_comma && csv.separator == ',') {
    map.error("decimal_comma", "'decimal_comma: true' needs a 'separator' other than a comma");
  }
  csv.header = map.boolean("header", csv.header);
  csv.ignore_columns = map.texts("ignore_columns");
  csv.drop_empty_trailing_columns =
      map.boolean("drop_empty_trailing_columns", csv.drop_empty_trailing_columns);
  csv.drop_empty_rows = map.boolean("drop_empty_rows", csv.drop_empty_rows);
  read_pairs(map, "rename", csv.rename);
  read_timestamp(map, csv);
  read_pairs(map, "constants", csv.constants);
  const config::BytesRange range{.min = 16, .max = std::uint64_t{1} << 30};
  csv.field_bytes_max =
      static_cast<std::size_t>(map.bytes("field_bytes_max", csv.field_bytes_max, range));
  csv.row_bytes_max =
      static_cast<std::size_t>(map.bytes("row_bytes_max", csv.row_bytes_max, range));
  map.finish();
}

void read_report(MapReader& top, ReportSpec& report) {
  MapReader map = top.map("report");
  report.noun = map.text("noun", report.noun);
  report.nouns = map.text("nouns", report.noun + "s");
  report.segments = map.texts("segments");
  report.risk_fields = map.texts("risk_fields");
  report.top_risk = static_cast<std::size_t>(
      map.integer("top_risk", static_cast<std::int64_t>(report.top_risk), {0, 10'000}));
  map.finish();
}

void read_kafka(MapReader& top, std::map<std::string, std::string>& properties) {
  const auto* entries = top.entries("kafka");
  if (entries == nullptr) return;
  MapReader map = top.map("kafka");
  for (const config::MapEntry& entry : *entries)
    properties[entry.key] = map.optional_text(entry.key).value_or("");
  map.finish();
}

}  // namespace

void read_settings(MapReader& top, Pipeline& pipeline) {
  pipeline.group = GroupId(top.text("group", pipeline.name + "-consumer"));
  pipeline.delivery = top.choice("delivery", Delivery::kExactlyOnce, kDeliveries);
  MapReader commit = top.map("commit");
  pipeline.commit_interval = commit.duration("interval", pipeline.commit_interval,
                                             {.min = Milliseconds(1), .max = Milliseconds(60'000)});
  pipeline.commit_records_max = static_cast<std::size_t>(commit.integer(
      "records", static_cast<std::int64_t>(pipeline.commit_records_max), {1, 1'000'000}));
  commit.finish();
  read_csv(top, pipeline.csv);
  read_model(top, pipeline, pipeline.model);
  read_tune(top, pipeline.tune);
  read_split(top, pipeline, pipeline.split);
  pipeline.sample_weight = top.optional_text("sample_weight").value_or("");
  read_report(top, pipeline.report);
  read_kafka(top, pipeline.kafka);
}

}  // namespace millrace::spec::internal
