// simulator.yaml (docs/formats/simulator.md) read against a schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/schema.h"
#include "ingest/internal/generator.h"
#include "ingest/internal/series_file.h"

namespace millrace::ingest {

// The levels of a field drawn by kind category or logistic; empty for other fields.
struct LevelTable {
  std::vector<std::string> names;
  std::vector<double> numbers;  // of an integer or boolean field: each level as a number
};

struct DrawnField {
  std::size_t field = 0;  // of the schema
  Generator generator;
  std::optional<Generator> after_drift;
};

struct SimulatorFile {
  std::optional<SeriesPlan> series;  // rows are hours (or other steps) of stations
  std::vector<DrawnField> fields;    // in the order of drawing
  std::vector<LevelTable> levels;    // by the schema's field index
  bool drifts = false;               // a drift section is there
};

// `origin` stands in messages. Errors: kConfig with file:line:col.
Result<SimulatorFile> read_simulator_file(std::string_view yaml, const std::string& origin,
                                          const data::Schema& schema, std::uint64_t seed);

}  // namespace millrace::ingest
