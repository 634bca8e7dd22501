#include "codec/plugin/column_copy.h"

#include <arrow/util/float16.h>

#include <limits>

namespace millrace::codec::plugin {
namespace {

// Rounded down, also below zero.
std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

constexpr std::int64_t kMsPerDay = 86'400'000;

}  // namespace

ParquetKind kind_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return kParquetBoolean;
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
      return kParquetInteger;
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return kParquetNumber;
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return kParquetTime;
    case arrow::Type::NA:
    case arrow::Type::UINT64:  // beyond int64_t: as text
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return kParquetText;
    case arrow::Type::DICTIONARY:
      return kind_of(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return kParquetUnsupported;
  }
}

ParquetColumn ColumnCopy::view() const {
  ParquetColumn column = {};
  column.kind = kind_;
  column.valid = valid_.data();
  switch (kind_) {
    case kParquetBoolean:
      column.values = booleans_.data();
      break;
    case kParquetInteger:
    case kParquetTime:
      column.values = integers_.data();
      break;
    case kParquetNumber:
      column.values = numbers_.data();
      break;
    default:
      column.offsets = offsets_.data();
      column.bytes = bytes_.data();
      break;
  }
  return column;
}

arrow::Status ColumnCopy::copy(const arrow::Array& array) {
  kind_ = kind_of(*array.type());
  const auto rows = static_cast<std::size_t>(array.length());
  valid_.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    valid_[i] = array.IsValid(static_cast<std::int64_t>(i)) ? 1 : 0;
  }
  if (array.type_id() == arrow::Type::DICTIONARY) {
    return copy_dictionary(static_cast<const arrow::DictionaryArray&>(array));
  }
  return copy_values(array);
}

arrow::Status ColumnCopy::copy_values(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::BOOL: {
      const auto& values = static_cast<const arrow::BooleanArray&>(array);
      booleans_.resize(static_cast<std::size_t>(array.length()));
      for (std::int64_t i = 0; i < array.length(); ++i) {
        booleans_[static_cast<std::size_t>(i)] = array.IsValid(i) && values.Value(i) ? 1 : 0;
      }
      return arrow::Status::OK();
    }
    case arrow::Type::INT8:
      return copy_integers<arrow::Int8Array>(array);
    case arrow::Type::INT16:
      return copy_integers<arrow::Int16Array>(array);
    case arrow::Type::INT32:
      return copy_integers<arrow::Int32Array>(array);
    case arrow::Type::INT64:
      return copy_integers<arrow::Int64Array>(array);
    case arrow::Type::UINT8:
      return copy_integers<arrow::UInt8Array>(array);
    case arrow::Type::UINT16:
      return copy_integers<arrow::UInt16Array>(array);
    case arrow::Type::UINT32:
      return copy_integers<arrow::UInt32Array>(array);
    case arrow::Type::FLOAT:
      return copy_numbers<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE:
      return copy_numbers<arrow::DoubleArray>(array);
    case arrow::Type::HALF_FLOAT:
      return copy_numbers<arrow::HalfFloatArray>(array);
    case arrow::Type::TIMESTAMP:
      return copy_timestamps(array);
    case arrow::Type::DATE32:
      return copy_times<arrow::Date32Array>(array, 1, kMsPerDay);
    case arrow::Type::DATE64:
      return copy_times<arrow::Date64Array>(array, 1, 1);
    case arrow::Type::NA:
      bytes_.clear();
      offsets_.assign(static_cast<std::size_t>(array.length()) + 1, 0);
      return arrow::Status::OK();
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return copy_texts<arrow::BinaryArray>(array);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return copy_texts<arrow::LargeBinaryArray>(array);
    case arrow::Type::FIXED_SIZE_BINARY:
      return copy_texts<arrow::FixedSizeBinaryArray>(array);
    case arrow::Type::UINT64:
      return copy_formatted<arrow::UInt64Array>(array);
    case arrow::Type::DECIMAL32:
      return copy_formatted<arrow::Decimal32Array>(array);
    case arrow::Type::DECIMAL64:
      return copy_formatted<arrow::Decimal64Array>(array);
    case arrow::Type::DECIMAL128:
      return copy_formatted<arrow::Decimal128Array>(array);
    case arrow::Type::DECIMAL256:
      return copy_formatted<arrow::Decimal256Array>(array);
    default:
      return arrow::Status::Invalid("values of type ", array.type()->ToString());
  }
}

template <class Array>
arrow::Status ColumnCopy::copy_integers(const arrow::Array& array) {
  const auto& values = static_cast<const Array&>(array);
  integers_.resize(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i) {
    integers_[static_cast<std::size_t>(i)] = array.IsValid(i) ? values.Value(i) : 0;
  }
  return arrow::Status::OK();
}

template <class Array>
arrow::Status ColumnCopy::copy_numbers(const arrow::Array& array) {
  const auto& values = static_cast<const Array&>(array);
  numbers_.resize(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i) {
    double& number = numbers_[static_cast<std::size_t>(i)];
    if (!array.IsValid(i)) {
      number = 0;
    } else if constexpr (std::is_same_v<Array, arrow::HalfFloatArray>) {
      number = arrow::util::Float16::FromBits(values.Value(i)).ToDouble();
    } else {
      number = static_cast<double>(values.Value(i));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ColumnCopy::copy_timestamps(const arrow::Array& array) {
  switch (static_cast<const arrow::TimestampType&>(*array.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return copy_times<arrow::TimestampArray>(array, 1, 1000);
    case arrow::TimeUnit::MILLI:
      return copy_times<arrow::TimestampArray>(array, 1, 1);
    case arrow::TimeUnit::MICRO:
      return copy_times<arrow::TimestampArray>(array, 1000, 1);
    case arrow::TimeUnit::NANO:
      return copy_times<arrow::TimestampArray>(array, 1'000'000, 1);
  }
  return arrow::Status::Invalid("an unknown unit of time");
}

// `per_ms` units are a millisecond, or a unit is `ms_per` of them.
template <class Array>
arrow::Status ColumnCopy::copy_times(const arrow::Array& array, std::int64_t per_ms,
                                     std::int64_t ms_per) {
  const auto& values = static_cast<const Array&>(array);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / ms_per;
  integers_.resize(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i) {
    const std::int64_t value = array.IsValid(i) ? static_cast<std::int64_t>(values.Value(i)) : 0;
    if (value > most || value < -most) {
      return arrow::Status::Invalid("a time that is beyond all years");
    }
    integers_[static_cast<std::size_t>(i)] = floor_div(value * ms_per, per_ms);
  }
  return arrow::Status::OK();
}

void ColumnCopy::add_text(std::string_view text) {
  bytes_.append(text);
  offsets_.push_back(static_cast<std::int64_t>(bytes_.size()));
}

template <class Array>
arrow::Status ColumnCopy::copy_texts(const arrow::Array& array) {
  const auto& values = static_cast<const Array&>(array);
  bytes_.clear();
  offsets_.assign(1, 0);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    add_text(array.IsValid(i) ? std::string_view(values.GetView(i)) : std::string_view());
  }
  return arrow::Status::OK();
}

template <class Array>
arrow::Status ColumnCopy::copy_formatted(const arrow::Array& array) {
  const auto& values = static_cast<const Array&>(array);
  bytes_.clear();
  offsets_.assign(1, 0);
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (!array.IsValid(i)) {
      add_text({});
    } else if constexpr (std::is_same_v<Array, arrow::UInt64Array>) {
      add_text(std::to_string(values.Value(i)));
    } else {
      add_text(values.FormatValue(i));
    }
  }
  return arrow::Status::OK();
}

// Each row gets the value that its index stands for.
arrow::Status ColumnCopy::copy_dictionary(const arrow::DictionaryArray& array) {
  const arrow::Array& levels = *array.dictionary();
  ColumnCopy from;
  ARROW_RETURN_NOT_OK(from.copy(levels));
  const auto rows = static_cast<std::size_t>(array.length());
  booleans_.assign(rows, 0);
  integers_.assign(rows, 0);
  numbers_.assign(rows, 0);
  bytes_.clear();
  offsets_.assign(1, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    std::string_view text;
    if (valid_[row] != 0) {
      const std::int64_t index = array.GetValueIndex(static_cast<std::int64_t>(row));
      if (index < 0 || index >= levels.length()) {
        return arrow::Status::Invalid("an index outside of its dictionary");
      }
      const auto level = static_cast<std::size_t>(index);
      valid_[row] = from.valid_[level];
      if (kind_ == kParquetBoolean) booleans_[row] = from.booleans_[level];
      if (kind_ == kParquetNumber) numbers_[row] = from.numbers_[level];
      if (kind_ == kParquetInteger || kind_ == kParquetTime) integers_[row] = from.integers_[level];
      if (kind_ == kParquetText) {
        const auto begin = static_cast<std::size_t>(from.offsets_[level]);
        text = std::string_view(from.bytes_)
                   .substr(begin, static_cast<std::size_t>(from.offsets_[level + 1]) - begin);
      }
    }
    add_text(text);
  }
  return arrow::Status::OK();
}

}  // namespace millrace::codec::plugin
