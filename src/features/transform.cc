#include "features/transform.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "env/digest.h"
#include "features/internal/fitted.h"
#include "features/internal/operator_json.h"
#include "features/internal/plan.h"
#include "json/json.h"

namespace millrace::features {
namespace {

using internal::Fitted;
using internal::Plan;
using internal::PlanEntry;
using internal::PlanKind;

constexpr int kFormat = 1;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Models compute in float; what does not fit there is not finite to them.
constexpr double kMagnitudeMax = std::numeric_limits<float>::max();

// The transform as a flat program: numbers first, then levels. Small, in one piece of memory each.
struct NumberStep {
  std::uint32_t cell = 0;
  std::uint32_t column = 0;
  double fill = kNaN;  // NaN: missing stays missing
  double mean = 0;
  double scale = 1;  // (x - 0) / 1 is x, so every number goes the same way
};

struct LevelStep {
  std::uint32_t cell = 0;
  std::uint32_t column = 0;  // of the first level that has one; of the value with ordinal
  std::uint32_t levels = 0;
  std::uint32_t dropped = 0;         // leading levels without a column, fewer than `levels`
  std::uint32_t refuse_unknown = 0;  // 1 with Unknown::kError
};

// A field as the fitted transform needs to find it again.
json::Value field_json(const data::Field& field) {
  json::Value out = {{"name", field.name}, {"type", std::string(to_string(field.type))}};
  if (field.type == data::FieldType::kCategory) out["values"] = field.values;
  return out;
}

json::Value fitted_json(const Fitted& fitted) {
  json::Value out = json::Value::object();
  if (fitted.fill) out["fill"] = *fitted.fill;
  if (fitted.mean) out["mean"] = *fitted.mean;
  if (fitted.scale) out["scale"] = *fitted.scale;
  return out;
}

Error bad_model(const std::string& what) {
  return Error(ErrorCode::kBadModel, "the model's features: " + what);
}

// One value of a fitted field: there exactly when the plan has it.
Result<std::optional<double>> read_value(const json::Value& object, const std::string& field,
                                         const std::string& key, bool expected) {
  const bool there = object.is_object() && object.contains(key);
  if (there != expected) {
    return bad_model("field '" + field + "' " + (expected ? "lacks" : "should not have") +
                     " a fitted " + key);
  }
  if (!expected) return std::optional<double>();
  const json::Value& value = object.at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>()) ||
      (key == "scale" && value.get<double>() <= 0)) {
    return bad_model("field '" + field + "' has a fitted " + key + " that is not a sound number");
  }
  return std::optional<double>(value.get<double>());
}

Result<Fitted> read_fitted(const json::Value& all, const std::string& field,
                           const PlanEntry& entry) {
  const bool there = all.is_object() && all.contains(field);
  const json::Value object = there ? all.at(field) : json::Value::object();
  Fitted fitted;
  MILLRACE_ASSIGN(fitted.fill, read_value(object, field, "fill", entry.impute.has_value()));
  MILLRACE_ASSIGN(fitted.mean, read_value(object, field, "mean", entry.standardize));
  MILLRACE_ASSIGN(fitted.scale, read_value(object, field, "scale", entry.standardize));
  return fitted;
}

bool has_fitted(const PlanEntry& entry) { return entry.impute || entry.standardize; }

}  // namespace

struct Transform::State {
  std::vector<Operator> operators;
  Plan plan;
  std::vector<data::Field> fields;  // of each plan entry
  std::vector<Fitted> fitted;       // of each plan entry
  std::size_t cells = 0;            // a record has so many
  std::string fingerprint;

  std::vector<NumberStep> numbers;
  std::vector<LevelStep> one_hots;
  std::vector<LevelStep> ordinals;

  State(std::vector<Operator> ops, Plan made, std::vector<Fitted> values,
        const data::Schema& schema);
  json::Value to_json() const;
  void explain(std::span<const data::Cell> row, std::span<const double> out,
               data::RecordErrors& errors) const;
};

Transform::State::State(std::vector<Operator> ops, Plan made, std::vector<Fitted> values,
                        const data::Schema& schema)
    : operators(std::move(ops)),
      plan(std::move(made)),
      fitted(std::move(values)),
      cells(schema.size()) {
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const PlanEntry& entry = plan.entries[i];
    fields.push_back(schema.field(entry.field));
    const auto cell = static_cast<std::uint32_t>(entry.field);
    const auto column = static_cast<std::uint32_t>(entry.column);
    if (entry.kind == PlanKind::kNumber) {
      numbers.push_back({cell, column, fitted[i].fill.value_or(kNaN), fitted[i].mean.value_or(0),
                         fitted[i].scale.value_or(1)});
      continue;
    }
    LevelStep step{cell, column, static_cast<std::uint32_t>(fields.back().values.size()),
                   static_cast<std::uint32_t>(entry.dropped),
                   entry.unknown == Unknown::kError ? 1U : 0U};
    if (entry.kind == PlanKind::kOrdinal) {
      ordinals.push_back(step);
    } else if (entry.columns > 0) {
      one_hots.push_back(step);
    } else {
      // A single level, dropped. The step still refuses the unknown; its 0 goes to the first column
      // of all, before any other step writes there.
      step.column = 0;
      one_hots.insert(one_hots.begin(), step);
    }
  }
  fingerprint = env::sha256_hex(json::to_line(to_json())).substr(0, 16);
}

json::Value Transform::State::to_json() const {
  json::Value out = {{"format", kFormat}};
  out["operators"] = json::Value::array();
  for (const Operator& op : operators) out["operators"].push_back(internal::operator_to_json(op));
  out["fields"] = json::Value::array();
  for (const data::Field& field : fields) out["fields"].push_back(field_json(field));
  out["fitted"] = json::Value::object();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (has_fitted(plan.entries[i])) out["fitted"][fields[i].name] = fitted_json(fitted[i]);
  }
  out["columns"] = plan.names;
  return out;
}

Status Transform::check(const std::vector<Operator>& operators, const data::Schema& schema) {
  if (auto plan = internal::make_plan(operators, schema); !plan) return plan.error();
  return {};
}

namespace {

// Numbers of one field in the training rows, and how many are missing.
struct Column {
  std::vector<double> values;
  std::size_t missing = 0;
};

Column numbers_of(const CellTable& table, std::span<const std::size_t> rows, std::size_t field) {
  Column column;
  column.values.reserve(rows.size());
  for (const std::size_t row : rows) {
    const data::Cell& cell = table.row(row)[field];
    if (cell.state == data::CellState::kNumber) {
      column.values.push_back(cell.number);
    } else {
      ++column.missing;
    }
  }
  return column;
}

// With `unknown: error`, no training row may lack the level.
Status check_levels(const CellTable& table, std::span<const std::size_t> rows,
                    const PlanEntry& entry, const std::string& field) {
  if (entry.unknown == Unknown::kIgnore) return {};
  for (const std::size_t row : rows) {
    if (table.row(row)[entry.field].state == data::CellState::kCategory) continue;
    return Error(ErrorCode::kBadData, "row " + std::to_string(row) + " (from 0): field '" + field +
                                          "' is missing or has an unknown value, and its feature "
                                          "says unknown: error");
  }
  return {};
}

}  // namespace

Result<Transform> Transform::fit(const std::vector<Operator>& operators, const data::Schema& schema,
                                 const CellTable& table, std::span<const std::size_t> rows) {
  CHECK(table.columns() == schema.size());
  MILLRACE_ASSIGN(Plan plan, internal::make_plan(operators, schema));
  std::vector<Fitted> fitted(plan.entries.size());
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const PlanEntry& entry = plan.entries[i];
    const std::string& name = schema.field(entry.field).name;
    if (entry.kind != PlanKind::kNumber) {
      MILLRACE_TRY(check_levels(table, rows, entry, name));
    } else if (has_fitted(entry)) {
      Column column = numbers_of(table, rows, entry.field);
      MILLRACE_ASSIGN(fitted[i],
                      internal::fit_number(entry, name, std::move(column.values), column.missing));
    }
  }
  return Transform(
      std::make_shared<const State>(operators, std::move(plan), std::move(fitted), schema));
}

json::Value Transform::to_json() const { return state_->to_json(); }

Result<Transform> Transform::from_json(const json::Value& value, const data::Schema& schema) {
  if (!value.is_object() || value.value("format", json::Value()) != kFormat) {
    return bad_model("not of format " + std::to_string(kFormat));
  }
  for (const char* key : {"operators", "fields", "fitted", "columns"}) {
    if (!value.contains(key)) return bad_model("'" + std::string(key) + "' is missing");
  }
  if (!value.at("operators").is_array()) return bad_model("'operators' is not a list");
  std::vector<Operator> operators;
  for (const json::Value& item : value.at("operators")) {
    MILLRACE_ASSIGN(Operator op, internal::operator_from_json(item));
    operators.push_back(std::move(op));
  }
  auto plan = internal::make_plan(operators, schema);
  if (!plan) return bad_model("they do not suit this schema: " + plan.error().message());
  const json::Value& fields = value.at("fields");
  if (!fields.is_array() || fields.size() != plan->entries.size()) {
    return bad_model("'fields' does not list the fields that the operators read");
  }
  std::vector<Fitted> fitted;
  for (std::size_t i = 0; i < plan->entries.size(); ++i) {
    const data::Field& field = schema.field(plan->entries[i].field);
    const json::Value here = field_json(field);
    if (fields[i] != here) {
      return bad_model("field '" + field.name + "' was " + json::to_line(fields[i]) +
                       " in training and is " + json::to_line(here) + " in this pipeline");
    }
    MILLRACE_ASSIGN(Fitted values, read_fitted(value.at("fitted"), field.name, plan->entries[i]));
    fitted.push_back(values);
  }
  if (value.at("columns") != json::Value(plan->names)) {
    return bad_model("their column names are not those that the operators make");
  }
  return Transform(std::make_shared<const State>(std::move(operators), std::move(*plan),
                                                 std::move(fitted), schema));
}

const std::vector<Operator>& Transform::operators() const { return state_->operators; }

std::size_t Transform::columns() const { return state_->plan.names.size(); }

const std::vector<std::string>& Transform::names() const { return state_->plan.names; }

const std::string& Transform::fingerprint() const { return state_->fingerprint; }

bool Transform::apply(std::span<const data::Cell> cells, std::span<double> out,
                      data::RecordErrors& errors) const {
  const State& state = *state_;
  CHECK(cells.size() == state.cells && out.size() == columns());
  const data::Cell* const cell = cells.data();
  double* const to = out.data();
  std::memset(to, 0, out.size_bytes());
  unsigned bad = 0;
  for (const LevelStep& step : state.one_hots) {
    const data::Cell& from = cell[step.cell];
    const auto code = static_cast<std::uint32_t>(from.code);
    const auto category = static_cast<unsigned>(from.state == data::CellState::kCategory);
    // Without branches, for levels look random to a predictor. A code below `dropped`, of -1, or
    // beyond the levels is not shown: it writes a 0 to the first column, which is 0 anyway.
    const std::uint32_t place = code - step.dropped;
    const unsigned shown = category & static_cast<unsigned>(place < step.levels - step.dropped);
    to[step.column + (place & (0U - shown))] = static_cast<double>(static_cast<int>(shown));
    const unsigned known = category & static_cast<unsigned>(code < step.levels);
    bad |= step.refuse_unknown & (known ^ 1U);
  }
  for (const NumberStep& step : state.numbers) {
    const data::Cell& from = cell[step.cell];
    const double x = from.state == data::CellState::kNumber ? from.number : step.fill;
    const double y = (x - step.mean) / step.scale;
    to[step.column] = y;
    bad |= static_cast<unsigned>(std::abs(y) > kMagnitudeMax);  // false for NaN, which is missing
  }
  for (const LevelStep& step : state.ordinals) {
    const data::Cell& from = cell[step.cell];
    const auto code = static_cast<std::uint32_t>(from.code);
    const bool known = from.state == data::CellState::kCategory && code < step.levels;
    to[step.column] = known ? static_cast<double>(code) : kNaN;
    bad |= step.refuse_unknown & static_cast<unsigned>(!known);
  }
  if (bad == 0) [[likely]] {
    return true;
  }
  state.explain(cells, out, errors);
  return false;
}

// The slow way, once a record is known to be bad: which fields, and why.
void Transform::State::explain(std::span<const data::Cell> row, std::span<const double> out,
                               data::RecordErrors& errors) const {
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    if (errors.size() >= data::kRecordErrorsMax) return;
    const PlanEntry& entry = plan.entries[i];
    const data::Cell& cell = row[entry.field];
    if (entry.kind == PlanKind::kNumber) {
      if (!(std::abs(out[entry.column]) > kMagnitudeMax)) continue;
      errors.push_back({data::RecordCode::kNonFinite, fields[i].name,
                        "its feature is not a finite number in the model's precision"});
    } else if (entry.unknown == Unknown::kError &&
               (cell.state != data::CellState::kCategory || cell.code < 0 ||
                static_cast<std::size_t>(cell.code) >= fields[i].values.size())) {
      errors.push_back({data::RecordCode::kUnknownValue, fields[i].name,
                        "is missing or has an unknown value, and its feature says unknown: error"});
    }
  }
}

}  // namespace millrace::features
