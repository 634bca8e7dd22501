#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "env/random.h"
#include "eval/metrics.h"

namespace millrace::train {
namespace {

using data::Cell;
using data::Field;
using data::FieldType;
using testing::HasSubstr;

data::Schema make_schema() {
  std::vector<Field> fields(6);
  fields[0].name = "id";
  fields[1].name = "tenure";
  fields[1].type = FieldType::kInteger;
  fields[2].name = "charges";
  fields[2].type = FieldType::kNumber;
  fields[3].name = "contract";
  fields[3].type = FieldType::kCategory;
  fields[3].values = {"month", "year"};
  fields[4].name = "secret";
  fields[4].type = FieldType::kNumber;
  fields[4].pii = true;
  fields[5].name = "churn";
  fields[5].type = FieldType::kCategory;
  fields[5].values = {"No", "Yes"};
  fields[5].label = true;
  auto schema = data::Schema::make(std::move(fields));
  EXPECT_TRUE(schema);
  return *schema;
}

const std::vector<features::Operator> kOperators = {
    features::Impute{{"charges"}}, features::Numeric{{"tenure"}}, features::OneHot{{"contract"}}};

features::CellTable make_table(std::size_t rows) {
  env::Random random(99);
  features::CellTable table(6);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto tenure = static_cast<double>(random.below(72));
    const bool monthly = random.below(2) == 0;
    const double risk = (monthly ? 1.5 : -1.5) - tenure / 24 + random.normal();
    const std::vector<Cell> row = {
        Cell::of_text("x"),
        Cell::of_number(tenure),
        random.below(9) == 0 ? Cell::missing() : Cell::of_number(20 + random.uniform() * 100),
        Cell::of_category(monthly ? 0 : 1, ""),
        Cell::of_number(1),
        Cell::of_category(risk > 0 ? 1 : 0, "")};
    table.add_row(row);
  }
  return table;
}

// All that a training needs, with the input that refers to it.
struct Example {
  data::Schema schema = make_schema();
  features::CellTable table = make_table(1000);
  std::vector<int> labels = *binary_labels(schema, table, 1);
  eval::Split split = *eval::stratified_split(labels, 0.2, 42);
  TrainingInput input{schema, kOperators, {}, table, labels, {}, split, 6, {}};
};

TEST(Trainer, MeasuresOnHoldoutAndRefitsOnAll) {
  Example example;
  example.input.parameters.trees = 30;
  const auto result = train_and_measure(example.input);
  ASSERT_TRUE(result) << result.error().message();
  EXPECT_EQ(result->rows_trained, 1000U);
  EXPECT_EQ(result->rows_holdout, example.split.test.size());
  EXPECT_EQ(result->metrics_holdout["rows"], example.split.test.size());
  EXPECT_EQ(result->metrics_train["rows"], example.split.train.size());
  EXPECT_GT(result->metrics_holdout["auc"].get<double>(), 0.8);

  const auto holdout = train_holdout(example.input);
  ASSERT_TRUE(holdout);
  EXPECT_EQ(holdout->metrics_holdout, result->metrics_holdout);
  EXPECT_NE(model::to_json(holdout->model.ensemble), model::to_json(result->model.ensemble));
}

// The measured transform must not have seen the rows it is measured on.
TEST(Trainer, HoldoutRowsDoNotReachTheFit) {
  Example example;
  example.input.parameters.trees = 5;
  const auto before = train_holdout(example.input);
  features::CellTable other(6);
  std::vector<bool> held_out(example.table.rows(), false);
  for (const std::size_t row : example.split.test) held_out[row] = true;
  for (std::size_t i = 0; i < example.table.rows(); ++i) {
    std::vector<Cell> row(example.table.row(i).begin(), example.table.row(i).end());
    if (held_out[i]) row[2] = Cell::of_number(1e6);
    other.add_row(row);
  }
  const TrainingInput input{example.schema,
                            kOperators,
                            example.input.parameters,
                            other,
                            example.labels,
                            {},
                            example.split,
                            6,
                            {}};
  const auto after = train_holdout(input);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->model.transform.fingerprint(), after->model.transform.fingerprint());
  EXPECT_EQ(model::to_json(before->model.ensemble), model::to_json(after->model.ensemble));
}

TEST(Trainer, CanaryRowsCarryTheReferenceAnswers) {
  Example example;
  example.input.parameters.trees = 10;
  const auto result = train_and_measure(example.input);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->canary.rows.size(), kCanaryRows);
  ASSERT_EQ(result->canary.probabilities.size(), kCanaryRows);
  const auto& ensemble = result->model.ensemble;
  for (std::size_t i = 0; i < kCanaryRows; ++i) {
    EXPECT_EQ(result->canary.probabilities[i],
              model::apply_link(ensemble.link,
                                model::predict_margin_reference(ensemble, result->canary.rows[i])));
  }
}

TEST(Trainer, ImportancesNameTheModelsOwnColumns) {
  Example example;
  example.input.parameters.trees = 20;
  const auto result = train_and_measure(example.input);
  ASSERT_TRUE(result);
  const auto& names = result->model.transform.names();
  ASSERT_FALSE(result->feature_importances.empty());
  double before = 1;
  for (const auto& entry : result->feature_importances) {
    EXPECT_THAT(names, testing::Contains(entry["feature"].get<std::string>()));
    EXPECT_LE(entry["gain"].get<double>(), before);
    before = entry["gain"].get<double>();
  }
  EXPECT_THAT(result->feature_importances[0]["feature"].get<std::string>(),
              testing::AnyOf("contract=month", "contract=year", "tenure"));
}

TEST(Trainer, ProgressNamesBothHalvesAndStops) {
  Example example;
  example.input.parameters.trees = 3;
  std::vector<std::string> stages;
  example.input.progress = [&](std::string_view stage, std::uint32_t done, std::uint32_t all) {
    EXPECT_EQ(all, 3U);
    if (done == all) stages.emplace_back(stage);
    return true;
  };
  ASSERT_TRUE(train_and_measure(example.input));
  EXPECT_THAT(stages, testing::ElementsAre("hold-out", "all rows"));
  example.input.progress = [](std::string_view, std::uint32_t, std::uint32_t) { return false; };
  EXPECT_EQ(train_and_measure(example.input).error().code(), ErrorCode::kInterrupted);
}

TEST(Trainer, SameInputSameModel) {
  Example example;
  example.input.parameters.trees = 15;
  const auto first = train_and_measure(example.input);
  const auto second = train_and_measure(example.input);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(model::to_json(first->model.ensemble), model::to_json(second->model.ensemble));
  EXPECT_EQ(first->model.transform.to_json(), second->model.transform.to_json());
  EXPECT_EQ(first->feature_statistics, second->feature_statistics);
}

TEST(Measure, LabelIsDecidedOnTheRoundedProbability) {
  const std::vector<int> labels = {1, 0};
  const std::vector<double> p = {0.4999996, 0.1};
  EXPECT_EQ(measure(labels, p, {0.5, 6})["recall"], 1.0);
  EXPECT_EQ(measure(labels, p, {0.5, 9})["recall"], 0.0);
}

TEST(Measure, UndefinedMetricsAreNull) {
  const json::Value metrics = measure(std::vector<int>{1, 1}, std::vector<double>{0.3, 0.9}, {});
  EXPECT_TRUE(metrics["auc"].is_null());
  EXPECT_EQ(metrics["baseline"]["accuracy"], 1.0);
  EXPECT_EQ(metrics["base_rate"], 1.0);
}

TEST(Measure, HoldsEveryMetric) {
  const std::vector<int> labels = {0, 0, 1, 1, 1};
  const std::vector<double> p = {0.2, 0.5, 0.5, 0.4, 0.9};
  const json::Value metrics = measure(labels, p, {});
  EXPECT_EQ(metrics["rows"], 5);
  EXPECT_EQ(metrics["positives"], 3);
  EXPECT_EQ(metrics["auc"], eval::roc_auc(labels, p));
  EXPECT_EQ(metrics["confusion"]["true_positive"], 2);
  EXPECT_EQ(metrics["npv"], 0.5);
  EXPECT_EQ(metrics["calibration"].size(), 10U);
  for (const char* key : {"pr_auc", "log_loss", "brier", "accuracy", "precision", "recall", "f1",
                          "specificity", "ece", "threshold"}) {
    EXPECT_TRUE(metrics[key].is_number()) << key;
  }
}

TEST(EvaluateModel, RefusesAnEnsembleOfOtherColumns) {
  Example example;
  example.input.parameters.trees = 2;
  const auto model = fit_model(example.input, example.split.train);
  ASSERT_TRUE(model);
  model::TreeEnsemble other = model->ensemble;
  other.features += 1;
  const auto refused = evaluate_model(model->transform, other, example.table, example.labels,
                                      example.split.test, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBadModel);
  EXPECT_EQ(evaluate_model(model->transform, model->ensemble, example.table, example.labels, {}, {})
                .error()
                .code(),
            ErrorCode::kBadData);
}

TEST(BinaryLabels, NamesTheRowWithoutOne) {
  const data::Schema schema = make_schema();
  features::CellTable table = make_table(3);
  std::vector<Cell> row(table.row(0).begin(), table.row(0).end());
  row[5] = Cell::missing();
  table.add_row(row);
  const auto labels = binary_labels(schema, table, 1);
  ASSERT_FALSE(labels);
  EXPECT_THAT(labels.error().message(), HasSubstr("row 3"));
}

TEST(BinaryLabels, TheOtherLevelMayBePositive) {
  const data::Schema schema = make_schema();
  const features::CellTable table = make_table(50);
  const auto yes = binary_labels(schema, table, 1);
  const auto no = binary_labels(schema, table, 0);
  ASSERT_TRUE(yes && no);
  for (std::size_t i = 0; i < yes->size(); ++i) EXPECT_EQ((*yes)[i] + (*no)[i], 1);
}

}  // namespace
}  // namespace millrace::train
