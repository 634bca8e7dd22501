// What every call of the plugin goes through: Arrow's errors and exceptions become a ParquetError.
#pragma once

#include <arrow/status.h>

#include <cstring>
#include <exception>
#include <new>
#include <string_view>

#include "codec/plugin/parquet_abi.h"

namespace millrace::codec::plugin {

inline int fail(ParquetError* error, ParquetFault fault, std::string_view text) {
  error->fault = fault;
  const std::size_t size = text.size() < sizeof error->text ? text.size() : sizeof error->text - 1;
  std::memcpy(error->text, text.data(), size);
  error->text[size] = '\0';
  return 1;
}

inline ParquetFault fault_of(const arrow::Status& status) {
  if (status.IsOutOfMemory()) return kParquetMemory;
  if (status.IsCancelled()) return kParquetCallback;  // what the streams below say
  return kParquetBadFile;
}

// Runs `work`, which gives an arrow::Status; 0 when it is good.
template <class Work>
int guarded(ParquetError* error, Work work) noexcept {
  try {
    const arrow::Status status = work();
    return status.ok() ? 0 : fail(error, fault_of(status), status.message());
  } catch (const std::bad_alloc&) {
    return fail(error, kParquetMemory, "out of memory");
  } catch (const std::exception& exception) {
    return fail(error, kParquetBadFile, exception.what());
  } catch (...) {
    return fail(error, kParquetOther, "unknown exception");
  }
}

}  // namespace millrace::codec::plugin
