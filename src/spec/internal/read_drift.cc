#include "base/text.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

constexpr Milliseconds kDay{86'400'000};
constexpr Milliseconds kYear = kDay * 366;
constexpr config::IntegerRange kWindowRecords{static_cast<std::int64_t>(drift::kRecordsMin),
                                              1'000'000'000};
constexpr config::IntegerRange kWindowsInARow{1, 1000};

// A list of texts, with `all` for everything (an empty list).
std::vector<std::string> texts_or_all(config::MapReader& map, std::string_view key) {
  std::vector<std::string> given = map.texts(key);
  if (given.size() == 1 && given.front() == "all") given.clear();
  return given;
}

void read_statistics(config::MapReader& map, drift::MonitorOptions& options) {
  const std::vector<std::string> given = texts_or_all(map, "statistics");
  if (given.empty()) return;
  options.statistics = {};
  std::vector<std::string> known;
  for (const drift::Statistic statistic : drift::kAllStatistics) {
    known.emplace_back(to_string(statistic));
  }
  for (const std::string& name : given) {
    if (const auto statistic = drift::statistic_of(name)) {
      options.statistics.at(static_cast<std::size_t>(*statistic)) = true;
    } else {
      map.error("statistics", "'statistics': unknown statistic '" + printable(name, 60) + "'" +
                                  did_you_mean(name, known));
    }
  }
}

void read_window(config::MapReader& map, drift::WindowSpec& window) {
  if (map.has("window") && map.has("window_records")) {
    map.error("window_records", "give 'window' or 'window_records', not both");
  }
  window.length = map.duration("window", kDay * 7, {.min = Milliseconds(1000), .max = kYear});
  if (const auto records = map.optional_integer("window_records", kWindowRecords)) {
    window = {drift::WindowSpec::Kind::kRecords, Milliseconds(0),
              static_cast<std::uint64_t>(*records)};
  }
}

std::uint32_t windows_in_a_row(config::MapReader& map, std::string_view key,
                               std::uint32_t fallback) {
  return static_cast<std::uint32_t>(map.integer(key, fallback, kWindowsInARow));
}

}  // namespace

void read_drift(config::MapReader& top, Pipeline& pipeline) {
  if (!top.has("drift")) return;
  config::MapReader map = top.map("drift");
  DriftSpec spec;
  read_window(map, spec.window);
  if (spec.window.kind == drift::WindowSpec::Kind::kTime && !pipeline.input.event_time) {
    map.error("window",
              "'drift.window' is of event time, and the pipeline has no 'input.event_time'; give "
              "it, or 'drift.window_records'");
  }
  spec.monitor.lateness =
      map.duration("lateness", Milliseconds(0), {.min = Milliseconds(0), .max = kYear});
  spec.features = texts_or_all(map, "features");
  if (spec.features.size() > drift::kColumnsMax) {
    map.error("features", "'drift.features': more than " + std::to_string(drift::kColumnsMax) +
                              " columns cannot be watched");
  }
  if (!map.boolean("score", true)) spec.score = DriftSpec::Score::kIgnored;
  read_statistics(map, spec.monitor);
  spec.monitor.raise_after = windows_in_a_row(map, "raise_after", spec.monitor.raise_after);
  spec.monitor.clear_after = windows_in_a_row(map, "clear_after", spec.monitor.clear_after);
  map.finish();
  pipeline.drift = std::move(spec);
}

}  // namespace millrace::spec::internal
