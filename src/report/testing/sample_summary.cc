#include "report/testing/sample_summary.h"

#include <cmath>

#include "env/random.h"

namespace millrace::report {

data::RunSummary sample_summary() {
  data::RunSummary s;
  s.pipeline = "telco-churn";
  s.model_version = "3-1f0c9ab2";
  s.label_field = "prediction";
  s.positive_label = "Yes";
  s.stop_reason = "caught_up";
  s.started = Timestamp(1'760'153'303'234);
  s.duration_s = 0.412;
  s.consumed = 7043;
  s.predicted = 7032;
  s.dead_lettered = 11;
  s.commits = 5;
  s.threshold = 0.5;
  s.by_label = {{"No", 5559}, {"Yes", 1473}};
  s.dead_letters_by_code = {{"out_of_range", 6}, {"missing_field", 3}, {"parse_error", 2}};
  s.dead_letters_by_field = {{"tenure", 5}, {"MonthlyCharges", 4}, {"", 2}};
  s.probability_histogram = {1780, 720, 510, 430, 395, 372, 340, 352, 338, 322,
                             300,  282, 251, 214, 178, 131, 72,  31,  11,  3};
  s.probability_sum = 7032 * 0.2654;
  s.segment_fields = {"Contract", "InternetService"};
  s.segments["Contract"] = {{"Month-to-month", {3868, 1404, 1652.3}},
                            {"One year", {1472, 66, 165.9}},
                            {"Two year", {1692, 3, 48.1}}};
  s.segments["InternetService"] = {{"DSL", {2416, 309, 459.2}},
                                   {"Fiber optic", {3090, 1154, 1293.5}},
                                   {"No", {1526, 10, 113.6}}};
  s.risk_fields = {"Contract", "InternetService", "tenure", "MonthlyCharges", "PaymentMethod"};
  const char* const keys[] = {"7216-EWTRS", "1069-XAIEM", "5178-LMXOP", "9603-OAIHC", "8098-LLAZX",
                              "3389-YGYAI", "2012-NWRPA", "0295-PPHDO", "5542-TBBWB", "6630-UJZMY"};
  double probability = 0.9712;
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    s.top_risk.push_back({keys[i],
                          probability,
                          {"Month-to-month", "Fiber optic", std::to_string(1 + i % 3),
                           std::to_string(95 + i) + ".45", "Electronic check"}});
    probability -= 0.0061;
  }
  env::Random random(7);
  for (std::uint64_t i = 0; i < s.predicted; ++i) {
    s.latency_ms.add(4.2 * std::exp(0.35 * random.normal()) + (i % 97 == 0 ? 9 : 0));
  }
  s.stage_cpu_ns = {{"decode", 9'100'000}, {"predict", 3'400'000}};
  return s;
}

ModelReport sample_model() {
  ModelReport r;
  r.pipeline = "telco-churn";
  r.model_version = "3-1f0c9ab2";
  r.rows_note = "They were held out of training.";
  r.outcome = "Churn = Yes";
  r.program = "millrace 0.1.0";
  env::Random random(11);
  for (int i = 0; i < 1409; ++i) {
    const double truth = 1 / (1 + std::exp(1.6 - 1.7 * random.normal()));
    r.labels.push_back(random.uniform() < truth ? 1 : 0);
    r.probabilities.push_back(std::round(truth * 1e6) / 1e6);
  }
  r.importances = {
      {"Contract=Month-to-month", 0.412},     {"tenure", 0.143},       {"MonthlyCharges", 0.094},
      {"InternetService=Fiber optic", 0.121}, {"TotalCharges", 0.051}, {"unused", 0}};
  r.facts = {{"Trees", "100"}, {"Depth", "3"}, {"Learning rate", "0.05"}, {"Seed", "42"}};
  return r;
}

data::RunSummary sample_forecasts() {
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kBegin = 1'078'941'600'000;  // 2004-03-10T18:00:00Z
  data::RunSummary s;
  s.pipeline = "air-quality";
  s.model_version = "2-0d9f11aa";
  s.stop_reason = "caught_up";
  s.started = Timestamp(1'760'153'303'234);
  s.duration_s = 0.25;
  s.consumed = 1030;
  s.predicted = 1000;
  s.dead_lettered = 30;
  s.commits = 3;
  s.forecast_target = "CO";
  s.forecasts = {72, 800, 280, -16, 736, Timestamp(kBegin + 399 * kHourMs)};
  s.dead_letters_by_code = {{"late", 20}, {"parse_error", 10}};
  data::ForecastFigures& f = s.figures.emplace();
  f.step = Milliseconds(kHourMs);
  f.first = Timestamp(kBegin);
  f.last = s.forecasts.newest;
  f.keys = {{"s1", 400, 24, {300, 90, -6, 276}},
            {"s2", 400, 24, {300, 120, -6, 270}},
            {"s3", 200, 24, {200, 70, -4, 190}}};
  f.span = Milliseconds(24 * kHourMs);
  f.spans_from = Timestamp(kBegin - 18 * kHourMs);
  for (std::uint64_t day = 0; day < 16; ++day)
    f.spans.push_back(day == 7 ? data::ForecastScore{}
                               : data::ForecastScore{50, 15 + static_cast<double>(day), -1, 46});
  f.course_key = "s1";
  for (int hour = 0; hour < 200; ++hour) {
    if (hour % 50 == 49) continue;
    const double measured = 2 + std::sin(hour / 4.0);
    f.course.push_back({Timestamp(kBegin + (200 + hour) * kHourMs), measured + 0.3 * std::cos(hour),
                        0.9, measured});
  }
  s.alerts = data::AlertRows{{{"NO2", "mean_shift", "raised", 1.7, 1.6, Timestamp(kBegin),
                               Timestamp(kBegin + 168 * kHourMs)}},
                             3};
  return s;
}

data::RunSummary hostile_forecasts() {
  data::RunSummary s = sample_forecasts();
  s.pipeline = s.model_version = s.stop_reason = kHostile;
  s.forecast_target = kHostile;
  s.dead_letters_by_code = {{kHostile, 20}};
  s.figures->keys[0].key = s.figures->course_key = kHostile;
  data::AlertRow& alert = s.alerts->rows[0];
  alert.feature = alert.statistic = alert.state = kHostile;
  return s;
}

data::RunSummary hostile_summary() {
  data::RunSummary s = sample_summary();
  s.pipeline = kHostile;
  s.model_version = kHostile;
  s.label_field = kHostile;
  s.positive_label = kHostile;
  s.stop_reason = kHostile;
  s.by_label = {{kHostile, 10}};
  s.dead_letters_by_code = {{kHostile, 11}};
  s.dead_letters_by_field = {{kHostile, 11}};
  s.segment_fields = {kHostile};
  s.segments = {{kHostile, {{kHostile, {7032, 10, 100}}}}};
  s.risk_fields = {kHostile};
  s.top_risk = {{kHostile, 0.9, {kHostile}}, {"=HYPERLINK(\"http://x\")", 0.8, {"@SUM(A1)"}}};
  return s;
}

}  // namespace millrace::report
