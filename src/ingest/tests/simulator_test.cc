#include "ingest/simulator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "codec/record_decoder.h"
#include "ingest/internal/generator.h"
#include "json/json.h"

namespace millrace::ingest {
namespace {

constexpr char kYaml[] = R"(
version: 1
fields:
  id: {kind: id, pattern: '[0-9]{4}-[A-Z]{2}'}
  senior: {kind: category, weights: {'0': 0.8, '1': 0.2}}
  plan:
    kind: category
    given: [senior]
    weights:
      '0': {basic: 0.75, pro: 0.25}
      '1': {basic: 0.25, pro: 0.75}
  months:
    kind: quantiles
    given: [plan]
    values:
      basic: [0, 10, 20]
      pro: [0, 30, 60]
  charges: {kind: linear, base: 20, terms: {plan: {pro: 15}, months: 0.1}, noise: 0.5, min: 18}
  total: {kind: product, of: [months, charges], noise: 0.01, blank_when: {months: 0}}
  churn:
    kind: logistic
    base: -1
    terms: {plan: {pro: 1}, months: [[0, 0.5], [60, -1.5]]}
    levels: ['No', 'Yes']
drift:
  plan: {kind: category, weights: {basic: 0.05, pro: 0.95}}
)";

data::Field field(std::string name, data::FieldType type) {
  data::Field made;
  made.name = std::move(name);
  made.type = type;
  return made;
}

data::Schema example_schema() {
  std::vector<data::Field> fields;
  fields.push_back(field("churn", data::FieldType::kCategory));
  fields.back().values = {"No", "Yes"};
  fields.back().label = true;
  fields.push_back(field("id", data::FieldType::kString));
  fields.push_back(field("senior", data::FieldType::kInteger));
  fields.back().min = 0;
  fields.back().max = 1;
  fields.push_back(field("plan", data::FieldType::kCategory));
  fields.back().values = {"basic", "pro"};
  fields.push_back(field("months", data::FieldType::kInteger));
  fields.push_back(field("charges", data::FieldType::kNumber));
  fields.push_back(field("total", data::FieldType::kNumber));
  fields.back().accept_text = true;
  fields.back().blank = data::Policy::kMissing;
  fields.push_back(field("event_ts", data::FieldType::kTimestamp));
  fields.back().required = false;
  return *data::Schema::make(std::move(fields));
}

Simulator example(std::uint64_t seed = 42, const SimulatorOptions& options = {}) {
  auto made = Simulator::make(example_schema(), kYaml, "s.yaml", "id", seed, options);
  EXPECT_TRUE(made) << made.error().message();
  return std::move(*made);
}

std::string error_of(const std::string& yaml) {
  const auto made = Simulator::make(example_schema(), yaml, "s.yaml", "id", 1, {});
  return made ? "(none)" : made.error().message();
}

std::string with(const std::string& from, const std::string& to) {
  std::string yaml = kYaml;
  yaml.replace(yaml.find(from), from.size(), to);
  return yaml;
}

TEST(Simulator, WritesFieldsInTheSchemasOrder) {
  Simulator simulator = example();
  std::string json;
  std::string key;
  ASSERT_EQ(simulator.next(json, key), Poison::kNone);
  const auto value = json::parse(json, "record");
  ASSERT_TRUE(value) << json;
  std::vector<std::string> names;
  for (const auto& item : value->items()) names.push_back(item.key());
  EXPECT_EQ(names, (std::vector<std::string>{"churn", "id", "senior", "plan", "months", "charges",
                                             "total"}));
  EXPECT_EQ((*value)["id"].get<std::string>(), key);
  EXPECT_TRUE((*value)["senior"].is_number_integer());
  EXPECT_TRUE((*value)["total"].is_string());
}

TEST(Simulator, TheSameSeedGivesTheSameRecords) {
  Simulator one = example(7);
  Simulator two = example(7);
  Simulator other = example(8);
  std::string first;
  std::string second;
  std::string third;
  std::string key;
  for (int i = 0; i < 100; ++i) {
    one.next(first, key);
    two.next(second, key);
    other.next(third, key);
    EXPECT_EQ(first, second);
    EXPECT_NE(first, third);
  }
}

TEST(Simulator, TheFirstRecordOfASeedNeverChanges) {
  Simulator simulator = example(42);
  std::string json;
  std::string key;
  simulator.next(json, key);
  EXPECT_EQ(json, R"({"churn":"Yes","id":"7288-RO","senior":0,"plan":"basic","months":5,)"
                  R"("charges":20.52,"total":"103.51"})");
}

TEST(Simulator, SharesAreThoseOfTheFile) {
  Simulator simulator = example();
  std::string json;
  std::string key;
  std::map<std::string, int> counts;
  std::set<std::string> keys;
  constexpr int kRecords = 20'000;
  for (int i = 0; i < kRecords; ++i) {
    simulator.next(json, key);
    keys.insert(key);
    const auto value = json::parse(json, "record");
    ASSERT_TRUE(value);
    if ((*value)["senior"] == 1) ++counts["senior"];
    if ((*value)["plan"] == "pro") ++counts["pro"];
    if ((*value)["churn"] == "Yes") ++counts["churn"];
    const int months = (*value)["months"].get<int>();
    const bool blank = (*value)["total"] == " ";
    EXPECT_EQ(blank, months == 0);
    if (months > 30) ++counts["long"];
  }
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kRecords));
  EXPECT_NEAR(counts["senior"] / double{kRecords}, 0.2, 0.01);
  EXPECT_NEAR(counts["pro"] / double{kRecords}, 0.8 * 0.25 + 0.2 * 0.75, 0.012);
  EXPECT_NEAR(counts["long"] / double{kRecords}, 0.35 / 2, 0.012);
  // E[1 / (1 + exp(-x))] over the mixture, integrated numerically.
  double churn = 0;
  for (int i = 0; i < 1000; ++i) {
    const double u = (i + 0.5) / 1000;
    const auto probability = [](double plan, double months) {
      return 1 / (1 + std::exp(-(-1 + plan + 0.5 - months / 30)));
    };
    churn += (0.65 * probability(0, 20 * u) + 0.35 * probability(1, 60 * u)) / 1000;
  }
  EXPECT_NEAR(counts["churn"] / double{kRecords}, churn, 0.012);
}

TEST(Simulator, EveryGoodRecordSatisfiesTheSchemaAndEveryBrokenOneDoesNot) {
  const data::Schema schema = example_schema();
  auto decoder = codec::RecordDecoder::make(schema, codec::Purpose::kScoring);
  ASSERT_TRUE(decoder);
  SimulatorOptions options;
  options.poison_rate = 0.3;
  Simulator simulator = example(3, options);
  std::map<Poison, int> seen;
  std::vector<data::Cell> cells(schema.size());
  std::string json;
  std::string key;
  for (int i = 0; i < 4000; ++i) {
    const Poison poison = simulator.next(json, key);
    ++seen[poison];
    data::RecordErrors errors;
    const bool good = decoder->decode_copy(json, cells, errors);
    EXPECT_EQ(good, poison == Poison::kNone) << to_string(poison) << ": " << printable(json);
    EXPECT_FALSE(key.empty());
  }
  EXPECT_NEAR(seen[Poison::kNone] / 4000.0, 0.7, 0.03);
  for (const Poison poison :
       {Poison::kTruncated, Poison::kWrongType, Poison::kUnknownCategory, Poison::kInvalidUtf8,
        Poison::kDuplicateKey, Poison::kEmpty, Poison::kNotAnObject, Poison::kOutOfRange}) {
    EXPECT_GT(seen[poison], 90) << to_string(poison);
  }
}

TEST(Simulator, PoisonLeavesTheOtherRecordsAsTheyWere) {
  SimulatorOptions options;
  options.poison_rate = 0.2;
  Simulator clean = example(5);
  Simulator poisoned = example(5, options);
  std::string expected;
  std::string json;
  std::string key;
  for (int i = 0; i < 200; ++i) {
    clean.next(expected, key);
    if (poisoned.next(json, key) == Poison::kNone) {
      EXPECT_EQ(json, expected);
    }
  }
}

TEST(Simulator, DriftReplacesGeneratorsFromItsRecordOn) {
  SimulatorOptions options;
  options.drift_after = 2000;
  Simulator plain = example(9);
  Simulator drifting = example(9, options);
  std::string expected;
  std::string json;
  std::string key;
  int pro = 0;
  for (int i = 0; i < 4000; ++i) {
    plain.next(expected, key);
    drifting.next(json, key);
    if (i < 2000) {
      EXPECT_EQ(json, expected);
    } else if (json.find(R"("plan":"pro")") != std::string::npos) {
      ++pro;
    }
  }
  EXPECT_NEAR(pro / 2000.0, 0.95, 0.02);
}

TEST(Simulator, DriftOfNumbersMovesThemByStandardDeviations) {
  SimulatorOptions options;
  options.drift_after = 0;
  options.drift_sigma = 1;
  Simulator plain = example(9);
  Simulator drifting = example(9, options);
  double before = 0;
  double after = 0;
  std::string json;
  std::string key;
  for (int i = 0; i < 2000; ++i) {
    plain.next(json, key);
    before += (*json::parse(json, ""))["months"].get<double>() / 2000;
    drifting.next(json, key);
    after += (*json::parse(json, ""))["months"].get<double>() / 2000;
  }
  EXPECT_GT(after, before * 1.4);
}

TEST(Simulator, DriftCanBeOfNamedFieldsOnly) {
  const auto names = [](const std::vector<std::string>& fields) {
    SimulatorOptions options;
    options.drift_after = 100;
    options.drift_fields = fields;
    return options;
  };
  Simulator plain = example(9);
  Simulator drifting = example(9, names({"months"}));
  std::string before;
  std::string after;
  std::string key;
  double moved = 0;
  for (int i = 0; i < 2000; ++i) {
    plain.next(before, key);
    drifting.next(after, key);
    if (i < 100) {
      EXPECT_EQ(before, after);
    }
    const json::Value was = json::parse(before, "").value();
    const json::Value is = json::parse(after, "").value();
    for (const char* same : {"id", "plan"}) {
      EXPECT_EQ(was.contains(same), is.contains(same));
      if (was.contains(same)) {
        EXPECT_EQ(was[same], is[same]) << i;
      }
    }
    moved += is["months"].get<double>() - was["months"].get<double>();
  }
  EXPECT_GT(moved / 1900, 1);
}

TEST(Simulator, DriftOfAnUnknownFieldIsRefusedWithTheNearest) {
  SimulatorOptions options;
  options.drift_fields = {"monts"};
  const auto made = Simulator::make(example_schema(), kYaml, "s.yaml", "id", 9, options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kUsage);
  EXPECT_NE(made.error().message().find("did you mean 'months'"), std::string::npos)
      << made.error().message();
}

TEST(Simulator, SaysWhereAFileIsWrong) {
  EXPECT_EQ(
      error_of(with("  senior: {kind: category, weights", "  seinor: {kind: category, weights")),
      "s.yaml:5:3: the schema has no field 'seinor', did you mean 'senior'?");
  EXPECT_EQ(error_of(with("{kind: linear, base", "{kind: lineal, base")),
            "s.yaml:18:19: unknown kind 'lineal', did you mean 'linear'?");
  EXPECT_EQ(error_of(with("noise: 0.5, min", "nois: 0.5, min")),
            "s.yaml:18:76: unknown key 'nois', did you mean 'noise'?");
  EXPECT_EQ(error_of(with("{basic: 0.75, pro", "{basik: 0.75, pro")),
            "s.yaml:10:13: 'basik' is no level of plan, did you mean 'basic'?");
  EXPECT_EQ(error_of(with("given: [senior]", "given: [months]")),
            "s.yaml:8:13: 'months' is not drawn above this field");
  EXPECT_EQ(error_of(with("[0, 10, 20]", "[0, 30, 20]")), "s.yaml:16:22: quantiles must not fall");
  EXPECT_EQ(error_of(with("0.2}}", "-0.2}}")), "s.yaml:5:53: a weight must not be negative");
  EXPECT_EQ(error_of(with("version: 1", "version: 2")),
            "s.yaml:2:10: expected version: 1, the only one there is");
  EXPECT_EQ(error_of(with("  senior: {kind: category, weights: {'0': 0.8, '1': 0.2}}\n", "")),
            "s.yaml:7:13: 'senior' is not drawn above this field");
}

TEST(Simulator, AForgottenCombinationIsFoundAtTheStart) {
  EXPECT_NE(error_of(with("      pro: [0, 30, 60]\n", "")).find("combination of levels"),
            std::string::npos);
}

TEST(Simulator, ARequiredFieldThatIsNotDrawnIsAnError) {
  EXPECT_NE(error_of(with("  total: {kind: product, of: [months, charges], noise: 0.01, "
                          "blank_when: {months: 0}}\n",
                          ""))
                .find("the required field 'total' is not drawn"),
            std::string::npos);
}

TEST(NormalQuantile, AgreesWithKnownValues) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-9);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-8);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-8);
  EXPECT_NEAR(normal_quantile(1 - 1e-9), 5.997807015007773, 1e-6);
}

}  // namespace
}  // namespace millrace::ingest
