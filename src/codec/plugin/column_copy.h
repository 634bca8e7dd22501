// Values of one Arrow array as the program wants them (parquet_abi.h), whatever type they had.
#pragma once

#include <arrow/array.h>
#include <arrow/status.h>
#include <arrow/type.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/plugin/parquet_abi.h"

namespace millrace::codec::plugin {

// What a column of that type becomes; kParquetUnsupported where nothing fits.
ParquetKind kind_of(const arrow::DataType& type);

// Memory is used again from batch to batch.
class ColumnCopy {
 public:
  arrow::Status copy(const arrow::Array& array);
  // Of what was copied last.
  ParquetColumn view() const;

 private:
  arrow::Status copy_values(const arrow::Array& array);
  arrow::Status copy_dictionary(const arrow::DictionaryArray& array);
  template <class Array>
  arrow::Status copy_integers(const arrow::Array& array);
  template <class Array>
  arrow::Status copy_numbers(const arrow::Array& array);
  template <class Array>
  arrow::Status copy_times(const arrow::Array& array, std::int64_t per_ms, std::int64_t ms_per);
  template <class Array>
  arrow::Status copy_texts(const arrow::Array& array);
  template <class Array>
  arrow::Status copy_formatted(const arrow::Array& array);
  arrow::Status copy_timestamps(const arrow::Array& array);
  void add_text(std::string_view text);

  ParquetKind kind_ = kParquetUnsupported;
  std::vector<std::uint8_t> valid_;
  std::vector<std::uint8_t> booleans_;
  std::vector<std::int64_t> integers_;
  std::vector<double> numbers_;
  std::vector<std::int64_t> offsets_;
  std::string bytes_;
};

}  // namespace millrace::codec::plugin
