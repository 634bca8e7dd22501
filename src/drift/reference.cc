#include "drift/reference.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "json/json.h"

namespace millrace::drift {
namespace {

constexpr int kVersion = 1;
// From so many windows on, their extremes say what autocorrelation does; with fewer it is
// estimated.
constexpr double kWindowsTelling = 20;

bool is_squared(Statistic statistic) {
  return statistic == Statistic::kPsi || statistic == Statistic::kJensenShannon;
}

bool has_sign(Statistic statistic) {
  return statistic == Statistic::kMeanShift || statistic == Statistic::kMissingShare ||
         statistic == Statistic::kRelationShift;
}

// What sampling alone makes of a statistic at the reference's level.
double by_chance(const Reference& reference, const ReferenceColumn& column, Statistic statistic,
                 std::uint64_t records, std::uint64_t count) {
  const ColumnProfile& profile = column.profile;
  const bool missing = statistic == Statistic::kMissingShare;
  const bool relation = statistic == Statistic::kRelationShift;
  double share = relation ? column.relation.effective_share : profile.effective_share;
  // In training only rows that a model had not seen have a score, often those of the last part: no
  // other window's extremes are known.
  const bool is_score = reference.has_score && &column == &reference.columns.back();
  const double windows = reference.windows * (is_score ? 1 - profile.missing_share() : 1);
  if (windows >= kWindowsTelling) share = 1;
  const auto at_least_one = [share](std::uint64_t n) {
    return std::max(1.0, static_cast<double>(n) * share);
  };
  ChanceInput input;
  input.reference_size = at_least_one(missing ? reference.rows : profile.count);
  input.window_size = at_least_one(missing ? records : count);
  input.level =
      reference.chance_level /
      static_cast<double>(std::max<std::size_t>(1, reference.columns.size()) * kStatistics);
  switch (statistic) {
    case Statistic::kPsi:
      return psi_by_chance(input, profile.counts.size());
    case Statistic::kKs:
      return ks_by_chance(input);
    case Statistic::kJensenShannon:
      return jensen_shannon_by_chance(input, profile.counts.size());
    case Statistic::kMeanShift:
      return mean_shift_by_chance(input);
    case Statistic::kMissingShare:
      return share_change_by_chance(input, profile.missing_share());
    case Statistic::kRelationShift:
      return mean_shift_by_chance(input) * column.relation.residual_std;
  }
  return 0;
}

json::Value to_json(const ReferenceColumn& column) {
  json::Value out = column.profile.to_json();
  json::Value usual = json::Value::object();
  for (const Statistic statistic : kAllStatistics) {
    const Band& band = column.usual.at(static_cast<std::size_t>(statistic));
    json::Value& its = usual[std::string(to_string(statistic))];
    its = has_sign(statistic) ? json::Value::array({band.low, band.high}) : json::Value(band.high);
  }
  out["usual"] = std::move(usual);
  if (!column.relation.predictors.empty()) {
    out["relation"] = {{"predictors", column.relation.predictors},
                       {"weights", column.relation.weights},
                       {"residual_std", column.relation.residual_std},
                       {"effective_share", column.relation.effective_share}};
  }
  return out;
}

Status read_usual(const json::Value& value, ReferenceColumn& out) {
  MILLRACE_ASSIGN(const auto usual, json::get<json::Value>(value, "usual"));
  for (const Statistic statistic : kAllStatistics) {
    Band& band = out.usual.at(static_cast<std::size_t>(statistic));
    const std::string name(to_string(statistic));
    if (has_sign(statistic)) {
      MILLRACE_ASSIGN(const auto both, json::get<std::vector<double>>(usual, name));
      if (both.size() != 2) return Error(ErrorCode::kBadData, "'" + name + "' is no band");
      band = {both[0], both[1]};
    } else {
      MILLRACE_ASSIGN(band.high, json::get<double>(usual, name));
    }
  }
  return {};
}

Result<ReferenceColumn> read_column(const json::Value& value, std::size_t columns) {
  ReferenceColumn out;
  MILLRACE_ASSIGN(out.profile, ColumnProfile::from_json(value));
  MILLRACE_TRY(read_usual(value, out));
  if (!value.contains("relation")) return out;
  const json::Value& relation = value["relation"];
  MILLRACE_ASSIGN(out.relation.predictors,
                  json::get<std::vector<std::uint32_t>>(relation, "predictors"));
  MILLRACE_ASSIGN(out.relation.weights, json::get<std::vector<double>>(relation, "weights"));
  MILLRACE_ASSIGN(out.relation.residual_std, json::get<double>(relation, "residual_std"));
  MILLRACE_ASSIGN(out.relation.effective_share, json::get<double>(relation, "effective_share"));
  const auto& predictors = out.relation.predictors;
  const bool inside = std::all_of(predictors.begin(), predictors.end(),
                                  [columns](std::uint32_t p) { return p < columns; });
  if (!inside || predictors.size() != out.relation.weights.size()) {
    return Error(ErrorCode::kBadData,
                 "the relation of column '" + out.profile.column.name + "' contradicts itself");
  }
  return out;
}

}  // namespace

std::string to_string(const WindowSpec& window) {
  if (window.kind == WindowSpec::Kind::kRecords) {
    return std::to_string(window.records) + " records";
  }
  struct Unit {
    std::int64_t ms;
    const char* name;
  };
  constexpr std::array kUnits = {Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "m"},
                                 Unit{1'000, "s"}, Unit{1, "ms"}};
  const std::int64_t length = window.length.count();
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [length](const Unit& u) { return length % u.ms == 0; });
  return std::to_string(length / unit->ms) + unit->name;
}

double exceedance(double value, const Band& band) {
  if (std::isnan(value)) return 0;
  const double side = value < 0 ? band.low : band.high;
  // A band of no width: whatever lies outside is infinitely far.
  if (side == 0) return value == 0 ? 0 : std::numeric_limits<double>::infinity();
  return value / side;
}

Band Reference::threshold(std::size_t column, Statistic statistic, std::uint64_t records,
                          std::uint64_t count) const {
  const ReferenceColumn& its = columns.at(column);
  const Band& usual = its.usual.at(static_cast<std::size_t>(statistic));
  const double smaller =
      std::max(1.0, records_per_window / static_cast<double>(std::max<std::uint64_t>(1, records)));
  const double wider = (1 + margin) * (is_squared(statistic) ? smaller : std::sqrt(smaller));
  const double floor = by_chance(*this, its, statistic, records, count);
  Band band{std::min(usual.low * wider, -floor), std::max(usual.high * wider, floor)};
  if (!has_sign(statistic)) band.low = 0;
  return band;
}

std::uint64_t Reference::records_min() const {
  constexpr double kShareMin = 0.5;
  return std::max(kRecordsMin,
                  static_cast<std::uint64_t>(std::ceil(kShareMin * records_per_window)));
}

json::Value Reference::to_json() const {
  json::Value all = json::Value::array();
  for (const ReferenceColumn& column : columns) all.push_back(drift::to_json(column));
  return {{"version", kVersion},
          {"window_ms", window.kind == WindowSpec::Kind::kTime ? window.length.count() : 0},
          {"window_records", window.kind == WindowSpec::Kind::kRecords ? window.records : 0},
          {"rows", rows},
          {"records_per_window", records_per_window},
          {"windows", windows},
          {"margin", margin},
          {"chance_level", chance_level},
          {"has_score", has_score},
          {"columns", std::move(all)}};
}

Result<Reference> Reference::from_json(const json::Value& value) {
  Reference out;
  MILLRACE_ASSIGN(const int version, json::get<int>(value, "version"));
  if (version != kVersion) {
    return Error(ErrorCode::kBadData, "a drift reference of version " + std::to_string(version) +
                                          "; this program reads version 1");
  }
  MILLRACE_ASSIGN(const auto window_ms, json::get<std::int64_t>(value, "window_ms"));
  MILLRACE_ASSIGN(out.window.records, json::get<std::uint64_t>(value, "window_records"));
  out.window.length = Milliseconds(window_ms);
  out.window.kind = window_ms > 0 ? WindowSpec::Kind::kTime : WindowSpec::Kind::kRecords;
  MILLRACE_ASSIGN(out.rows, json::get<std::uint64_t>(value, "rows"));
  MILLRACE_ASSIGN(out.records_per_window, json::get<double>(value, "records_per_window"));
  MILLRACE_ASSIGN(out.windows, json::get<double>(value, "windows"));
  MILLRACE_ASSIGN(out.margin, json::get<double>(value, "margin"));
  MILLRACE_ASSIGN(out.chance_level, json::get<double>(value, "chance_level"));
  MILLRACE_ASSIGN(out.has_score, json::get<bool>(value, "has_score"));
  MILLRACE_ASSIGN(const auto columns, json::get<json::Value>(value, "columns"));
  const bool window_sound =
      window_ms > 0 ? out.window.records == 0 : window_ms == 0 && out.window.records > 0;
  if (!columns.is_array() || columns.empty() || columns.size() > kColumnsMax || !window_sound ||
      !(out.chance_level > 0 && out.chance_level < 1) || !(out.margin >= 0) || out.rows == 0) {
    return Error(ErrorCode::kBadData, "the drift reference contradicts itself");
  }
  for (const json::Value& column : columns) {
    MILLRACE_ASSIGN(ReferenceColumn read, read_column(column, columns.size()));
    out.columns.push_back(std::move(read));
  }
  return out;
}

}  // namespace millrace::drift
