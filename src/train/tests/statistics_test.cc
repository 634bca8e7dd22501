#include "train/statistics.h"

#include <gtest/gtest.h>

#include "json/json.h"

namespace millrace::train {
namespace {

using data::Cell;
using data::Field;
using data::FieldType;

data::Schema make_schema() {
  std::vector<Field> fields(4);
  fields[0].name = "id";
  fields[1].name = "age";
  fields[1].type = FieldType::kInteger;
  fields[2].name = "plan";
  fields[2].type = FieldType::kCategory;
  fields[2].values = {"free", "pro", "never seen"};
  fields[3].name = "salary";
  fields[3].type = FieldType::kNumber;
  fields[3].pii = true;
  auto schema = data::Schema::make(std::move(fields));
  EXPECT_TRUE(schema);
  return *schema;
}

TEST(FeatureStatistics, ByHand) {
  features::CellTable table(4);
  for (const int age : {4, 1, 3, 2}) {
    const std::vector<Cell> row = {Cell::of_text("x"), Cell::of_number(age),
                                   Cell::of_category(age == 4 ? 1 : 0, ""), Cell::of_number(1)};
    table.add_row(row);
  }
  const std::vector<Cell> nothing(4, Cell::missing());
  table.add_row(nothing);
  const json::Value out = feature_statistics(make_schema(), table);
  ASSERT_EQ(out.size(), 2U) << json::to_line(out);  // no texts, no pii
  const json::Value& age = out["age"];
  EXPECT_EQ(age["count"], 4);
  EXPECT_EQ(age["missing"], 1);
  EXPECT_EQ(age["mean"], 2.5);
  EXPECT_DOUBLE_EQ(age["std"].get<double>(), std::sqrt(1.25));
  EXPECT_EQ(age["min"], 1.0);
  EXPECT_EQ(age["max"], 4.0);
  ASSERT_EQ(age["quantiles"].size(), 21U);
  EXPECT_EQ(age["quantiles"][0], 1.0);
  EXPECT_EQ(age["quantiles"][10], 2.5);
  EXPECT_EQ(age["quantiles"][20], 4.0);
  EXPECT_EQ(json::to_line(out["plan"]), R"({"type":"category","count":4,"missing":1,)"
                                        R"("levels":{"free":3,"pro":1,"never seen":0}})");
}

TEST(FeatureStatistics, FieldWithoutValuesHasOnlyCounts) {
  features::CellTable table(4);
  const std::vector<Cell> nothing(4, Cell::missing());
  table.add_row(nothing);
  const json::Value out = feature_statistics(make_schema(), table);
  EXPECT_EQ(json::to_line(out["age"]), R"({"type":"integer","count":0,"missing":1})");
}

}  // namespace
}  // namespace millrace::train
