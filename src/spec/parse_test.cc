#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

using testing::HasSubstr;

constexpr const char* kMinimal = R"(version: 1
name: small
schema:
  a: {type: number}
  left: {type: category, values: ['No', 'Yes'], label: true}
features:
  - numeric: [a]
)";

// The file of the product page, lists written out, without `routes`.
constexpr const char* kProduct = R"(version: 1
name: telco-churn
input:   {topic: telco.raw.customers, partitions: 3, key: customerID, format: json, event_time: event_ts}
output:  {topic: telco.churn.predictions, partitions: 3, label: prediction, probability: churn_probability}
dead_letter: {topic: telco.deadletter, partitions: 1}
delivery: exactly_once            # or at_least_once
schema:
  customerID:     {type: string, pattern: '[0-9]{4}-[A-Z]{5}'}
  gender:         {type: category, values: [Female, Male]}
  tenure:         {type: integer, min: 0, max: 100}
  TotalCharges:   {type: number, accept_text: true, blank: missing, min: 0}
  Contract:       {type: category, values: [Month-to-month, One year, Two year]}
  Churn:          {type: category, values: ['No', 'Yes'], label: true, required: false}
  event_ts:       {type: timestamp, required: false}
features:
  - {one_hot: [gender, Contract], unknown: ignore}
  - {impute: [TotalCharges], with: median}
model: {algorithm: gradient_boosting, objective: binary, trees: 100, depth: 3, learning_rate: 0.05, subsample: 0.8, threshold: 0.5}
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

LoadedPipeline parsed(std::string_view text, const LoadOptions& options = {}) {
  auto loaded = parse_pipeline(text, "p.yaml", options);
  EXPECT_TRUE(loaded) << loaded.error().message();
  return loaded ? std::move(*loaded) : LoadedPipeline();
}

std::string error_of(std::string_view text, const LoadOptions& options = {}) {
  const auto loaded = parse_pipeline(text, "p.yaml", options);
  EXPECT_FALSE(loaded);
  if (loaded) return "";
  EXPECT_EQ(loaded.error().code(), ErrorCode::kConfig);
  EXPECT_EQ(loaded.error().exit_code(), 78);
  return loaded.error().message();
}

const Provenance* find(const LoadedPipeline& loaded, std::string_view path) {
  for (const Provenance& row : loaded.provenance) {
    if (row.path == path) return &row;
  }
  return nullptr;
}

TEST(ParsePipeline, AMinimalFileHasEveryDefault) {
  const Pipeline p = parsed(kMinimal).pipeline;
  EXPECT_EQ(p.name, "small");
  EXPECT_EQ(p.origin, "p.yaml");
  EXPECT_EQ(p.input.topic.name.value(), "small.raw");
  EXPECT_EQ(p.output.topic.name.value(), "small.predictions");
  EXPECT_EQ(p.dead_letter.topic.name.value(), "small.deadletter");
  EXPECT_EQ(p.alerts_topic.value(), "small.alerts");
  EXPECT_EQ(p.group.value(), "small-consumer");
  EXPECT_EQ(p.input.key, "");
  EXPECT_EQ(p.output.key_field, "");
  EXPECT_EQ(p.output.label_field, "prediction");
  EXPECT_EQ(p.output.probability_field, "probability");
  EXPECT_EQ(p.output.event_time_field, "event_ts");
  EXPECT_EQ(p.output.positive, "Yes");
  EXPECT_EQ(p.positive_code(), 1U);
  EXPECT_EQ(p.delivery, Delivery::kExactlyOnce);
  EXPECT_EQ(p.input.topic.config.message_bytes_max, 1U << 20);
  EXPECT_EQ(p.dead_letter.topic.config.message_bytes_max, (1U << 20) + (64U << 10));
  EXPECT_FALSE(p.dead_letter.stop_above);
  EXPECT_TRUE(p.schema.unknown_fields_allowed);
  EXPECT_EQ(p.model.trees, 100U);
  EXPECT_EQ(p.split.test_fraction, 0.2);
  EXPECT_EQ(p.report.top_risk, 10U);
  EXPECT_EQ(p.report.nouns, "records");
}

TEST(ParsePipeline, TheFileOfTheProductPageLoads) {
  const Pipeline p = parsed(kProduct).pipeline;
  EXPECT_EQ(p.input.topic.config.partitions, 3);
  EXPECT_EQ(p.input.key, "customerID");
  EXPECT_EQ(p.output.key_field, "customerID");
  EXPECT_EQ(p.output.probability_field, "churn_probability");
  EXPECT_EQ(p.schema.field(3).blank, data::Policy::kMissing);
  EXPECT_EQ(p.model.learning_rate, 0.05);
  EXPECT_EQ(p.features.size(), 2U);
}

TEST(ParsePipeline, RoutesAreRefusedWithAWord) {
  const std::string text = std::string(kProduct) + R"(routes:
  - {when: 'churn_probability >= 0.7 and Contract == "Month-to-month"', to: telco.churn.high-risk}
)";
  EXPECT_EQ(error_of(text), "p.yaml:19:1: 'routes' is not built yet; leave it out");
}

TEST(ParsePipeline, WordsAreNotGuessedToBeBooleans) {
  const std::string text = replaced(kMinimal, "['No', 'Yes']", "[No, Yes]");
  const Pipeline p = parsed(replaced(text, "name: small", "name: no")).pipeline;
  EXPECT_EQ(p.name, "no");
  EXPECT_THAT(p.schema.field(1).values, testing::ElementsAre("No", "Yes"));
}

TEST(ParsePipeline, OctalLookingNumbersAreRefused) {
  const std::string text = std::string(kMinimal) + "model: {trees: 012}\n";
  EXPECT_EQ(error_of(text),
            "p.yaml:8:16: 'trees': expected an integer without leading zeros (quote it if text is "
            "meant), found '012'");
}

TEST(ParsePipeline, AllErrorsAreReportedAtOnceInTheOrderOfTheFile) {
  const std::string text = R"(version: 1
name: Bad Name
inputs: {topic: x}
input: {topc: x, partitions: 0}
schema:
  a: {type: numbr}
  b: {type: category}
  left: {type: category, values: ['No', 'Yes'], label: true}
features:
  - {one_hott: [b]}
model: {treees: 5, depth: 99}
)";
  EXPECT_EQ(
      error_of(text),
      "p.yaml:2:7: 'name': 'Bad Name' is no legal pipeline name (a-z 0-9 . _ -, at most 100, "
      "a letter or digit first)\n"
      "p.yaml:3:1: unknown key 'inputs', did you mean 'input'?\n"
      "p.yaml:4:9: unknown key 'topc', did you mean 'topic'?\n"
      "p.yaml:4:30: 'partitions' is 0, must be from 1 to 1024\n"
      "p.yaml:6:13: 'type': expected string, integer, number, boolean, category or timestamp, "
      "found 'numbr', did you mean 'number'?\n"
      "p.yaml:7:6: field 'b': a category needs 'values'\n"
      "p.yaml:10:6: unknown operator 'one_hott', did you mean 'one_hot'?\n"
      "p.yaml:11:9: unknown key 'treees', did you mean 'trees'?\n"
      "p.yaml:11:27: 'depth' is 99, must be from 1 to 16");
}

TEST(ParsePipeline, SetOverridesAndSaysSo) {
  const LoadedPipeline loaded =
      parsed(kMinimal, {.set = {"model.trees=7", "input.topic=other", "input.partitions=4"}});
  EXPECT_EQ(loaded.pipeline.model.trees, 7U);
  EXPECT_EQ(loaded.pipeline.input.topic.name.value(), "other");
  ASSERT_NE(find(loaded, "model.trees"), nullptr);
  EXPECT_EQ(find(loaded, "model.trees")->origin, "--set");
  EXPECT_THAT(loaded.pipeline.text, HasSubstr("trees: 7"));
  EXPECT_EQ(parsed(loaded.pipeline.text).pipeline.input.topic.config.partitions, 4);
}

TEST(ParsePipeline, SetOfAnUnknownKeyNamesTheNearest) {
  EXPECT_EQ(error_of(kMinimal, {.set = {"model.treees=7"}}),
            "--set: unknown key 'treees', did you mean 'trees'?");
  EXPECT_EQ(error_of(kMinimal, {.set = {"modl.trees=7"}}),
            "--set: unknown key 'modl', did you mean 'model'?");
  EXPECT_EQ(error_of(kMinimal, {.set = {"model.trees=many"}}),
            "--set: 'trees': expected an integer, found 'many'");
}

TEST(ParsePipeline, EveryValueKnowsItsOrigin) {
  const LoadedPipeline loaded = parsed(kProduct);
  EXPECT_EQ(find(loaded, "input.topic")->origin, "p.yaml:3:18");
  EXPECT_EQ(find(loaded, "input.topic")->value, "telco.raw.customers");
  EXPECT_EQ(find(loaded, "schema.Contract.values")->value, "[Month-to-month, One year, Two year]");
  EXPECT_EQ(find(loaded, "model.l2")->origin, "default");
  EXPECT_EQ(find(loaded, "group")->value, "telco-churn-consumer");
  EXPECT_EQ(find(loaded, "features[1].with")->value, "median");
}

TEST(ParsePipeline, AnEmptyOrForeignFileIsRefused) {
  EXPECT_EQ(error_of(""), "p.yaml: the file holds no pipeline (a map of keys)");
  EXPECT_EQ(error_of("[1, 2]"), "p.yaml: the file holds no pipeline (a map of keys)");
  EXPECT_EQ(error_of("a: [1\n"), "p.yaml:2:1: not YAML: end of sequence flow not found");
  EXPECT_THAT(error_of("{}"), HasSubstr("'version' is missing; this program reads version 1"));
  EXPECT_THAT(error_of(replaced(kMinimal, "version: 1", "version: 2")),
              HasSubstr("p.yaml:1:10: version 2 of the pipeline format is unknown"));
}

TEST(ParsePipeline, ColumnsThatAFileDoesNotHaveAreRead) {
  const std::string text = std::string(kMinimal) +
                           "csv: {timestamp: {field: t, columns: [Date, Time], format: '%F %T', "
                           "step: 30m}, constants: {a: '1', s: x}}\n";
  const std::string with_fields =
      replaced(text, "schema:\n", "schema:\n  t: {type: timestamp}\n  s: {type: string}\n");
  const Pipeline p = parsed(with_fields).pipeline;
  ASSERT_TRUE(p.csv.timestamp);
  EXPECT_EQ(p.csv.timestamp->field, "t");
  EXPECT_THAT(p.csv.timestamp->columns, testing::ElementsAre("Date", "Time"));
  EXPECT_EQ(p.csv.timestamp->format, "%F %T");
  EXPECT_EQ(p.csv.timestamp->step, std::chrono::minutes(30));
  EXPECT_THAT(p.csv.constants,
              testing::ElementsAre(testing::Pair("a", "1"), testing::Pair("s", "x")));
  // Taken away for a file that has the columns itself.
  LoadOptions options;
  options.set = {"csv.timestamp={}", "csv.constants={}"};
  const Pipeline without = parsed(with_fields, options).pipeline;
  EXPECT_FALSE(without.csv.timestamp);
  EXPECT_TRUE(without.csv.constants.empty());
}

TEST(ParsePipeline, OptionsAreRead) {
  const Pipeline p = parsed(std::string(kMinimal) + R"(input:
  topic: in
  partitions: 2
  replication: 3
  retention: 7d
  max.message.bytes: 2MiB
  topic_config: {cleanup.policy: delete}
  unknown_fields: refuse
  tombstone: skip
output: {positive: 'No', key: a, event_time: none, probability_decimals: 3, message_bytes_max: 4096}
dead_letter: {format: envelope, stop_above: {ratio: 0.5, window: 100}, attempts: 5}
alerts: {topic: bells}
group: g
delivery: at_least_once
commit: {interval: 250ms, records: 500}
csv: {separator: ;, quote: '''', decimal_comma: true, header: false, ignore_columns: [''], rename: {A: a}}
model: {class_weight: balanced, seed: 7, bins: 64}
split: {kind: hash, key: a, test_fraction: 0.3, seed: 1}
sample_weight: a
report: {noun: sheep, nouns: sheep, risk_fields: [a], top_risk: 3}
)")
                         .pipeline;
  EXPECT_EQ(p.input.topic.config.retention, Milliseconds(604'800'000));
  EXPECT_EQ(p.input.topic.config.message_bytes_max, 2U << 20);
  EXPECT_EQ(p.input.topic.config.other.at("cleanup.policy"), "delete");
  EXPECT_EQ(p.input.tombstone, TombstonePolicy::kSkip);
  EXPECT_FALSE(p.schema.unknown_fields_allowed);
  EXPECT_EQ(p.positive_code(), 0U);
  EXPECT_EQ(p.output.key_field, "a");
  EXPECT_FALSE(p.output.event_time);
  EXPECT_EQ(p.output.topic.config.partitions, 2);
  EXPECT_EQ(p.output.topic.config.message_bytes_max, 4096U);
  EXPECT_EQ(p.dead_letter.format, DeadLetterFormat::kEnvelope);
  ASSERT_TRUE(p.dead_letter.stop_above);
  EXPECT_EQ(p.dead_letter.stop_above->ratio, 0.5);
  EXPECT_EQ(p.dead_letter.stop_above->window_records, 100U);
  EXPECT_EQ(p.dead_letter.attempts_max, 5U);
  EXPECT_EQ(p.dead_letter.topic.config.message_bytes_max, (2U << 20) + (64U << 10));
  EXPECT_EQ(p.alerts_topic.value(), "bells");
  EXPECT_EQ(p.commit_interval, Milliseconds(250));
  EXPECT_EQ(p.csv.separator, ';');
  EXPECT_EQ(p.csv.quote, '\'');
  EXPECT_FALSE(p.csv.header);
  EXPECT_THAT(p.csv.ignore_columns, testing::ElementsAre(""));
  EXPECT_THAT(p.csv.rename, testing::ElementsAre(testing::Pair("A", "a")));
  EXPECT_EQ(p.model.class_weight, model::ClassWeight::kBalanced);
  EXPECT_EQ(p.split.kind, SplitSpec::Kind::kHash);
  EXPECT_EQ(p.sample_weight, "a");
  EXPECT_EQ(p.report.top_risk, 3U);
  EXPECT_EQ(p.report.noun, "sheep");
  EXPECT_EQ(p.report.nouns, "sheep");
}

TEST(ParsePipeline, FieldsTakeTheirPolicies) {
  const Pipeline p = parsed(R"(version: 1
name: fields
schema:
  n: {type: number, null: missing, sentinels: [-200, -999.5], min: -1e3, required: false}
  c: {type: category, values: [x], unknown: missing, blank: missing, pii: true}
  t: {type: string, text_bytes_max: 1KiB}
  left: {type: category, values: [stay, go], label: true}
features:
  - impute: [n]
    with: constant
    value: -1.5
  - standardise: n
  - {ordinal: [c], unknown: error}
)")
                         .pipeline;
  EXPECT_EQ(p.schema.field(0).null, data::Policy::kMissing);
  EXPECT_THAT(p.schema.field(0).sentinels, testing::ElementsAre(-200, -999.5));
  EXPECT_EQ(p.schema.field(0).min, -1000);
  EXPECT_EQ(p.schema.field(1).unknown, data::Policy::kMissing);
  EXPECT_TRUE(p.schema.field(1).pii);
  EXPECT_EQ(p.schema.field(2).text_bytes_max, 1024U);
  ASSERT_EQ(p.features.size(), 3U);
  EXPECT_EQ(std::get<features::Impute>(p.features[0]).constant, -1.5);
  EXPECT_EQ(std::get<features::Standardize>(p.features[1]).fields.front(), "n");
  EXPECT_EQ(std::get<features::Ordinal>(p.features[2]).unknown, features::Unknown::kError);
}

// Whatever is cut out of, doubled in or written into a good file, there is an answer.
TEST(ParsePipeline, DamagedFilesAreAnsweredNeverCrashed) {
  const std::string good = kProduct;
  std::mt19937 random(7);
  const std::string inserts = "{}[]:,-&*!|>'\"#%@`\n\t ~?<\\0\xff";
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    const int changes = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = random() % text.size();
      const std::size_t length = random() % 20;
      switch (random() % 3) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, good.substr(random() % good.size(), length));
          break;
        default:
          text.insert(at, 1, inserts[random() % inserts.size()]);
      }
    }
    const auto loaded = parse_pipeline(text, "p.yaml");
    if (loaded) continue;
    ++refused;
    EXPECT_EQ(loaded.error().code(), ErrorCode::kConfig);
    EXPECT_EQ(loaded.error().message().rfind("p.yaml", 0), 0U) << loaded.error().message();
  }
  EXPECT_GT(refused, 1000);
}

// One mistake in an otherwise good file, and what is said about it.
struct Mistake {
  const char* name;
  const char* from;
  const char* to;
  const char* message;
};

class CrossCheck : public testing::TestWithParam<Mistake> {};

TEST_P(CrossCheck, IsReportedWithItsPlace) {
  const Mistake& mistake = GetParam();
  EXPECT_EQ(error_of(replaced(kProduct, mistake.from, mistake.to)), mistake.message);
}

INSTANTIATE_TEST_SUITE_P(
    References, CrossCheck,
    testing::Values(
        Mistake{"Key", "key: customerID", "key: customerId",
                "p.yaml:3:59: 'input.key': field 'customerId' is not in the schema, did you mean "
                "'customerID'?"},
        Mistake{"EventTime", "event_time: event_ts", "event_time: tenure",
                "p.yaml:3:97: 'input.event_time': field 'tenure' must be a timestamp, it is an "
                "integer"},
        Mistake{"SameTopic", "topic: telco.deadletter", "topic: telco.raw.customers",
                "p.yaml:5:22: 'dead_letter.topic' and 'input.topic' are the same topic "
                "'telco.raw.customers'"},
        Mistake{
            "TopicName", "topic: telco.deadletter", "topic: 'telco dead'",
            "p.yaml:5:22: 'dead_letter.topic': 'telco dead' is no legal topic name (1 to 249 of "
            "a-z A-Z 0-9 . _ -)"},
        Mistake{
            "FeatureField", "one_hot: [gender,", "one_hot: [gendre,",
            "p.yaml:16:5: one_hot: field 'gendre' is not in the schema, did you mean 'gender'?"},
        Mistake{"NoLabel", ", label: true, required: false}", ", required: false}",
                "p.yaml:8:3: no field of the schema has 'label: true'"},
        Mistake{"Multiclass", "['No', 'Yes'], label", "['No', 'Yes', Perhaps], label",
                "p.yaml:13:44: the label 'Churn' has 3 values; more than two (multiclass) are not "
                "built yet"},
        Mistake{"OneLevel", "['No', 'Yes'], label", "['No'], label",
                "p.yaml:13:44: the label 'Churn' needs two values"},
        Mistake{"LabelType", "{type: category, values: ['No', 'Yes'], label",
                "{type: string, label",
                "p.yaml:13:41: 'label' is for a category; field 'Churn' is a string"},
        Mistake{
            "Positive", "label: prediction,", "label: prediction, positive: yes,",
            "p.yaml:4:87: 'output.positive': 'yes' is not a value of the label 'Churn', did you "
            "mean 'Yes'?"},
        Mistake{"OutputNames", "label: prediction,", "label: churn_probability,",
                "p.yaml:4:65: 'output.label': 'churn_probability' is already the name of "
                "'output.probability'"},
        Mistake{
            "FixedNames", "label: prediction,", "label: model_version,",
            "p.yaml:4:65: 'output.label': 'model_version' is already the name of a field that is "
            "always written"},
        Mistake{"Threshold", "threshold: 0.5", "threshold: 1.5",
                "p.yaml:18:128: 'threshold' is 1.5, must be from 0 to 1"},
        Mistake{"Rate", "learning_rate: 0.05", "learning_rate: 0",
                "p.yaml:18:95: 'learning_rate' is 0, must be above 0 and at most 1"},
        Mistake{"Algorithm", "algorithm: gradient_boosting", "algorithm: random_forest",
                "p.yaml:18:20: 'algorithm: random_forest' is not built yet; gradient_boosting is"},
        Mistake{"Objective", "objective: binary", "objective: regression",
                "p.yaml:18:50: a label is predicted by 'objective: binary'; regression needs a "
                "'target' to forecast"},
        Mistake{"Format", "format: json", "format: avro",
                "p.yaml:3:79: messages in 'avro' are not built yet; json is"},
        Mistake{"Operator", "- {impute: [TotalCharges], with: median}",
                "- {lag: [tenure], steps: [1]}",
                "p.yaml:17:5: 'lag' is made of the past of a key: it needs a 'target' to "
                "forecast"},
        Mistake{"TwoOperators", "with: median}", "one_hot: [gender]}",
                "p.yaml:17:5: 'impute' and 'one_hot' are two operators; each is an item of its own "
                "(- ...)"},
        Mistake{"ImputeValue", "with: median}", "with: median, value: 3}",
                "p.yaml:17:51: 'value' is for 'with: constant'"},
        Mistake{"ImputeConstant", "with: median}", "with: constant}",
                "p.yaml:17:5: 'with: constant' needs a 'value'"},
        Mistake{"Pattern", "'[0-9]{4}-[A-Z]{5}'", "'[0-9'",
                "p.yaml:8:43: field 'customerID': pattern '[0-9': missing ]: [0-9"},
        Mistake{"MinOfText", "{type: category, values: [Female, Male]}", "{type: string, min: 0}",
                "p.yaml:9:39: 'min' is for an integer or number; field 'gender' is a string\n"
                "p.yaml:16:5: one_hot: field 'gender' is of type string, which makes no feature; "
                "only numbers, booleans and categories do"},
        Mistake{"MinAboveMax", "min: 0, max: 100", "min: 100, max: 0",
                "p.yaml:10:19: field 'tenure': 'min' is greater than 'max'"},
        Mistake{"DuplicateField", "  gender: ", "  tenure: ",
                "p.yaml:10:3: the key 'tenure' is already given at p.yaml:9:3"}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Sections, CrossCheck,
    testing::Values(
        Mistake{
            "Segments", "delivery: exactly_once", "report: {segments: [Contrat]}",
            "p.yaml:6:20: 'report.segments': field 'Contrat' is not in the schema, did you mean "
            "'Contract'?"},
        Mistake{
            "SegmentType", "delivery: exactly_once", "report: {segments: [customerID]}",
            "p.yaml:6:20: 'report.segments': field 'customerID' must be a category, a boolean or "
            "an integer, it is a string"},
        Mistake{
            "RiskField", "delivery: exactly_once", "report: {risk_fields: [tenur]}",
            "p.yaml:6:23: 'report.risk_fields': field 'tenur' is not in the schema, did you mean "
            "'tenure'?"},
        Mistake{"Weight", "delivery: exactly_once", "sample_weight: gender",
                "p.yaml:6:16: 'sample_weight': field 'gender' must be a number, it is a category"},
        Mistake{"SplitKey", "delivery: exactly_once", "split: {kind: hash, key: customer}",
                "p.yaml:6:26: 'split.key': field 'customer' is not in the schema, did you mean "
                "'customerID'?"},
        Mistake{"SplitKeyMissing", "delivery: exactly_once", "split: {kind: hash}",
                "p.yaml:6:15: 'kind: hash' needs a 'key', the field to hash"},
        Mistake{"SplitKeyIdle", "delivery: exactly_once", "split: {key: tenure}",
                "p.yaml:6:14: 'key' is for 'kind: hash'"},
        Mistake{
            "Rename", "delivery: exactly_once", "csv: {rename: {Tenure: tenur}}",
            "p.yaml:6:24: 'csv.rename.Tenure': field 'tenur' is not in the schema, did you mean "
            "'tenure'?"},
        Mistake{"Separator", "delivery: exactly_once", "csv: {separator: '::'}",
                "p.yaml:6:18: 'separator': expected one ASCII character or 'tab', found '::'"},
        Mistake{"DecimalComma", "delivery: exactly_once", "csv: {decimal_comma: true}",
                "p.yaml:6:22: 'decimal_comma: true' needs a 'separator' other than a comma"},
        Mistake{"TimestampField", "delivery: exactly_once",
                "csv: {timestamp: {field: tenure, columns: [d], format: '%F'}}",
                "p.yaml:6:26: 'csv.timestamp.field': field 'tenure' must be a timestamp, it is an "
                "integer"},
        Mistake{"TimestampFormat", "delivery: exactly_once",
                "csv: {timestamp: {field: event_ts, columns: [d], format: '%d/%m/%y'}}",
                "p.yaml:6:58: '%y' is no conversion of a time format; %Y %m %d %H %M %S %f %F %T "
                "and %% are"},
        Mistake{"TimestampKeys", "delivery: exactly_once",
                "csv: {timestamp: {field: event_ts, columns: [d]}}",
                "p.yaml:6:18: 'csv.timestamp.format' is missing"},
        Mistake{"Constants", "delivery: exactly_once", "csv: {constants: {Tenure: 1}}",
                "p.yaml:6:27: 'csv.constants.Tenure': field 'Tenure' is not in the schema, did you "
                "mean 'tenure'?"},
        Mistake{
            "Group", "delivery: exactly_once", "group: 'my group'",
            "p.yaml:6:8: 'group': 'my group' is no legal group name (1 to 249 of a-z A-Z 0-9 . _ "
            "-)"},
        Mistake{"BreakerRatio", "partitions: 1}", "stop_above: {window: 5}}",
                "p.yaml:5:52: 'dead_letter.stop_above.ratio' is missing"},
        Mistake{"BreakerZero", "partitions: 1}", "stop_above: {ratio: 0}}",
                "p.yaml:5:60: 'ratio' is 0, must be above 0 and at most 1"},
        Mistake{
            "TwoNamesOfOneSetting", "partitions: 1}",
            "message_bytes_max: 4KiB, max.message.bytes: 4096}",
            "p.yaml:5:84: 'max.message.bytes' and 'message_bytes_max' are one setting; give one"},
        Mistake{"TopicConfig", "partitions: 1}", "topic_config: {retention.ms: 5}}",
                "p.yaml:5:69: 'retention.ms' has a key of its own beside 'topic': retention"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace millrace::spec
