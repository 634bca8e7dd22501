#include "train/statistics.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/check.h"
#include "json/json.h"

namespace millrace::train {
namespace {

// The q-quantile of sorted values, between neighbours by place.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

json::Value number_statistics(const data::Field& field, std::vector<double> values,
                              std::size_t missing) {
  json::Value out = {
      {"type", std::string(to_string(field.type))}, {"count", values.size()}, {"missing", missing}};
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());  // sums do not depend on the order of rows
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  double variance = 0;
  for (const double value : values) variance += (value - mean) * (value - mean) / n;
  out["mean"] = mean;
  out["std"] = std::sqrt(variance);
  out["min"] = values.front();
  out["max"] = values.back();
  json::Value quantiles = json::Value::array();
  for (int step = 0; step <= kQuantileSteps; ++step) {
    quantiles.push_back(quantile(values, static_cast<double>(step) / kQuantileSteps));
  }
  out["quantiles"] = std::move(quantiles);
  return out;
}

json::Value of_numbers(const data::Field& field, const features::CellTable& table,
                       std::size_t index) {
  std::vector<double> values;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const data::Cell& cell = table.row(i)[index];
    if (cell.state == data::CellState::kNumber) values.push_back(cell.number);
  }
  const std::size_t missing = table.rows() - values.size();
  return number_statistics(field, std::move(values), missing);
}

json::Value of_levels(const data::Field& field, const features::CellTable& table,
                      std::size_t index) {
  std::vector<std::size_t> counts(field.values.size(), 0);
  std::size_t known = 0;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const data::Cell& cell = table.row(i)[index];
    if (cell.state != data::CellState::kCategory) continue;
    CHECK(cell.code >= 0 && static_cast<std::size_t>(cell.code) < counts.size());
    ++counts[static_cast<std::size_t>(cell.code)];
    ++known;
  }
  json::Value levels = json::Value::object();
  for (std::size_t level = 0; level < counts.size(); ++level) {
    levels[field.values[level]] = counts[level];
  }
  return {{"type", std::string(to_string(field.type))},
          {"count", known},
          {"missing", table.rows() - known},
          {"levels", std::move(levels)}};
}

}  // namespace

json::Value feature_statistics(const data::Schema& schema, const features::CellTable& table) {
  CHECK(table.columns() == schema.size());
  json::Value out = json::Value::object();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const data::Field& field = schema.field(i);
    if (field.pii) continue;
    if (data::is_numeric(field.type)) out[field.name] = of_numbers(field, table, i);
    if (field.type == data::FieldType::kCategory) out[field.name] = of_levels(field, table, i);
  }
  return out;
}

}  // namespace millrace::train
