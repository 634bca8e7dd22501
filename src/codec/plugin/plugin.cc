// The plugin's table of functions.
#include <arrow/config.h>

#include <string>

#include "codec/plugin/reading.h"
#include "codec/plugin/writing.h"

namespace millrace::codec::plugin {
namespace {

const char* library_name() {
  static const std::string name = "Apache Arrow C++ " + arrow::GetBuildInfo().version_string;
  return name.c_str();
}

}  // namespace
}  // namespace millrace::codec::plugin

extern "C" __attribute__((visibility("default"))) const millrace::codec::plugin::ParquetApi*
millrace_parquet_plugin() {
  using namespace millrace::codec::plugin;
  static const ParquetApi api = {
      .abi = kParquetAbi,
      .library = library_name(),
      .write_open = write_open,
      .write_rows = write_rows,
      .write_close = write_close,
      .write_free = write_free,
      .read_open = read_open,
      .read_columns = read_columns,
      .read_rows_total = read_rows_total,
      .read_column = read_column,
      .read_select = read_select,
      .read_next = read_next,
      .read_free = read_free,
  };
  return &api;
}
