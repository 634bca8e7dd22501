// The telco churn schema and one message of it, for tests, benchmarks and fuzzing.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "data/schema.h"

namespace millrace::codec::testing {

inline data::Field category(std::string name, std::vector<std::string> values) {
  data::Field field;
  field.name = std::move(name);
  field.type = data::FieldType::kCategory;
  field.values = std::move(values);
  return field;
}

inline data::Field numeric(std::string name, data::FieldType type, double min, double max) {
  data::Field field;
  field.name = std::move(name);
  field.type = type;
  field.min = min;
  field.max = max;
  return field;
}

inline std::vector<data::Field> telco_fields() {
  using data::FieldType;
  using data::Policy;
  const std::vector<std::string> yes_no = {"No", "Yes"};
  const std::vector<std::string> service = {"No", "No internet service", "Yes"};
  data::Field id;
  id.name = "customerID";
  id.pattern = "[0-9]{4}-[A-Z]{5}";
  data::Field total = numeric("TotalCharges", FieldType::kNumber, 0, 1e9);
  total.accept_text = true;
  total.blank = total.null = Policy::kMissing;
  data::Field churn = category("Churn", yes_no);
  churn.label = true;
  churn.required = false;
  data::Field time;
  time.name = "event_ts";
  time.type = FieldType::kTimestamp;
  time.required = false;
  return {id,
          category("gender", {"Female", "Male"}),
          numeric("SeniorCitizen", FieldType::kInteger, 0, 1),
          category("Partner", yes_no),
          category("Dependents", yes_no),
          numeric("tenure", FieldType::kInteger, 0, 100),
          category("PhoneService", yes_no),
          category("MultipleLines", {"No", "No phone service", "Yes"}),
          category("InternetService", {"DSL", "Fiber optic", "No"}),
          category("OnlineSecurity", service),
          category("OnlineBackup", service),
          category("DeviceProtection", service),
          category("TechSupport", service),
          category("StreamingTV", service),
          category("StreamingMovies", service),
          category("Contract", {"Month-to-month", "One year", "Two year"}),
          category("PaperlessBilling", yes_no),
          category("PaymentMethod", {"Bank transfer (automatic)", "Credit card (automatic)",
                                     "Electronic check", "Mailed check"}),
          numeric("MonthlyCharges", FieldType::kNumber, 0, 200),
          total,
          churn,
          time};
}

inline data::Schema telco_schema() {
  auto schema = data::Schema::make(telco_fields());
  CHECK(schema.has_value());
  schema->unknown_fields_allowed = false;
  return std::move(*schema);
}

inline constexpr std::string_view kTelcoMessage =
    R"({"customerID":"7760-OYPDY","gender":"Female","SeniorCitizen":0,"Partner":"Yes",)"
    R"("Dependents":"No","tenure":2,"PhoneService":"Yes","MultipleLines":"No",)"
    R"("InternetService":"Fiber optic","OnlineSecurity":"No","OnlineBackup":"No",)"
    R"("DeviceProtection":"No","TechSupport":"No","StreamingTV":"Yes","StreamingMovies":"No",)"
    R"("Contract":"Month-to-month","PaperlessBilling":"Yes","PaymentMethod":"Electronic check",)"
    R"("MonthlyCharges":70.7,"TotalCharges":"151.65","Churn":"Yes",)"
    R"("event_ts":"2025-10-11T03:28:23.234190Z"})";

}  // namespace millrace::codec::testing
