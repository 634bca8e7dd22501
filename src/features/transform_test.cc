#include "features/transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "env/random.h"
#include "json/json.h"

namespace millrace::features {
namespace {

using data::Cell;
using data::Field;
using data::FieldType;
using data::Schema;
using testing::ElementsAre;
using testing::HasSubstr;

Field field(std::string name, FieldType type, std::vector<std::string> values = {}) {
  Field out;
  out.name = std::move(name);
  out.type = type;
  out.values = std::move(values);
  return out;
}

enum Place : std::size_t { kId, kAge, kPaid, kActive, kPlan, kPet, kChurn, kFields };

Schema make_schema() {
  std::vector<Field> fields = {
      field("id", FieldType::kString),
      field("age", FieldType::kInteger),
      field("paid", FieldType::kNumber),
      field("active", FieldType::kBoolean),
      field("plan", FieldType::kCategory, {"free", "basic", "pro"}),
      field("pet", FieldType::kCategory, {"no", "yes"}),
      field("churn", FieldType::kCategory, {"No", "Yes"}),
  };
  fields[kChurn].label = true;
  auto schema = Schema::make(std::move(fields));
  EXPECT_TRUE(schema);
  return *schema;
}

Cell level(int code) { return code < 0 ? Cell::missing() : Cell::of_category(code, ""); }
Cell number(double value) { return std::isnan(value) ? Cell::missing() : Cell::of_number(value); }
const double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<Cell> row_of(double age, double paid, int plan, int pet) {
  return {Cell::of_text("x"), number(age), number(paid), number(1),
          level(plan),        level(pet),  level(0)};
}

CellTable table_of(const std::vector<std::vector<Cell>>& rows) {
  CellTable table(kFields);
  for (const auto& row : rows) table.add_row(row);
  return table;
}

std::vector<std::size_t> all_rows(const CellTable& table) {
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

Transform fitted(const std::vector<Operator>& operators, const CellTable& table) {
  auto transform = Transform::fit(operators, make_schema(), table, all_rows(table));
  EXPECT_TRUE(transform) << (transform ? "" : transform.error().message());
  return *transform;
}

std::vector<double> applied(const Transform& transform, const std::vector<Cell>& row) {
  std::vector<double> out(transform.columns(), -1);
  data::RecordErrors errors;
  EXPECT_TRUE(transform.apply(row, out, errors));
  EXPECT_TRUE(errors.empty());
  return out;
}

// Equal to the bit, NaN included.
bool same_bits(std::span<const double> a, std::span<const double> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  });
}

std::string refusal(const std::vector<Operator>& operators) {
  const Status status = Transform::check(operators, make_schema());
  if (status) return "";
  EXPECT_EQ(status.error().code(), ErrorCode::kConfig);
  return status.error().message();
}

TEST(Transform, ColumnsFollowFirstMention) {
  const CellTable table = table_of({row_of(30, 5, 0, 0)});
  const Transform transform = fitted({OneHot{{"plan"}, Drop::kFirst}, Impute{{"paid", "age"}},
                                      Ordinal{{"pet"}}, Standardize{{"age"}}, Numeric{{"active"}}},
                                     table);
  EXPECT_THAT(transform.names(),
              ElementsAre("plan=basic", "plan=pro", "paid", "age", "pet", "active"));
  EXPECT_EQ(transform.columns(), 6U);
}

TEST(Transform, MedianIsTheMeanOfTheMiddleTwo) {
  const CellTable table = table_of(
      {row_of(1, 1, 0, 0), row_of(9, 10, 0, 0), row_of(2, kNone, 0, 0), row_of(4, 2, 0, 0)});
  const Transform transform = fitted({Impute{{"age", "paid"}}}, table);
  EXPECT_THAT(applied(transform, row_of(kNone, kNone, 0, 0)), ElementsAre(3, 2));
  EXPECT_THAT(applied(transform, row_of(7, 8, 0, 0)), ElementsAre(7, 8));
}

TEST(Transform, MeanAndConstantFill) {
  const CellTable table = table_of({row_of(1, 1, 0, 0), row_of(2, kNone, 0, 0)});
  const Transform transform = fitted(
      {Impute{{"age"}, ImputeWith::kMean}, Impute{{"paid"}, ImputeWith::kConstant, -7.5}}, table);
  EXPECT_THAT(applied(transform, row_of(kNone, kNone, 0, 0)), ElementsAre(1.5, -7.5));
}

TEST(Transform, StandardizeIsFittedAfterImputation) {
  // Paid becomes 1, 3, 2 (the median): mean 2, population deviation sqrt(2/3).
  const CellTable table =
      table_of({row_of(1, 1, 0, 0), row_of(1, 3, 0, 0), row_of(1, kNone, 0, 0)});
  const Transform transform = fitted({Impute{{"paid"}}, Standardize{{"paid", "age"}}}, table);
  const auto out = applied(transform, row_of(4, 3, 0, 0));
  EXPECT_DOUBLE_EQ(out[0], 1 / std::sqrt(2.0 / 3));
  EXPECT_DOUBLE_EQ(out[1], 3);  // a constant field is centred and divided by 1
  EXPECT_DOUBLE_EQ(applied(transform, row_of(1, kNone, 0, 0))[0], 0);
}

TEST(Transform, MissingWithoutImputeIsNaN) {
  const CellTable table = table_of({row_of(1, 1, 0, 0), row_of(3, 3, 0, 0)});
  const Transform transform = fitted({Numeric{{"age"}}, Standardize{{"paid"}}}, table);
  const auto out = applied(transform, row_of(kNone, kNone, 0, 0));
  EXPECT_TRUE(std::isnan(out[0]));
  EXPECT_TRUE(std::isnan(out[1]));
}

TEST(Transform, OneHotDropsAndIgnoresTheUnknown) {
  const CellTable table = table_of({row_of(1, 1, 0, 0)});
  const Transform none = fitted({OneHot{{"plan", "pet"}}}, table);
  EXPECT_THAT(applied(none, row_of(1, 1, 0, 1)), ElementsAre(1, 0, 0, 0, 1));
  EXPECT_THAT(applied(none, row_of(1, 1, -1, -1)), ElementsAre(0, 0, 0, 0, 0));
  const Transform first = fitted({OneHot{{"plan", "pet"}, Drop::kFirst}}, table);
  EXPECT_THAT(applied(first, row_of(1, 1, 0, 1)), ElementsAre(0, 0, 1));
  EXPECT_THAT(applied(first, row_of(1, 1, 2, 0)), ElementsAre(0, 1, 0));
  const Transform binary = fitted({OneHot{{"plan", "pet"}, Drop::kIfBinary}}, table);
  EXPECT_THAT(binary.names(), ElementsAre("plan=free", "plan=basic", "plan=pro", "pet=yes"));
}

TEST(Transform, OrdinalIsTheLevelsPlace) {
  const Transform transform = fitted({Ordinal{{"plan"}}}, table_of({row_of(1, 1, 0, 0)}));
  EXPECT_THAT(applied(transform, row_of(1, 1, 2, 0)), ElementsAre(2));
  EXPECT_TRUE(std::isnan(applied(transform, row_of(1, 1, -1, 0))[0]));
}

TEST(Transform, UnknownErrorStopsTrainingAndSetsTheRecordAside) {
  const std::vector<Operator> operators = {OneHot{{"plan"}, Drop::kNone, Unknown::kError},
                                           Ordinal{{"pet"}, Unknown::kError}};
  const CellTable bad = table_of({row_of(1, 1, 0, 0), row_of(1, 1, -1, 0)});
  const auto stopped = Transform::fit(operators, make_schema(), bad, all_rows(bad));
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(stopped.error().message(), HasSubstr("row 1"));

  const Transform transform = fitted(operators, table_of({row_of(1, 1, 0, 0)}));
  std::vector<double> out(transform.columns());
  data::RecordErrors errors;
  EXPECT_FALSE(transform.apply(row_of(1, 1, -1, -1), out, errors));
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].code, data::RecordCode::kUnknownValue);
  EXPECT_EQ(errors[0].field, "plan");
  EXPECT_EQ(errors[1].field, "pet");
}

// A field with one level, dropped, has no column; its step must not touch those of others.
TEST(Transform, ADroppedSingleLevelHasNoColumn) {
  std::vector<Field> fields = make_schema().fields();
  fields[kPlan].values = {"only"};
  fields[kPet].values = {"only"};
  const Schema schema = *Schema::make(fields);
  const CellTable table = table_of({row_of(5, 1, 0, 0)});
  const auto transform =
      Transform::fit({Numeric{{"age"}}, OneHot{{"plan"}, Drop::kFirst, Unknown::kIgnore},
                      OneHot{{"pet"}, Drop::kFirst, Unknown::kError}},
                     schema, table, all_rows(table));
  ASSERT_TRUE(transform) << transform.error().message();
  EXPECT_THAT(transform->names(), ElementsAre("age"));
  EXPECT_THAT(applied(*transform, row_of(5, 1, 0, 0)), ElementsAre(5));
  EXPECT_THAT(applied(*transform, row_of(5, 1, -1, 0)), ElementsAre(5));
  std::vector<double> out(1);
  data::RecordErrors errors;
  EXPECT_FALSE(transform->apply(row_of(5, 1, 0, -1), out, errors));
}

TEST(Transform, ValueBeyondFloatSetsTheRecordAside) {
  const Transform transform = fitted({Numeric{{"age", "paid"}}}, table_of({row_of(1, 1, 0, 0)}));
  std::vector<double> out(transform.columns());
  data::RecordErrors errors;
  EXPECT_FALSE(transform.apply(row_of(1, 1e39, 0, 0), out, errors));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].code, data::RecordCode::kNonFinite);
  EXPECT_EQ(errors[0].field, "paid");
  EXPECT_TRUE(transform.apply(row_of(1, -3.4e38, 0, 0), out, errors));
}

TEST(Transform, FitLooksOnlyAtTheGivenRows) {
  const CellTable table = table_of({row_of(1, 1, 0, 0), row_of(1000, 1, 0, 0), row_of(3, 1, 0, 0)});
  const auto transform = Transform::fit({Impute{{"age"}, ImputeWith::kMean}}, make_schema(), table,
                                        std::vector<std::size_t>{0, 2});
  ASSERT_TRUE(transform);
  EXPECT_THAT(applied(*transform, row_of(kNone, 1, 0, 0)), ElementsAre(2));
}

TEST(Transform, NothingToFitIsBadData) {
  const CellTable table = table_of({row_of(kNone, 1, 0, 0)});
  const auto transform = Transform::fit({Impute{{"age"}}}, make_schema(), table, all_rows(table));
  ASSERT_FALSE(transform);
  EXPECT_EQ(transform.error().code(), ErrorCode::kBadData);
  EXPECT_THAT(transform.error().message(), HasSubstr("'age'"));
}

TEST(TransformCheck, NamesEveryProblem) {
  EXPECT_THAT(refusal({Numeric{{"agge"}}}), HasSubstr("did you mean 'age'?"));
  EXPECT_THAT(refusal({OneHot{{"churn"}}}), HasSubstr("is the label"));
  EXPECT_THAT(refusal({Numeric{{"plan"}}}), HasSubstr("use one_hot or ordinal"));
  EXPECT_THAT(refusal({Numeric{{"id"}}}), HasSubstr("type string"));
  EXPECT_THAT(refusal({OneHot{{"age"}}}), HasSubstr("declare it as a category"));
  EXPECT_THAT(refusal({OneHot{{"active"}}}), HasSubstr("declare it as a category"));
  EXPECT_THAT(refusal({Numeric{{"age", "age"}}}), HasSubstr("twice"));
  EXPECT_THAT(refusal({Numeric{{"age"}}, Impute{{"age"}}}), HasSubstr("already, by numeric"));
  EXPECT_THAT(refusal({Standardize{{"age"}}, Impute{{"age"}}}), HasSubstr("put impute first"));
  EXPECT_THAT(refusal({Impute{{"age"}, ImputeWith::kConstant, kNone}}), HasSubstr("finite"));
  EXPECT_THAT(refusal({Numeric{}}), HasSubstr("names no field"));
  EXPECT_THAT(refusal({}), HasSubstr("no column"));
  const std::string two = refusal({Numeric{{"agge"}}, OneHot{{"age"}}});
  EXPECT_EQ(std::count(two.begin(), two.end(), '\n'), 1);
  EXPECT_EQ(refusal({Impute{{"age"}}, Standardize{{"age"}}, OneHot{{"plan"}}}), "");
}

const std::vector<Operator> kEverything = {
    Impute{{"age"}, ImputeWith::kMean}, Standardize{{"age", "paid"}}, Numeric{{"active"}},
    OneHot{{"plan"}, Drop::kFirst, Unknown::kIgnore}, Ordinal{{"pet"}, Unknown::kError}};

CellTable random_table(std::uint64_t seed, std::size_t rows) {
  env::Random random(seed);
  CellTable table(kFields);
  for (std::size_t i = 0; i < rows; ++i) {
    const double age = random.below(10) == 0 ? kNone : random.normal() * 1e3;
    const double paid = random.below(7) == 0 ? kNone : std::exp(random.normal() * 9);
    table.add_row(row_of(age, paid, static_cast<int>(random.below(4)) - 1,
                         static_cast<int>(random.below(2))));
  }
  return table;
}

RC_GTEST_PROP(TransformProperty, JsonRoundTripIsBitIdentical, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const CellTable table = random_table(seed, 50);
  const Transform before = fitted(kEverything, table);
  const std::string text = json::to_pretty(before.to_json());
  const auto parsed = json::parse(text, "transform");
  RC_ASSERT(static_cast<bool>(parsed));
  const auto after = Transform::from_json(*parsed, make_schema());
  RC_ASSERT(static_cast<bool>(after));
  RC_ASSERT(after->fingerprint() == before.fingerprint());
  RC_ASSERT(json::to_pretty(after->to_json()) == text);
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const std::vector<Cell> row(table.row(i).begin(), table.row(i).end());
    RC_ASSERT(same_bits(applied(before, row), applied(*after, row)));
  }
}

RC_GTEST_PROP(TransformProperty, OrderOfRowsDoesNotMatter, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const CellTable table = random_table(seed, 60);
  env::Random random(seed + 1);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (random.below(3) != 0) rows.push_back(i);
  }
  const auto before = Transform::fit(kEverything, make_schema(), table, rows);
  for (std::size_t i = rows.size() - 1; i > 0; --i) std::swap(rows[i], rows[random.below(i + 1)]);
  const auto after = Transform::fit(kEverything, make_schema(), table, rows);
  RC_ASSERT(static_cast<bool>(before) && static_cast<bool>(after));
  RC_ASSERT(before->fingerprint() == after->fingerprint());
}

TEST(TransformFingerprint, ChangesWithWhatIsComputed) {
  const CellTable table = random_table(3, 40);
  const CellTable other = random_table(4, 40);
  const Transform base = fitted(kEverything, table);
  EXPECT_EQ(base.fingerprint().size(), 16U);
  EXPECT_EQ(base.fingerprint(), fitted(kEverything, table).fingerprint());
  EXPECT_NE(base.fingerprint(), fitted(kEverything, other).fingerprint());
  auto operators = kEverything;
  std::get<OneHot>(operators[3]).drop = Drop::kNone;
  EXPECT_NE(base.fingerprint(), fitted(operators, table).fingerprint());
}

std::string load_error(const json::Value& value, const Schema& schema = make_schema()) {
  const auto transform = Transform::from_json(value, schema);
  if (transform) return "";
  EXPECT_EQ(transform.error().code(), ErrorCode::kBadModel);
  return transform.error().message();
}

TEST(TransformFromJson, RefusesWhatDoesNotFit) {
  const json::Value good = fitted(kEverything, random_table(1, 30)).to_json();
  EXPECT_EQ(load_error(good), "");
  const auto with = [&good](const char* key, const json::Value& value) {
    json::Value out = good;
    out[key] = value;
    return out;
  };
  EXPECT_THAT(load_error(json::Value::array()), HasSubstr("format"));
  EXPECT_THAT(load_error(with("format", 2)), HasSubstr("format"));
  EXPECT_THAT(load_error(with("format", "1")), HasSubstr("format"));
  EXPECT_THAT(load_error(with("operators", 1)), HasSubstr("not a list"));
  EXPECT_THAT(load_error(with("operators", json::Value::array({{{"magic", "x"}}}))),
              HasSubstr("no known kind"));
  EXPECT_THAT(load_error(with("fields", json::Value::array())), HasSubstr("fields"));
  EXPECT_THAT(load_error(with("columns", json::Value::array({"a"}))), HasSubstr("column names"));
  EXPECT_THAT(load_error(with("fitted", json::Value::object())), HasSubstr("lacks a fitted fill"));
  json::Value scale = good;
  scale["fitted"]["age"]["scale"] = 0.0;
  EXPECT_THAT(load_error(scale), HasSubstr("not a sound number"));
  scale["fitted"]["age"]["scale"] = nullptr;
  EXPECT_THAT(load_error(scale), HasSubstr("not a sound number"));
}

TEST(TransformFromJson, RefusesAnotherSchema) {
  const json::Value good = fitted(kEverything, random_table(1, 30)).to_json();
  std::vector<Field> fields = make_schema().fields();
  std::swap(fields[kPlan].values[0], fields[kPlan].values[1]);
  EXPECT_THAT(load_error(good, *Schema::make(fields)), HasSubstr("'plan' was"));
  fields = make_schema().fields();
  fields.erase(fields.begin() + kAge);
  EXPECT_THAT(load_error(good, *Schema::make(fields)), HasSubstr("'age' is not in the schema"));
}

// Fields of the schema may move: the fields are found by name.
TEST(TransformFromJson, TheOrderOfTheSchemaIsFree) {
  const CellTable table = random_table(1, 30);
  const Transform before = fitted(kEverything, table);
  std::vector<Field> fields = make_schema().fields();
  std::reverse(fields.begin(), fields.end());
  const auto after = Transform::from_json(before.to_json(), *Schema::make(fields));
  ASSERT_TRUE(after);
  const std::vector<Cell> row(table.row(7).begin(), table.row(7).end());
  EXPECT_TRUE(same_bits(applied(before, row), applied(*after, {row.rbegin(), row.rend()})));
}

}  // namespace
}  // namespace millrace::features
