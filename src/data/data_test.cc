#include <gtest/gtest.h>

#include "data/cell.h"
#include "data/feature_batch.h"
#include "data/record_error.h"
#include "data/run_summary.h"
#include "data/schema.h"

namespace millrace::data {
namespace {

Field named(const std::string& name, FieldType type = FieldType::kNumber) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

TEST(Schema, FindsFieldsAndLabel) {
  Field label = named("Churn", FieldType::kCategory);
  label.values = {"No", "Yes"};
  label.label = true;
  const auto schema = Schema::make({named("tenure"), label});
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->find("Churn"), 1U);
  EXPECT_EQ(schema->label(), 1U);
  EXPECT_FALSE(schema->find("churn"));
}

TEST(Schema, RefusesContradictions) {
  EXPECT_FALSE(Schema::make({named("a"), named("a")}));
  EXPECT_FALSE(Schema::make({named("")}));
  EXPECT_FALSE(Schema::make({named("a", FieldType::kCategory)}));
  Field range = named("a");
  range.min = 2;
  range.max = 1;
  EXPECT_FALSE(Schema::make({range}));
}

TEST(Cell, IsSmall) { EXPECT_LE(sizeof(Cell), 32U); }

TEST(RecordError, MessageHasTheReferencesForm) {
  const RecordError error{RecordCode::kOutOfRange, "tenure", "200 is above the maximum 100"};
  EXPECT_EQ(error.message(), "Field 'tenure': 200 is above the maximum 100");
  EXPECT_EQ((RecordError{RecordCode::kParse, "", "empty"}).message(), "Field 'root': empty");
  EXPECT_EQ(to_string(type_of(RecordCode::kDuplicateKey)), "validation_error");
}

TEST(Histogram, QuantilesAreWithinAStep) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0);
  for (int i = 1; i <= 1000; ++i) histogram.add(i / 10.0);
  EXPECT_EQ(histogram.count(), 1000U);
  EXPECT_NEAR(histogram.quantile(0.5), 50, 2.5);
  EXPECT_NEAR(histogram.quantile(0.99), 99, 4);
  EXPECT_EQ(histogram.quantile(1), 100);
}

TEST(FeatureBatch, RowsAreContiguous) {
  FeatureBatch batch(2);
  batch.add_row()[1] = 5;
  batch.add_row()[0] = 7;
  EXPECT_EQ(batch.rows(), 2U);
  EXPECT_EQ(batch.row(0)[1], 5);
  EXPECT_EQ(batch.data()[2], 7);
  batch.remove_last_row();
  EXPECT_EQ(batch.rows(), 1U);
}

}  // namespace
}  // namespace millrace::data
