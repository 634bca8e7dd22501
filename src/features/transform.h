// The fitted transform from a record's cells to a row of features: fitted once in training, stored
// with the model, applied everywhere. A Transform is immutable after construction and may be shared
// by threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/cell.h"
#include "data/feature_batch.h"
#include "data/record_error.h"
#include "data/schema.h"
#include "features/operator.h"
#include "json/fwd.h"

namespace millrace::features {

// Cells of many records, for fitting: row-major, schema.size() cells a row.
class CellTable {
 public:
  explicit CellTable(std::size_t columns) : columns_(columns) {}
  std::size_t rows() const { return columns_ == 0 ? 0 : cells_.size() / columns_; }
  std::size_t columns() const { return columns_; }
  std::span<const data::Cell> row(std::size_t i) const {
    return {cells_.data() + i * columns_, columns_};
  }
  void add_row(std::span<const data::Cell> row) {
    cells_.insert(cells_.end(), row.begin(), row.end());
  }

 private:
  std::size_t columns_;
  std::vector<data::Cell> cells_;
};

class Transform {
 public:
  // Checks the operators against the schema without data: unknown fields (with the nearest name),
  // the label as a feature, an operator that does not fit a field's type, a field twice. Errors:
  // kConfig.
  static Status check(const std::vector<Operator>& operators, const data::Schema& schema);

  // Fits on the given rows of the table (all cells valid). Errors: as check(); kBadData when a
  // fitted value cannot be had (a median of nothing).
  static Result<Transform> fit(const std::vector<Operator>& operators, const data::Schema& schema,
                               const CellTable& table, std::span<const std::size_t> rows);

  // Reads what to_json() wrote. `schema` must have the fields with the same types and levels, else
  // kBadModel.
  static Result<Transform> from_json(const json::Value& value, const data::Schema& schema);
  json::Value to_json() const;

  const std::vector<Operator>& operators() const;  // as fitted
  std::size_t columns() const;
  const std::vector<std::string>& names() const;  // of the columns

  // 16 hex digits over operators, fitted values (exact), column names and the schema's fields they
  // read: equal fingerprints compute equal features.
  const std::string& fingerprint() const;

  // Writes columns() values for one record. False with an error added when an operator sets the
  // record aside. No allocation.
  bool apply(std::span<const data::Cell> cells, std::span<double> out,
             data::RecordErrors& errors) const;

 private:
  struct State;
  explicit Transform(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace millrace::features
