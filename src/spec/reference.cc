#include "spec/reference.h"

#include <array>

namespace millrace::spec {
namespace {

// clang-format off
constexpr std::array kKeys = {
    KeyDoc{"version", "integer", "required", "Of the file's format: 1."},
    KeyDoc{"name", "text", "required", "Of the pipeline: a-z, 0-9, `.`, `_`, `-`, at most 100 characters, a letter or digit first. Models, topics and the group take their names from it."},
    KeyDoc{"group", "text", "NAME-consumer", "Consumer group of the scorer."},
    KeyDoc{"delivery", "`exactly_once`, `at_least_once`", "exactly_once", "Whether outputs and positions are committed in one transaction, or positions after the outputs are acknowledged."},
    KeyDoc{"sample_weight", "field", "", "Number field with the weight of each training row."},

    KeyDoc{"input.topic", "text", "NAME.raw", "Where records come from."},
    KeyDoc{"input.partitions", "integer from 1 to 1024", "1", "Of the topic, when it is created."},
    KeyDoc{"input.replication", "integer from 1 to 100", "1", "Copies of each partition, where the log has brokers."},
    KeyDoc{"input.retention", "duration", "", "How long records are kept. Stored and shown; applied by the log."},
    KeyDoc{"input.message_bytes_max", "size from 1KiB to 255MiB", "1MiB", "Largest record (key, value and headers)."},
    KeyDoc{"input.max.message.bytes", "size", "", "Kafka's name for `message_bytes_max`; give one of the two."},
    KeyDoc{"input.topic_config", "map of texts", "", "Further settings of the topic by their Kafka names, such as `cleanup.policy`."},
    KeyDoc{"input.key", "field", "''", "The field whose value is the record's key when producing. Left out: null keys."},
    KeyDoc{"input.event_time", "field", "", "The timestamp field that says when it happened. Left out, or missing in a record: the record's time in the log."},
    KeyDoc{"input.format", "`json`", "json", "How values are written."},
    KeyDoc{"input.unknown_fields", "`ignore`, `refuse`", "ignore", "What becomes of a record with fields that the schema does not name."},
    KeyDoc{"input.tombstone", "`dead_letter`, `skip`", "dead_letter", "What becomes of a record without a value."},

    KeyDoc{"output.topic", "text", "NAME.predictions", "Where predictions go."},
    KeyDoc{"output.partitions", "integer from 1 to 1024", "", "As for `input`; default is the input's number."},
    KeyDoc{"output.replication", "integer from 1 to 100", "", "As for `input`; default is the input's number."},
    KeyDoc{"output.retention", "duration", "", "As for `input`."},
    KeyDoc{"output.message_bytes_max", "size from 1KiB to 255MiB", "1MiB", "As for `input`."},
    KeyDoc{"output.max.message.bytes", "size", "", "As for `input`."},
    KeyDoc{"output.topic_config", "map of texts", "", "As for `input`."},
    KeyDoc{"output.key", "field or `none`", "", "The input field that is copied into the prediction; default is `input.key`."},
    KeyDoc{"output.label", "text", "prediction", "Name of the predicted level."},
    KeyDoc{"output.probability", "text", "probability", "Name of the probability of the positive level."},
    KeyDoc{"output.event_time", "text or `none`", "", "Name of the event time in the prediction; default is the name of `input.event_time`."},
    KeyDoc{"output.positive", "level of the label", "", "The level whose probability is published; default is the last of the label's `values`."},
    KeyDoc{"output.probability_decimals", "integer from 1 to 15", "6", "The published probability is rounded to so many; the label is decided on the rounded one."},

    KeyDoc{"dead_letter.topic", "text", "NAME.deadletter", "Where records go that cannot be scored."},
    KeyDoc{"dead_letter.partitions", "integer from 1 to 1024", "1", "As for `input`."},
    KeyDoc{"dead_letter.replication", "integer from 1 to 100", "", "As for `input`; default is the input's number."},
    KeyDoc{"dead_letter.retention", "duration", "", "As for `input`."},
    KeyDoc{"dead_letter.message_bytes_max", "size from 1KiB to 255MiB", "", "Default is the input's and 64KiB for headers."},
    KeyDoc{"dead_letter.max.message.bytes", "size", "", "As for `input`."},
    KeyDoc{"dead_letter.topic_config", "map of texts", "", "As for `input`."},
    KeyDoc{"dead_letter.format", "`headers`, `envelope`", "headers", "The record's own bytes with headers that say why, or a JSON object around it."},
    KeyDoc{"dead_letter.attempts", "integer from 1 to 1000", "3", "A record that was replayed so often stays in the dead-letter topic."},
    KeyDoc{"dead_letter.stop_above.ratio", "number above 0 and at most 1", "", "The scorer stops when more than this share of the window went to dead letters. Without `stop_above` it never does."},
    KeyDoc{"dead_letter.stop_above.window", "integer from 1 to 10000000", "", "Records of the window; 1000 when `stop_above` is given without it."},

    KeyDoc{"alerts.topic", "text", "NAME.alerts", "Where alerts go."},
    KeyDoc{"commit.interval", "duration from 1ms to 1m", "100ms", "A commit at least so often."},
    KeyDoc{"commit.records", "integer from 1 to 1000000", "10000", "And after so many records."},

    KeyDoc{"schema.FIELD.type", "`string`, `integer`, `number`, `boolean`, `category`, `timestamp`", "required", "What the field holds. A timestamp is RFC 3339 text."},
    KeyDoc{"schema.FIELD.required", "true or false", "true", "Whether a record without the field is set aside. The label is only required in training."},
    KeyDoc{"schema.FIELD.label", "true or false", "", "The target of training: one category with two `values`. Never a feature."},
    KeyDoc{"schema.FIELD.pii", "true or false", "", "Its values are not shown in logs and reports."},
    KeyDoc{"schema.FIELD.null", "`reject`, `missing`", "reject", "What a null is: a reason to set the record aside, or a missing value."},
    KeyDoc{"schema.FIELD.blank", "`reject`, `missing`", "", "The same for an empty or blank text where something else than a string is due; `reject` by default."},
    KeyDoc{"schema.FIELD.unknown", "`reject`, `missing`", "", "The same for a level that `values` does not have; `reject` by default."},
    KeyDoc{"schema.FIELD.accept_text", "true or false", "", "Numbers may come as text (`\"151.65\"`), and stay text on the topic."},
    KeyDoc{"schema.FIELD.min", "number", "", "Smallest legal integer or number."},
    KeyDoc{"schema.FIELD.max", "number", "", "Largest legal integer or number."},
    KeyDoc{"schema.FIELD.values", "list of texts", "", "The levels of a category, in order."},
    KeyDoc{"schema.FIELD.pattern", "text", "", "RE2 expression that matches the whole of a string."},
    KeyDoc{"schema.FIELD.sentinels", "list of numbers", "", "Numbers that mean missing, such as -200."},
    KeyDoc{"schema.FIELD.text_bytes_max", "size from 1B to 64MiB", "", "Longest legal text of a string or category; 64KiB by default."},

    KeyDoc{"features[].numeric", "list of fields", "", "Numbers as they are; missing stays missing."},
    KeyDoc{"features[].impute", "list of fields", "", "Fills missing numbers, by `with`. In a forecast from the past alone, for all operators."},
    KeyDoc{"features[].with", "`median`, `mean`, `constant`; of a forecast `carry_forward`, `seasonal`, `past_mean`", "", "Of `impute`; `median` by default. Median and mean are those of the training rows. Of a forecast: the last observed value (by default), the value one season before, or the mean of all observed so far."},
    KeyDoc{"features[].limit", "integer from 0 to 10000", "", "Of `impute` in a forecast: at most so many missing steps in a row are filled; 0, the default, fills all."},
    KeyDoc{"features[].season", "integer from 1 to 10000", "", "Of `impute` with `with: seasonal`, in steps; 24 by default."},
    KeyDoc{"features[].value", "number", "", "Of `impute` with `with: constant`."},
    KeyDoc{"features[].standardize", "list of fields", "", "(x - mean) / standard deviation of the training rows."},
    KeyDoc{"features[].standardise", "list of fields", "", "The same word in British spelling."},
    KeyDoc{"features[].one_hot", "list of fields", "", "One column of 0 and 1 for each level of a category."},
    KeyDoc{"features[].drop", "`none`, `first`, `if_binary`", "", "Of `one_hot`: the first level's column is left out always, or where there are two levels; `none` by default."},
    KeyDoc{"features[].ordinal", "list of fields", "", "The level's position in `values`, from 0."},
    KeyDoc{"features[].lag", "list of fields", "", "Of a forecast: the value `steps` steps before; 0 is the present one."},
    KeyDoc{"features[].difference", "list of fields", "", "Of a forecast: the present value less that `steps` steps before."},
    KeyDoc{"features[].steps", "list of integers up to 10000", "", "Of `lag` and `difference`."},
    KeyDoc{"features[].ema", "list of fields", "", "Of a forecast: exponential moving averages, of the weight 2 / (span + 1)."},
    KeyDoc{"features[].spans", "list of integers from 1 to 10000", "", "Of `ema`."},
    KeyDoc{"features[].rolling", "list of fields", "", "Of a forecast: `statistics` over the last `windows` steps, the present one included."},
    KeyDoc{"features[].windows", "list of integers from 1 to 10000", "", "Of `rolling` and `slope` (from 2), in steps."},
    KeyDoc{"features[].statistics", "list of `mean`, `std`, `min`, `max`", "", "Of `rolling`. The standard deviation is the sample's, 0 of one value."},
    KeyDoc{"features[].slope", "list of fields", "", "Of a forecast: of the least-squares line through the last `windows` values, a step."},
    KeyDoc{"features[].interact", "list of columns", "", "Of a forecast: products of each two of these columns, made by operators before."},
    KeyDoc{"features[].calendar", "list of `hour`, `day`, `month`, `weekday`, `season`, `hour_sin`, `hour_cos`, `weekday_sin`, `weekday_cos`, `month_sin`, `month_cos`", "", "Of a forecast: of the step, in UTC; Monday is 0, season 1 is December to February."},
    KeyDoc{"features[].clip", "list of fields", "", "Of a forecast: values are kept within `min` and `max`, in the field's unit, before all else."},
    KeyDoc{"features[].min_max", "list of columns", "", "Of a forecast: (x - min) / (max - min) of columns made before; `min` and `max` are in the column's unit."},
    KeyDoc{"features[].min", "number", "", "Of `clip` and `min_max`."},
    KeyDoc{"features[].max", "number", "", "Of `clip` and `min_max`."},
    KeyDoc{"features[].unknown", "`ignore`, `error`", "", "Of `one_hot` and `ordinal`: missing and unknown levels are no column at all (missing), or set the record aside; `ignore` by default."},

    KeyDoc{"target.column", "field", "", "What is forecast: a number of the schema. With a `target` there is no label; the key tells series apart, and `input.event_time` is needed."},
    KeyDoc{"target.horizon", "integer from 1 to 10000", "", "So many steps ahead; 1 by default."},
    KeyDoc{"target.predict", "`level`, `change`", "", "What the model learns: the value, or (by default) its difference to the present one."},
    KeyDoc{"target.coverage", "number from 0.5 to 0.999", "", "Of the intervals around forecasts; 0.9 by default."},
    KeyDoc{"target.arima", "list of three integers p, d, q", "", "Order of the ARIMA that `train` and `evaluate` fit with `--models arima`; [2, 1, 2] by default."},
    KeyDoc{"target.season", "integer from 1 to 10000", "", "Steps of a season, for `--models seasonal_persistence`; 24 by default."},
    KeyDoc{"series.step", "duration from 1ms to 366d", "", "Readings of one step count as their mean, a step without one is missing; 1h by default."},
    KeyDoc{"series.late", "`dead_letter`, `skip`", "", "What becomes of a reading whose step is over; `dead_letter` by default."},
    KeyDoc{"series.evict_after", "duration", "", "A key is forgotten when its last reading is so much older than the newest of its partition; never by default."},
    KeyDoc{"series.keys_max", "integer from 1 to 100000000", "", "Keys remembered of a partition, 1000000 by default; the one unseen for longest goes first."},
    KeyDoc{"model.algorithm", "`gradient_boosting`, `arima`", "gradient_boosting", "What is trained; `arima` (of the order `target.arima`) where there is a target: one filter a key, which takes each reading as it comes."},
    KeyDoc{"model.objective", "`binary`, `regression`", "binary", "What it learns: the probability of the positive level, or with a `target` (where it is the default) a number."},
    KeyDoc{"model.loss", "`squared`, `absolute`, `pseudo_huber`", "squared", "Of a regression."},
    KeyDoc{"model.huber_slope", "number above 0", "1", "Of `loss: pseudo_huber`: where it turns from squared to absolute, in the target's unit."},
    KeyDoc{"model.trees", "integer from 1 to 10000", "100", "Boosting rounds."},
    KeyDoc{"model.depth", "integer from 1 to 16", "3", "Of a tree."},
    KeyDoc{"model.bins", "integer from 2 to 65536", "256", "Of a feature's histogram."},
    KeyDoc{"model.learning_rate", "number above 0 and at most 1", "0.1", "Weight of each tree."},
    KeyDoc{"model.subsample", "number above 0 and at most 1", "1", "Share of the rows a tree sees."},
    KeyDoc{"model.column_sample", "number above 0 and at most 1", "1", "Share of the columns a tree sees."},
    KeyDoc{"model.min_child_weight", "number, at least 0", "1", "Smallest sum of second derivatives in a leaf."},
    KeyDoc{"model.l2", "number, at least 0", "1", "Penalty on leaf values."},
    KeyDoc{"model.min_split_gain", "number, at least 0", "0", "A split must gain more than this."},
    KeyDoc{"model.threshold", "number from 0 to 1", "0.5", "The label is positive from this published probability on, everywhere."},
    KeyDoc{"model.class_weight", "`none`, `balanced`", "none", "Whether both levels weigh the same in training, however rare one is."},
    KeyDoc{"model.seed", "integer, at least 0", "42", "Of all that is random in training."},

    KeyDoc{"tune.trees", "list of integers, or map of `min`, `max`, `scale`", "", "What `tune` tries of `model.trees`: values, or a range to draw from at random, `{min: 0.01, max: 0.3, scale: log}` (`linear` by default). A `tune` section says all that is tried; without one `tune` has a choice of its own."},
    KeyDoc{"tune.depth", "list of integers, or map of `min`, `max`, `scale`", "", "The same of `model.depth`."},
    KeyDoc{"tune.bins", "list of integers, or map of `min`, `max`, `scale`", "", "The same of `model.bins`."},
    KeyDoc{"tune.learning_rate", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.learning_rate`."},
    KeyDoc{"tune.subsample", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.subsample`."},
    KeyDoc{"tune.column_sample", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.column_sample`."},
    KeyDoc{"tune.min_child_weight", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.min_child_weight`."},
    KeyDoc{"tune.l2", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.l2`."},
    KeyDoc{"tune.min_split_gain", "list of numbers, or map of `min`, `max`, `scale`", "", "The same of `model.min_split_gain`."},
    KeyDoc{"tune.p", "list of integers, or map of `min`, `max`, `scale`", "", "With `model.algorithm: arima`: what is tried of the first number of `target.arima`. An ARIMA's search takes `p`, `d`, `q` and no others, that of boosted trees the others."},
    KeyDoc{"tune.d", "list of integers, or map of `min`, `max`, `scale`", "", "The same of the second number."},
    KeyDoc{"tune.q", "list of integers, or map of `min`, `max`, `scale`", "", "The same of the third number."},

    KeyDoc{"split.kind", "`stratified`, `hash`, `chronological`", "stratified", "How `train` and `evaluate` set rows aside to measure on."},
    KeyDoc{"split.test_fraction", "number from 0.001 to 0.9", "0.2", "Share of the rows set aside."},
    KeyDoc{"split.seed", "integer, at least 0", "42", "Of the split."},
    KeyDoc{"split.key", "field", "", "Of `kind: hash`: rows with the same value stay together."},

    KeyDoc{"report.noun", "text", "record", "What one record is, for reports: `customer`."},
    KeyDoc{"report.nouns", "text", "", "The same for several; default is `noun` with an s."},
    KeyDoc{"report.segments", "list of fields", "[]", "Categories, booleans or integers by which the report shows the share of positives."},
    KeyDoc{"report.risk_fields", "list of fields", "[]", "Shown beside the records at highest risk."},
    KeyDoc{"report.top_risk", "integer from 0 to 10000", "10", "How many of them."},

    KeyDoc{"drift.window", "duration from 1s to 366d", "7d", "Of event time: windows of the stream are compared with the training data as they end. Without a `drift` section nothing is watched."},
    KeyDoc{"drift.window_records", "integer from 20 to 1000000000", "", "Windows of so many records, in place of `window`."},
    KeyDoc{"drift.lateness", "duration from 0ms to 366d", "0ms", "How much later than its end an event must be to close a window."},
    KeyDoc{"drift.features", "list of columns or fields, or `all`", "[]", "What is watched: columns of the model by name, or all columns made from a field. None, or `all`: every column."},
    KeyDoc{"drift.score", "true or false", "true", "Whether the model's own answers are watched too."},
    KeyDoc{"drift.statistics", "list of `psi`, `ks`, `jensen_shannon`, `mean_shift`, `missing_share`, `relation_shift`, or `all`", "[]", "By what they are compared. None, or `all`: by all of them."},
    KeyDoc{"drift.raise_after", "integer from 1 to 1000", "1", "Windows in a row beyond the threshold that raise an alert."},
    KeyDoc{"drift.clear_after", "integer from 1 to 1000", "2", "Windows in a row below 80 % of the threshold that clear it."},

    KeyDoc{"kafka", "map of property to value", "", "Properties of librdkafka, used when the log is Kafka; `-X` overrides them. `${file:PATH}` stands for the content of a file, which is where passwords belong."},

    KeyDoc{"csv.separator", "one character or `tab`", "','", "Between cells."},
    KeyDoc{"csv.quote", "one character", "'\"'", "Around cells that hold separators, quotes (doubled) or line ends."},
    KeyDoc{"csv.decimal_comma", "true or false", "false", "Numbers are written 1,5."},
    KeyDoc{"csv.header", "true or false", "true", "The first row names the columns; without it they are the schema's fields in order."},
    KeyDoc{"csv.ignore_columns", "list of names", "[]", "Columns to leave out; `''` is a column without a name."},
    KeyDoc{"csv.drop_empty_trailing_columns", "true or false", "false", "Leave out columns at the end that have no name and no value."},
    KeyDoc{"csv.drop_empty_rows", "true or false", "true", "Leave out rows whose every cell is empty."},
    KeyDoc{"csv.rename", "map of column to field", "", "Columns of the file that the schema calls otherwise."},
    KeyDoc{"csv.timestamp.field", "timestamp field", "", "Made of columns of the file: RFC 3339 in UTC with milliseconds, whatever zone the file means. Needed when `timestamp` is given, as `columns` and `format` are."},
    KeyDoc{"csv.timestamp.columns", "list of names", "", "The file's columns that the time is written in, joined by one blank. They are no columns of their own any more."},
    KeyDoc{"csv.timestamp.format", "text", "", "How it is written: `%Y` (four digits), `%m` `%d` `%H` `%M` `%S` (one or two), `%f` (fraction), `%F` for `%Y-%m-%d`, `%T` for `%H:%M:%S`, `%%`; everything else stands for itself. A row that does not fit is a bad row; a file that another format fits is refused, naming it."},
    KeyDoc{"csv.timestamp.step", "duration", "", "Rows follow each other in whole multiples of it; a row that breaks this order refuses the file and says which reading of the date would keep it. 0 by default: any order."},
    KeyDoc{"csv.constants", "map of field to text", "", "Cells that every row has, for fields without a column in the file."},
    KeyDoc{"csv.field_bytes_max", "size from 16B to 1GiB", "1MiB", "Longest cell."},
    KeyDoc{"csv.row_bytes_max", "size from 16B to 1GiB", "8MiB", "Longest row."},
};
// clang-format on

constexpr std::string_view kHead = R"(# Keys of a pipeline file

Made from the table in `src/spec/reference.cc`, which a test holds against what the program reads.

A pipeline is one YAML file. Every key that is not listed here is an error with file, line, column and the nearest
name; so is a key that does not apply where it stands. All errors of a file are reported at once. `millrace explain
PIPELINE` shows every value and where it came from, `--set key=value` overrides one (`--set model.trees=200`; list
items by number from 0: `--set features.0.with=mean`).

Values are typed by what the key expects: where text is due, `no` is the text "no"; where a number is due, `012` is
refused. Booleans are `true` and `false`. A duration is a number with `ms`, `s`, `m`, `h` or `d`; a size is a number
of bytes, or one with `B`, `KB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`. A list with one item may be written without
brackets. NAME is the pipeline's name.

Known but not built yet, and refused: `routes`, formats other than JSON, algorithms other than gradient boosting, labels of
more than two levels.

A file is at most 1 MiB, with at most 100,000 values (aliases written out) and 64 levels; tags and merge keys are
refused, anchors and aliases work.
)";

// The section a path belongs to, for a heading.
std::string_view section_of(std::string_view path) {
  const std::size_t end = path.find_first_of(".[");
  return end == std::string_view::npos ? "" : path.substr(0, end);
}

}  // namespace

std::span<const KeyDoc> pipeline_keys() { return kKeys; }

std::string pipeline_reference() {
  std::string page(kHead);
  std::string_view section = "-";
  for (const KeyDoc& key : kKeys) {
    const std::string_view its = section_of(key.path);
    if (its != section) {
      section = its;
      page += "\n## " + (its.empty() ? "Top level" : "`" + std::string(its) + "`") + "\n\n";
      page += "| key | type | default | meaning |\n|---|---|---|---|\n";
    }
    page += "| `" + std::string(key.path) + "` | " + std::string(key.type) + " | ";
    if (key.fallback == "required") {
      page += "required";
    } else if (!key.fallback.empty()) {
      page += "`" + std::string(key.fallback) + "`";
    }
    page += " | " + std::string(key.meaning) + " |\n";
  }
  return page;
}

}  // namespace millrace::spec
