#include "features/internal/series_json.h"

#include <array>
#include <cmath>
#include <utility>

#include "features/internal/series_program.h"
#include "json/json.h"

namespace millrace::features::internal {
namespace {

constexpr std::array<std::pair<CausalFill, const char*>, 4> kFills{{
    {CausalFill::kNone, "none"},
    {CausalFill::kCarryForward, "carry_forward"},
    {CausalFill::kSeasonal, "seasonal"},
    {CausalFill::kPastMean, "past_mean"},
}};
constexpr int kCalendarParts = 11;
constexpr int kStatistics = 4;

Error bad(const std::string& what) {
  return Error(ErrorCode::kBadModel, "the model's features: " + what);
}

struct ToJson {
  json::Value operator()(const Fill& op) const {
    json::Value out = {{"fill", op.fields}, {"limit", op.limit}, {"season", op.season}};
    for (const auto& [value, word] : kFills) {
      if (value == op.with) out["with"] = word;
    }
    return out;
  }
  json::Value operator()(const Clip& op) const {
    return {{"clip", op.fields}, {"min", op.min}, {"max", op.max}};
  }
  json::Value operator()(const Lag& op) const { return {{"lag", op.fields}, {"steps", op.steps}}; }
  json::Value operator()(const Difference& op) const {
    return {{"difference", op.fields}, {"steps", op.steps}};
  }
  json::Value operator()(const Ema& op) const { return {{"ema", op.fields}, {"spans", op.spans}}; }
  json::Value operator()(const Rolling& op) const {
    json::Value out = {{"rolling", op.fields}, {"windows", op.windows}};
    out["statistics"] = json::Value::array();
    for (const RollingStatistic each : op.statistics)
      out["statistics"].push_back(std::string(word_of(each)));
    return out;
  }
  json::Value operator()(const Slope& op) const {
    return {{"slope", op.fields}, {"windows", op.windows}};
  }
  json::Value operator()(const Interact& op) const { return {{"interact", op.columns}}; }
  json::Value operator()(const MinMax& op) const {
    return {{"min_max", op.columns}, {"min", op.min}, {"max", op.max}};
  }
  json::Value operator()(const Calendar& op) const {
    json::Value out = {{"calendar", json::Value::array()}};
    for (const CalendarPart part : op.parts) out["calendar"].push_back(std::string(word_of(part)));
    return out;
  }
};

// One operator's object, read key by key; the first thing that is wrong is kept.
class Object {
 public:
  Object(const json::Value& value, const char* name) : value_(value), name_(name) {}

  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> out;
    for (const json::Value& item : list(key)) {
      if (!item.is_string()) {
        note(key);
        return {};
      }
      out.push_back(item.get<std::string>());
    }
    return out;
  }
  std::vector<std::uint32_t> counts(const char* key) {
    std::vector<std::uint32_t> out;
    for (const json::Value& item : list(key)) {
      if (!item.is_number_unsigned() || item.get<std::uint64_t>() > kSeriesStepsMax) {
        note(key);
        return {};
      }
      out.push_back(item.get<std::uint32_t>());
    }
    return out;
  }
  std::uint32_t count(const char* key) {
    const auto found = value_.find(key);
    if (found != value_.end() && found->is_number_unsigned() &&
        found->get<std::uint64_t>() <= kSeriesStepsMax)
      return found->get<std::uint32_t>();
    note(key);
    return 0;
  }
  double number(const char* key) {
    const auto found = value_.find(key);
    if (found != value_.end() && found->is_number() && std::isfinite(found->get<double>()))
      return found->get<double>();
    note(key);
    return 0;
  }
  CausalFill fill(const char* key) {
    const auto found = value_.find(key);
    for (const auto& [fill, word] : kFills) {
      if (found != value_.end() && *found == word) return fill;
    }
    note(key);
    return CausalFill::kNone;
  }
  template <class Enum>
  std::vector<Enum> words(const char* key, int enumerators) {
    std::vector<Enum> out;
    for (const std::string& word : texts(key)) {
      const std::size_t before = out.size();
      for (int i = 0; i < enumerators; ++i) {
        if (word_of(static_cast<Enum>(i)) == word) out.push_back(static_cast<Enum>(i));
      }
      if (out.size() == before) note(key);
    }
    return out;
  }
  const std::string& problem() const { return problem_; }

 private:
  json::Value list(const char* key) {
    const auto found = value_.find(key);
    if (found != value_.end() && found->is_array()) return *found;
    note(key);
    return json::Value::array();
  }
  void note(const char* key) {
    if (problem_.empty())
      problem_ = "'" + std::string(key) + "' of " + name_ + " is missing or not sound";
  }

  const json::Value& value_;
  const char* name_;
  std::string problem_;
};

SeriesOperator read_operator(Object& from, std::string_view name) {
  if (name == "fill")
    return Fill{from.texts("fill"), from.fill("with"), from.count("limit"), from.count("season")};
  if (name == "clip") return Clip{from.texts("clip"), from.number("min"), from.number("max")};
  if (name == "lag") return Lag{from.texts("lag"), from.counts("steps")};
  if (name == "difference") return Difference{from.texts("difference"), from.counts("steps")};
  if (name == "ema") return Ema{from.texts("ema"), from.counts("spans")};
  if (name == "rolling")
    return Rolling{from.texts("rolling"), from.counts("windows"),
                   from.words<RollingStatistic>("statistics", kStatistics)};
  if (name == "slope") return Slope{from.texts("slope"), from.counts("windows")};
  if (name == "interact") return Interact{from.texts("interact")};
  if (name == "min_max")
    return MinMax{from.texts("min_max"), from.number("min"), from.number("max")};
  return Calendar{from.words<CalendarPart>("calendar", kCalendarParts)};
}

constexpr std::array kNames{"fill",    "clip",  "lag",      "difference", "ema",
                            "rolling", "slope", "interact", "min_max",    "calendar"};

Result<SeriesOperator> operator_of(const json::Value& value) {
  if (!value.is_object()) return bad("an operator is not an object");
  for (const char* const name : kNames) {
    if (!value.contains(name)) continue;
    Object object(value, name);
    SeriesOperator op = read_operator(object, name);
    if (!object.problem().empty()) return bad(object.problem());
    return op;
  }
  return bad("an operator is of no known kind: " + json::to_line(value).substr(0, 200));
}

}  // namespace

json::Value plan_to_json(const SeriesPlan& plan) {
  json::Value out = {{"step_ms", plan.step.count()}, {"tracked", plan.tracked}};
  out["operators"] = json::Value::array();
  for (const SeriesOperator& op : plan.operators)
    out["operators"].push_back(std::visit(ToJson{}, op));
  return out;
}

Result<SeriesPlan> plan_from_json(const json::Value& value) {
  SeriesPlan plan;
  const auto step = value.find("step_ms");
  if (step == value.end() || !step->is_number_integer()) return bad("'step_ms' is missing");
  plan.step = Milliseconds(step->get<std::int64_t>());
  Object object(value, "the series");
  plan.tracked = object.texts("tracked");
  if (!object.problem().empty()) return bad(object.problem());
  const auto operators = value.find("operators");
  if (operators == value.end() || !operators->is_array()) return bad("'operators' is not a list");
  for (const json::Value& item : *operators) {
    MILLRACE_ASSIGN(SeriesOperator op, operator_of(item));
    plan.operators.push_back(std::move(op));
  }
  return plan;
}

}  // namespace millrace::features::internal
