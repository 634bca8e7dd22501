// The section `series` of a simulator.yaml, and its fields of kind series (docs/formats/
// simulator.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/yaml.h"
#include "data/schema.h"
#include "ingest/internal/generator.h"

namespace millrace::ingest {

inline constexpr std::uint64_t kStationsMax = 100'000;

// Spells in which something measures nothing.
struct Outage {
  std::string name;
  double share = 0;  // of all steps, below 1
  double steps = 1;  // mean length of a spell, at least 1
};

// Rows are the steps of several stations: row n is step n / stations of station n % stations.
struct SeriesPlan {
  std::size_t key = 0;   // field with the station's name
  std::size_t time = 0;  // field with the time of the step
  std::uint64_t stations = 1;
  std::string name;  // of a station, before its number (from 1)
  Timestamp start;
  Milliseconds step{3'600'000};
  std::vector<Outage> outages;
};

// Errors of both: kConfig with file:line:col.
Result<SeriesPlan> read_series_plan(const config::Node& node, const data::Schema& schema);
// `series_above` finds the field that an entry of `like` names.
Result<Series> read_series(
    const config::Node& node, const data::Field& field, const SeriesPlan& plan,
    const std::function<Result<std::size_t>(const config::MapEntry&)>& series_above);

}  // namespace millrace::ingest
