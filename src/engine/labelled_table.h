// A file as a table for training and evaluation: cells, labels, weights, and what was wrong with
// the other rows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/record_error.h"
#include "env/stop.h"
#include "features/transform.h"
#include "spec/pipeline.h"

namespace millrace::engine {

inline constexpr std::size_t kBadLinesKeptMax = 1000;

struct BadLine {
  std::int64_t line = 0;
  std::string message;
};

// Rows of a file that were left out: how many, and the first ones of them.
struct BadLines {
  std::vector<BadLine>& kept;
  std::uint64_t& rows;
  void add(std::int64_t line, const data::RecordErrors& errors);
};
// kBadData: the file has not one good row, with what was wrong with the first.
Error no_good_row(const std::string& path, const std::vector<BadLine>& bad);

struct LabelledTable {
  explicit LabelledTable(std::size_t columns) : cells(columns) {}
  features::CellTable cells;  // good rows; texts are cleared, codes and numbers stay
  std::vector<int> labels;  // 1 = the pipeline's positive level; empty when labels were not wanted
  std::vector<double> weights;    // empty without a weight field
  std::vector<std::string> keys;  // of a hash split, else empty
  std::vector<BadLine> bad;       // the first kBadLinesKeptMax
  std::uint64_t bad_rows = 0;
  std::uint64_t rows() const { return cells.rows(); }
};

enum class Labels { kRequired, kIgnored };

// Reads the whole file. Errors: as FileRows; kBadData when not one row is good; kInterrupted when
// stop was requested.
Result<LabelledTable> read_labelled_table(const spec::Pipeline& pipeline, const std::string& path,
                                          Labels labels, env::StopToken& stop);

}  // namespace millrace::engine
