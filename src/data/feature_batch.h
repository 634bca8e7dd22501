// Rows of numbers for a model.
#pragma once

#include <span>
#include <vector>

namespace millrace::data {

// `rows` x `columns` doubles, row-major, NaN = missing. Grows by add_row(); clear() keeps the
// memory.
class FeatureBatch {
 public:
  explicit FeatureBatch(std::size_t columns) : columns_(columns) {}

  std::size_t rows() const { return columns_ == 0 ? 0 : values_.size() / columns_; }
  std::size_t columns() const { return columns_; }
  std::span<const double> row(std::size_t i) const {
    return {values_.data() + i * columns_, columns_};
  }
  std::span<double> row(std::size_t i) { return {values_.data() + i * columns_, columns_}; }
  const double* data() const { return values_.data(); }
  // A new last row, uninitialised in meaning (zeros in fact).
  std::span<double> add_row() {
    values_.resize(values_.size() + columns_);
    return {values_.data() + values_.size() - columns_, columns_};
  }
  void remove_last_row() { values_.resize(values_.size() - columns_); }
  void clear() { values_.clear(); }

 private:
  std::size_t columns_;
  std::vector<double> values_;
};

}  // namespace millrace::data
