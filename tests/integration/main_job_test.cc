// The main job on real customers: every row of the CSV comes out scored.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "program.h"

namespace millrace::integration {
namespace {

constexpr int kTelcoRows = 7043;

std::string telco_csv() { return (*data_folder() / "Telco-Customer-Churn.csv").string(); }

// BUG-T1: the eleven blank TotalCharges are scored as training saw them, so that all 7,043 rows
// come out.
TEST(MainJob, EveryRealCustomerIsScored) {
  NEEDS_DATA();
  const Workplace place;
  ASSERT_EQ(place.run({"train", "telco-churn", "--data", telco_csv()}).exit_code, 0);
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", telco_csv()}).exit_code, 0);
  const Finished scored = place.run({"score", "telco-churn", "--mode", "batch", "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_EQ(scored.last_json()["consumed"], kTelcoRows);
  EXPECT_EQ(scored.last_json()["predicted"], kTelcoRows);
  EXPECT_EQ(scored.last_json()["dead_lettered"], 0);
  std::set<std::string> customers;
  for (const json::Value& message : place.dump("telco.churn.predictions")) {
    const auto prediction = json::parse(message["value"].get<std::string>(), "prediction");
    ASSERT_TRUE(prediction);
    EXPECT_EQ((*prediction)["customerID"], message["key"]);
    customers.insert(message["key"].get<std::string>());
  }
  EXPECT_EQ(customers.size(), static_cast<std::size_t>(kTelcoRows));
}

// BUG-T9: one threshold, and file and stream give the same answer to the digit.
TEST(MainJob, FileAndStreamAgreeOnEveryCustomer) {
  NEEDS_DATA();
  const Workplace place;
  ASSERT_EQ(place.run({"train", "telco-churn", "--data", telco_csv()}).exit_code, 0);
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", telco_csv()}).exit_code, 0);
  ASSERT_EQ(place.run({"score", "telco-churn", "--mode", "batch", "--set", "model.threshold=0.35"})
                .exit_code,
            0);
  const Finished file =
      place.run({"predict", "telco-churn", "--data", telco_csv(), "--set", "model.threshold=0.35"});
  ASSERT_EQ(file.exit_code, 0) << file.err;
  std::map<std::string, json::Value> by_customer;
  for (const json::Value& message : place.dump("telco.churn.predictions")) {
    by_customer[message["key"].get<std::string>()] =
        *json::parse(message["value"].get<std::string>(), "prediction");
  }
  const auto lines = file.json_lines();
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kTelcoRows));
  for (const json::Value& line : lines) {
    const json::Value& streamed = by_customer.at(line["customerID"].get<std::string>());
    ASSERT_EQ(line["churn_probability"], streamed["churn_probability"]);
    ASSERT_EQ(line["prediction"], streamed["prediction"]);
    const bool positive = line["churn_probability"].get<double>() >= 0.35;
    ASSERT_EQ(line["prediction"], positive ? "Yes" : "No");
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Whatever the input is written like, CSV output is commas, the input's columns, the prediction.
TEST(MainJob, PredictWritesCsvOfAnyInput) {
  const Workplace place;
  place.train_telco();
  const std::string rows = place.simulate(3) + "not json\n";
  place.write("rows.ndjson", rows);
  const Finished from_json =
      place.run({"predict", "telco-churn", "--data", "rows.ndjson", "--out", "json.csv"});
  EXPECT_EQ(from_json.exit_code, 65) << from_json.err;
  const auto json_lines = lines_of(*env::read_file(place.file("json.csv"), 1 << 20));
  ASSERT_EQ(json_lines.size(), 5U);
  EXPECT_EQ(json_lines[0].substr(0, 18), "customerID,gender,");
  const auto first = json::parse(lines_of(rows)[0], "row");
  EXPECT_EQ(json_lines[1].substr(0, 10), (*first)["customerID"].get<std::string>());
  EXPECT_NE(json_lines[4].find("not JSON"), std::string::npos);
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  EXPECT_EQ(commas(json_lines[1]), commas(json_lines[0]));
  EXPECT_EQ(json_lines[4].find_first_not_of(','), static_cast<std::size_t>(commas(json_lines[0])));

  std::string semicolons;
  for (const auto& [name, value] : first->items())
    semicolons += (semicolons.empty() ? "" : ";") + name;
  semicolons += "\n";
  for (const auto& [name, value] : first->items()) {
    semicolons += (semicolons.back() == '\n' ? "" : ";") +
                  (value.is_string() ? value.get<std::string>() : json::to_line(value));
  }
  place.write("rows.csv", semicolons + "\n");
  const Finished from_csv = place.run({"predict", "telco-churn", "--data", "rows.csv", "--out",
                                       "csv.csv", "--set", "csv.separator=';'"});
  EXPECT_EQ(from_csv.exit_code, 0) << from_csv.err;
  const auto csv_lines = lines_of(*env::read_file(place.file("csv.csv"), 1 << 20));
  ASSERT_EQ(csv_lines.size(), 2U);
  EXPECT_EQ(commas(csv_lines[1]), commas(csv_lines[0]));
}

// What one command prints another takes: standard input may be CSV or NDJSON.
TEST(MainJob, StandardInputIsCsvOrNdjson) {
  const Workplace place;
  place.train_telco();
  const std::string rows = place.simulate(20);
  const Finished produced =
      place.run_with_input({"produce", "telco-churn", "--data", "-", "--json"}, rows);
  EXPECT_EQ(produced.exit_code, 0) << produced.err;
  EXPECT_EQ(produced.last_json()["sent"], 20);
  const Finished predicted = place.run_with_input({"predict", "telco-churn", "--data", "-"}, rows);
  EXPECT_EQ(predicted.json_lines().size(), 20U);
  EXPECT_EQ(place
                .run_with_input({"produce", "telco-churn", "--data", "-", "--json"},
                                "customerID,tenure\n0001-ABCDE,4\n")
                .exit_code,
            65);
}

// Where scoring goes on after a stop is the log's business: a second window finds nothing to do.
TEST(MainJob, SecondRunHasNothingLeftToDo) {
  const Workplace place;
  place.train_telco();
  place.write("in.ndjson", place.simulate(300, {"--seed", "7"}));
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.ndjson"}).exit_code, 0);
  EXPECT_EQ(
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json()["consumed"],
      300);
  EXPECT_EQ(
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json()["consumed"], 0);
  const Finished again = place.run({"produce", "telco-churn", "--data", "in.ndjson", "--json"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.last_json()["sent"], 0);
  EXPECT_EQ(place.dump("telco.churn.predictions").size(), 300U);
}

// BUG-T10: a live customer has no label.
TEST(MainJob, LabelIsNotRequiredWhenScoring) {
  const Workplace place;
  place.train_telco();
  std::string rows;
  for (const json::Value& line :
       place.run({"simulate", "telco-churn", "--count", "20"}).json_lines()) {
    json::Value customer = line;
    customer.erase("Churn");
    rows += json::to_line(customer) + "\n";
  }
  place.write("in.ndjson", rows);
  ASSERT_EQ(place.run({"produce", "telco-churn", "--data", "in.ndjson", "--validate"}).exit_code,
            0);
  EXPECT_EQ(
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json()["predicted"],
      20);
}

// BUG-T11: the model's columns, the matrix of `transform` and the manifest are the same thing.
TEST(MainJob, TransformPrintsTheModelsOwnColumns) {
  const Workplace place;
  place.train_telco();
  const Finished transformed =
      place.run({"transform", "telco-churn", "--data", "train.ndjson", "--out", "x.csv"});
  ASSERT_EQ(transformed.exit_code, 0) << transformed.err;
  const std::string csv = *env::read_file(place.file("x.csv"), 1 << 26);
  const std::string header = csv.substr(0, csv.find('\n'));
  const json::Value manifest = place.run({"model", "show", "telco-churn", "--json"}).last_json();
  std::string expected;
  for (const json::Value& name : manifest["features"]) {
    expected += (expected.empty() ? "" : ",") + name.get<std::string>();
  }
  EXPECT_EQ(header, expected);
}

// BUG-T12: figures belong to one model, on rows it has not seen, and say at which threshold.
TEST(MainJob, EvaluateMeasuresUnseenRowsAndLeavesAPage) {
  const Workplace place;
  place.write("rows.ndjson", place.simulate(2000));
  const Finished finished =
      place.run({"evaluate", "telco-churn", "--data", "rows.ndjson", "--json"});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const json::Value result = finished.last_json();
  EXPECT_EQ(result["rows_train"].get<int>() + result["rows_test"].get<int>(), 2000);
  EXPECT_EQ(result["metrics"]["rows"], result["rows_test"]);
  EXPECT_EQ(result["metrics"]["threshold"], 0.5);
  const json::Value& confusion = result["metrics"]["confusion"];
  const double recall =
      confusion["true_positive"].get<double>() /
      (confusion["true_positive"].get<double>() + confusion["false_negative"].get<double>());
  EXPECT_DOUBLE_EQ(result["metrics"]["recall"].get<double>(), recall);
  const env::Path page = place.path() / result["report"].get<std::string>();
  EXPECT_NE(env::read_file(page, 1 << 26)->find("<svg"), std::string::npos);
}

// With the other level called positive, a model's answers turn with it: what is measured is what
// `score` would publish.
TEST(MainJob, EvaluateOfAModelFollowsThePipelinesPositiveLevel) {
  const Workplace place;
  place.train_telco();
  place.write("rows.ndjson", place.simulate(500, {"--seed", "9"}));
  const std::vector<std::string> plain = {"evaluate", "telco-churn", "--data", "rows.ndjson",
                                          "--model",  "1",           "--json"};
  std::vector<std::string> turned = plain;
  turned.insert(turned.end(), {"--set", "output.positive=No"});
  const json::Value yes = place.run(plain).last_json()["metrics"];
  const json::Value no = place.run(turned).last_json()["metrics"];
  EXPECT_GT(yes["auc"].get<double>(), 0.7);
  EXPECT_DOUBLE_EQ(no["auc"].get<double>(), yes["auc"].get<double>());
  EXPECT_EQ(no["positives"].get<int>(), 500 - yes["positives"].get<int>());
  EXPECT_EQ(no["confusion"]["true_positive"], yes["confusion"]["true_negative"]);
}

// A pipeline whose features were edited since is not silently scored with the old ones.
TEST(MainJob, ModelOfOtherFeaturesRefusesToStart) {
  const Workplace place;
  place.train_telco();
  place.write("rows.ndjson", place.simulate(50));
  const std::string other = "features=[{numeric: [tenure]}]";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"score", "telco-churn", "--mode", "batch"},
        {"predict", "telco-churn", "--data", "rows.ndjson"},
        {"evaluate", "telco-churn", "--data", "rows.ndjson", "--model", "1"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--set", other});
    const Finished refused = place.run(arguments);
    EXPECT_EQ(refused.exit_code, 78) << command[0];
    EXPECT_NE(refused.err.find("other features"), std::string::npos) << refused.err;
  }
}

// BUG-T12: a window of a run leaves a summary with real content.
TEST(MainJob, WindowLeavesASummaryAndAPage) {
  const Workplace place;
  place.train_telco();
  ASSERT_EQ(place.run({"produce", "telco-churn", "--count", "500", "--seed", "3"}).exit_code, 0);
  const json::Value result =
      place.run({"score", "telco-churn", "--mode", "batch", "--json"}).last_json();
  const std::string text =
      *env::read_file(place.path() / result["summary"].get<std::string>(), 1 << 26);
  const auto summary = json::parse(text, "summary");
  ASSERT_TRUE(summary);
  EXPECT_EQ((*summary)["total_predictions"], 500);
  EXPECT_GT((*summary)["average_churn_probability"].get<double>(), 0.05);
  EXPECT_TRUE((*summary)["segments"].contains("Contract"));
  EXPECT_EQ((*summary)["high_risk_customers"].size(), 10U);
  const std::string page =
      *env::read_file(place.path() / result["report"].get<std::string>(), 1 << 26);
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org"));  // nothing is fetched
}

}  // namespace
}  // namespace millrace::integration
