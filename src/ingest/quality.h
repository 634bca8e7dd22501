// The quality report of a file (`produce --qc`): what its columns hold before anything is filled
// in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/stop.h"
#include "ingest/produce.h"
#include "json/fwd.h"
#include "spec/pipeline.h"

namespace millrace::ingest {

// One field of the schema that the file has.
struct ColumnQuality {
  std::string name;
  std::string type;           // of the schema
  std::uint64_t total = 0;    // rows
  std::uint64_t missing = 0;  // blank, null, absent, or a sentinel
  std::uint64_t invalid = 0;  // against the schema
  std::uint64_t numbers = 0;  // rows that the next four are about
  double mean = 0;
  double std_dev = 0;  // of a sample (n - 1); 0 for fewer than two numbers
  double min = 0;
  double max = 0;
  // Most steps in a row without a value: missing ones, and where the pipeline states the step of
  // its times, those that have no row at all.
  std::uint64_t longest_gap = 0;

  double missing_percent() const {
    return total == 0 ? 0 : 100.0 * static_cast<double>(missing) / static_cast<double>(total);
  }
};

struct QualityReport {
  std::string source;
  std::uint64_t rows = 0;          // readable ones; what follows is about these
  std::uint64_t bad_rows = 0;      // of broken structure
  std::uint64_t absent_steps = 0;  // of a series whose step the pipeline states: without a row
  std::vector<BadRow> bad;         // the first kBadRowsKeptMax
  std::vector<ColumnQuality> columns;
};

// Reads the whole file (or "-") once. Errors: what TableReader::open() says, kIo, kInterrupted.
Result<QualityReport> measure_quality(const spec::Pipeline& pipeline, const std::string& path,
                                      const env::StopToken& stop);

json::Value to_json(const QualityReport& report);
// A line a column: column, total, missing, pct_missing, mean, std, min, max, longest_gap, invalid,
// type. What was not measured is empty.
std::string to_csv(const QualityReport& report);

}  // namespace millrace::ingest
