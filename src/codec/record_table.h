// Records of a topic as the columns of a table: what a sink writes. The fields of JSON objects
// become columns, typed by the schema where one is known, else by what they hold; nothing of a
// record is lost where it fits no column.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "codec/column_values.h"

namespace millrace::codec {

// A record as it lies on a topic. Views live as long as the caller says.
struct StoredRecord {
  Offset offset;
  Timestamp timestamp;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
};

// The columns of one file. Not thread-safe.
//
// Typed columns come first, in their order, and always. Fields that have no type are inferred from
// all records of the file, in the order in which they first come:
//   whole numbers                       kInteger
//   numbers                             kNumber, if every whole one is exact as a double
//   true and false                      kBoolean
//   texts                               kText
//   anything else, or several of these  kText, as JSON
//   nothing but null                    no column
// Then stand _partition, _offset, _timestamp, _key and _value (and _key_bytes, where a key is not
// UTF-8). _value has the record's bytes where the columns do not say everything: the value is no
// JSON object, or names a field twice, or a field's value does not fit its type, or there are more
// than kFieldsMax fields. A field named like one of these columns, or "date" (the folder's), gets
// an underscore behind its name.
class RecordTable {
 public:
  static constexpr std::size_t kFieldsMax = 2'000;

  explicit RecordTable(std::vector<ColumnHead> typed);
  RecordTable(RecordTable&&) noexcept;
  RecordTable& operator=(RecordTable&&) noexcept;
  ~RecordTable();

  // First every record of the file once, then columns() is known.
  void look(const StoredRecord& record);
  void decide();
  const std::vector<ColumnHead>& columns() const;

  // Then the records again, as many at a time as shall be one row group. The values live until the
  // next call.
  std::span<const ColumnValues> fill(PartitionId partition, std::span<const StoredRecord> records);
  // Records that had a value which did not fit the columns, so far.
  std::uint64_t kept_whole() const;

  // The time in a field of a JSON object, nothing where there is none.
  std::optional<Timestamp> time_of(const StoredRecord& record, std::string_view field);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec
