// The distribution of a stream of numbers in constant memory: a KLL sketch (Karnin, Lang, Liberty,
// "Optimal Quantile Approximation in Streams", FOCS 2016, with capacities that shrink by 2/3 a
// level and leftovers kept, so that the total weight is exact).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "json/fwd.h"

namespace millrace::drift {

// A value that stands for `weight` values of the stream.
struct WeightedValue {
  double value = 0;
  std::uint64_t weight = 0;
};

// Exact up to kSketchSize values. Beyond, the share of values at or below any x is off by less than
// kRankErrorMax with 99 % probability a sketch, whatever the length and order of the stream; at
// most 3 kSketchSize + 8 levels values are kept. Deterministic: the same values in the same order
// (and the same merges) give the same sketch on every machine. Not thread-safe; a plain value.
class QuantileSketch {
 public:
  static constexpr std::size_t kSketchSize = 200;
  static constexpr double kRankErrorMax = 0.02;

  QuantileSketch();
  // `value` must not be NaN (CHECK). Some 20 to 30 ns amortised (bench/micro/drift_bench.cc).
  void add(double value);
  // As if the other's values had been added too; the error bound stays.
  void merge(const QuantileSketch& other);
  // Keeps the memory.
  void clear();

  std::uint64_t count() const { return count_; }
  std::size_t retained() const { return retained_; }
  // What is kept, by value; the weights add up to count().
  std::vector<WeightedValue> sorted() const;
  // Share of values <= x; NaN of an empty sketch.
  double share_at_most(double x) const;
  // The smallest kept value with at least q of the weight at or below it, q in [0, 1]; NaN of an
  // empty sketch.
  double quantile(double q) const;

  // {count, compactions, levels: [[...]]}, finite values only.
  json::Value to_json() const;
  // Errors: kBadData for what to_json() cannot have written.
  static Result<QuantileSketch> from_json(const json::Value& value);

 private:
  static constexpr std::size_t kLevelsMax = 56;
  void set_capacities();
  void compress();
  void compact(std::size_t level);

  std::vector<std::vector<double>> levels_;  // of level h each stands for 2^h; above 0 sorted
  std::size_t retained_ = 0;
  std::vector<std::size_t> capacities_;  // by level
  std::size_t capacity_ = 0;             // of all
  std::uint64_t count_ = 0;
  std::uint64_t compactions_ = 0;  // seeds the next coin
};

}  // namespace millrace::drift
