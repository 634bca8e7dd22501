#include "ingest/internal/series_file.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "config/scalars.h"
#include "env/clock.h"
#include "ingest/internal/yaml_values.h"

namespace millrace::ingest {
namespace {

using config::MapEntry;
using config::Node;
using config::NodeKind;

constexpr std::size_t kOutagesMax = 100;
constexpr double kStepsMax = 1e6;

// The text of a key that must be there.
Result<const Node*> required(const Node& node, const char* key) {
  const MapEntry* const entry = node.find(key);
  if (entry == nullptr) return at(node.where, "missing key '" + std::string(key) + "'");
  MILLRACE_TRY(expect(*entry->value, NodeKind::kText, "a text"));
  return entry->value.get();
}

// A field of the schema that has the type it must have.
Result<std::size_t> field_named(const Node& node, const data::Schema& schema,
                                data::FieldType type) {
  const auto field = schema.find(node.text);
  if (!field) {
    return at(node.where, "the schema has no field '" + printable(node.text) + "'" +
                              did_you_mean(node.text, schema.names()));
  }
  if (schema.field(*field).type != type) {
    return at(node.where, "'" + node.text + "' must be a " + std::string(data::to_string(type)) +
                              ", it is a " +
                              std::string(data::to_string(schema.field(*field).type)));
  }
  return *field;
}

Status read_outages(const Node& node, SeriesPlan& plan) {
  const MapEntry* const entry = node.find("outages");
  if (entry == nullptr) return {};
  MILLRACE_TRY(expect(*entry->value, NodeKind::kMap, "a map of outages"));
  if (entry->value->entries.size() > kOutagesMax) {
    return at(entry->value->where, "more than 100 outages");
  }
  for (const MapEntry& one : entry->value->entries) {
    MILLRACE_TRY(expect(*one.value, NodeKind::kMap, "a map with share and steps"));
    MILLRACE_TRY(allow_keys(*one.value, {"share", "steps"}));
    Outage outage;
    outage.name = one.key;
    MILLRACE_TRY(read_number(*one.value, "share", outage.share));
    MILLRACE_TRY(read_number(*one.value, "steps", outage.steps));
    if (!(outage.steps >= 1 && outage.steps <= kStepsMax)) {
      return at(one.value->where, "expected steps from 1 to 1000000");
    }
    // Above this, spells would have to follow each other without a step between.
    if (!(outage.share >= 0 && outage.share < outage.steps / (outage.steps + 1))) {
      return at(one.value->where, "expected a share from 0 to below steps / (steps + 1)");
    }
    plan.outages.push_back(std::move(outage));
  }
  return {};
}

// A list of exactly `size` numbers, or none.
Status read_profile(const Node& node, const char* key, std::size_t size,
                    std::vector<double>& profile) {
  const MapEntry* const entry = node.find(key);
  if (entry == nullptr) return {};
  const Node& list = *entry->value;
  if (list.kind != NodeKind::kList || list.items.size() != size) {
    return at(list.where, "expected a list of " + std::to_string(size) + " numbers");
  }
  for (const config::NodePtr& item : list.items) {
    MILLRACE_ASSIGN(const double value, number_of(*item));
    profile.push_back(value);
  }
  return {};
}

double variance(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  const auto n = static_cast<double>(values.size());
  return values.empty() ? 0 : squares / n - sum / n * (sum / n);
}

Status read_outages_of(const Node& node, const data::Field& field, const SeriesPlan& plan,
                       Series& series) {
  const MapEntry* const entry = node.find("outages");
  if (entry == nullptr) return {};
  MILLRACE_TRY(expect(*entry->value, NodeKind::kList, "a list of outages"));
  if (field.sentinels.empty()) {
    return at(entry->key_where, "the field '" + field.name + "' needs a sentinel for this");
  }
  series.missing = field.sentinels.front();
  std::vector<std::string> names;
  for (const Outage& outage : plan.outages) names.push_back(outage.name);
  for (const config::NodePtr& item : entry->value->items) {
    const auto found = std::find(names.begin(), names.end(), item->text);
    if (found == names.end()) {
      return at(item->where, "'" + printable(item->text) + "' is no outage of 'series'" +
                                 did_you_mean(item->text, names));
    }
    series.outages.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return {};
}

Status read_numbers(const Node& node, Series& series) {
  MILLRACE_TRY(read_number(node, "base", series.base));
  MILLRACE_TRY(read_number(node, "noise", series.noise));
  MILLRACE_TRY(read_number(node, "memory", series.memory));
  MILLRACE_TRY(read_number(node, "own", series.own));
  MILLRACE_TRY(read_number(node, "spread", series.spread));
  MILLRACE_TRY(read_number(node, "min", series.min));
  MILLRACE_TRY(read_number(node, "max", series.max));
  MILLRACE_TRY(check_bounds(node, series.noise, series.min, series.max));
  if (!(series.memory > -1 && series.memory < 1)) {
    return at(node.where, "memory must lie between -1 and 1");
  }
  if (series.spread < 0) return at(node.where, "spread must not be negative");
  return {};
}

}  // namespace

Result<SeriesPlan> read_series_plan(const Node& node, const data::Schema& schema) {
  MILLRACE_TRY(expect(node, NodeKind::kMap, "a map with key, time and start"));
  MILLRACE_TRY(allow_keys(node, {"key", "time", "stations", "name", "start", "step", "outages"}));
  SeriesPlan plan;
  MILLRACE_ASSIGN(const Node* const key, required(node, "key"));
  MILLRACE_ASSIGN(plan.key, field_named(*key, schema, data::FieldType::kString));
  MILLRACE_ASSIGN(const Node* const time, required(node, "time"));
  MILLRACE_ASSIGN(plan.time, field_named(*time, schema, data::FieldType::kTimestamp));
  MILLRACE_ASSIGN(const Node* const name, required(node, "name"));
  plan.name = name->text;
  MILLRACE_ASSIGN(const Node* const start, required(node, "start"));
  const auto first = env::parse_rfc3339(start->text);
  if (!first) return at(start->where, "'start' is " + first.error().message());
  plan.start = *first;
  if (const MapEntry* const step = node.find("step")) {
    const auto parsed = config::parse_duration(step->value->text);
    if (!parsed || parsed->count() <= 0) {
      return at(step->value->where, "expected a duration above 0, such as 1h");
    }
    plan.step = *parsed;
  }
  double stations = 1;
  MILLRACE_TRY(read_number(node, "stations", stations));
  if (stations != std::floor(stations) || stations < 1 || stations > kStationsMax) {
    return at(node.where, "expected whole stations from 1 to 100000");
  }
  plan.stations = static_cast<std::uint64_t>(stations);
  MILLRACE_TRY(read_outages(node, plan));
  return plan;
}

Result<Series> read_series(
    const Node& node, const data::Field& field, const SeriesPlan& plan,
    const std::function<Result<std::size_t>(const MapEntry&)>& series_above) {
  MILLRACE_TRY(
      allow_keys(node, {"kind", "scale", "base", "daily", "weekly", "monthly", "noise", "memory",
                        "like", "own", "spread", "min", "max", "outages", "decimals"}));
  Series series;
  if (const MapEntry* const scale = node.find("scale")) {
    const bool log = scale->value->text == "log";
    if (!log && scale->value->text != "linear") {
      return at(scale->value->where, "expected linear or log");
    }
    series.scale = log ? Series::Scale::kLog : Series::Scale::kLinear;
  }
  MILLRACE_TRY(read_numbers(node, series));
  constexpr std::size_t kHours = 24;
  constexpr std::size_t kDays = 7;
  constexpr std::size_t kMonths = 12;
  MILLRACE_TRY(read_profile(node, "daily", kHours, series.daily));
  MILLRACE_TRY(read_profile(node, "weekly", kDays, series.weekly));
  MILLRACE_TRY(read_profile(node, "monthly", kMonths, series.monthly));
  series.deviation = std::sqrt(series.noise * series.noise + variance(series.daily) +
                               variance(series.weekly) + variance(series.monthly));
  if (const MapEntry* const like = node.find("like")) {
    MILLRACE_TRY(expect(*like->value, NodeKind::kMap, "a map of series and weights"));
    for (const MapEntry& entry : like->value->entries) {
      MILLRACE_ASSIGN(const std::size_t other, series_above(entry));
      MILLRACE_ASSIGN(const double weight, number_of(*entry.value));
      series.like.emplace_back(other, weight);
    }
  }
  MILLRACE_TRY(read_outages_of(node, field, plan, series));
  return series;
}

}  // namespace millrace::ingest
