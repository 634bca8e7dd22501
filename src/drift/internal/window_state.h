// What is kept of the records of one window, and what it says beside the reference.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "drift/cells.h"
#include "drift/internal/bytes.h"
#include "drift/reference.h"

namespace millrace::drift::internal {

struct OffsetSpan {
  Offset first;
  Offset last;
};

// The cells of all columns of a reference, one behind the other. Immutable.
class CellTable {
 public:
  explicit CellTable(const Reference& reference);

  std::size_t columns() const { return columns_.size(); }
  const ColumnCells& column(std::size_t i) const { return columns_[i]; }
  // Of all columns.
  std::size_t cells() const { return begins_.back(); }
  // A column's part of them.
  template <class T>
  std::span<T> of(std::size_t i, std::span<T> all) const {
    return all.subspan(begins_[i], begins_[i + 1] - begins_[i]);
  }

 private:
  std::vector<ColumnCells> columns_;
  std::vector<std::size_t> begins_;  // by column, and the end
};

// Constant memory: counts by cell and a sum a column, and kRowsWaiting rows. Rows wait until there
// are enough to go through them column by column: a column's cells then stay in the processor's
// cache. What is counted does not depend on when that happens. Not thread-safe.
class WindowState {
 public:
  static constexpr std::size_t kRowsWaiting = 128;

  WindowState() = default;
  explicit WindowState(std::shared_ptr<const CellTable> table);

  // One value a column (CHECK), of which the last may be given apart; what is not finite is
  // missing.
  void add(std::span<const double> row);
  void add(std::span<const double> row, double last);
  // Counts the rows that wait. Before anything below that asks about columns, and best before a
  // copy.
  void settle();
  void clear();

  std::uint64_t records() const { return records_; }
  // Values there are of a column.
  std::uint64_t count(std::size_t column) const;
  // Mean of a number column, in standard deviations from the reference's.
  double shift(const Reference& reference, std::size_t column) const;
  // All statistics of all columns.
  std::vector<Values> compare(const Reference& reference) const;

  void save(ByteWriter& out) const;
  // Errors: kBadData for what save() of a window over the same table cannot have written.
  static Result<WindowState> read(std::shared_ptr<const CellTable> table, ByteReader& in);

 private:
  std::span<const std::uint64_t> cells_of(std::size_t column) const;
  void begin_row();
  void end_row();
  void compare_distribution(const Reference& reference, std::size_t column, Values& out) const;
  bool can_relate(const Reference& reference, std::size_t column) const;

  std::shared_ptr<const CellTable> table_;
  std::vector<std::uint64_t> cells_;  // counts
  std::vector<double> sums_;          // by column, of differences to the reference's mean
  std::uint64_t records_ = 0;
  std::vector<double> waiting_;  // rows, stride() apart
};

// A shift of one column moves what the others' relations say too. Finds the columns whose shift
// explains the others': keeps their value and puts what is left of the others' in its place.
void attribute_relations(const Reference& reference, const WindowState& window,
                         std::vector<Values>& values);

}  // namespace millrace::drift::internal
