#include "codec/internal/parquet_plugin.h"

#include "base/text.h"
#include "env/plugin.h"

namespace millrace::codec::internal {
namespace {
constexpr const char* kLibrary = "millrace_parquet.so";
}

Result<const plugin::ParquetApi*> load_parquet() {
  const Result<void*> found = env::load_plugin(kLibrary, plugin::kParquetSymbol);
  if (!found && found.error().code() == ErrorCode::kNoInput) {
    return Error(ErrorCode::kNotBuilt,
                 "This build of millrace has no Parquet support: " + found.error().message() +
                     ". To get it, run 'make parquet' in the source folder, which fetches Apache "
                     "Arrow and builds the plugin; or use CSV or NDJSON.");
  }
  if (!found) return found.error();
  // NOLINTNEXTLINE(*-reinterpret-cast): how dlsym gives functions
  const plugin::ParquetApi* const api = reinterpret_cast<plugin::ParquetPluginFunction>(*found)();
  if (api->abi != plugin::kParquetAbi) {
    return Error(ErrorCode::kInternal, std::string(kLibrary) + " is of another version (" +
                                           std::to_string(api->abi) + ", this program needs " +
                                           std::to_string(plugin::kParquetAbi) +
                                           "). Build it anew: make parquet.");
  }
  return api;
}

Error parquet_error(const std::string& file, const plugin::ParquetError& error) {
  constexpr std::size_t kShownMax = 400;
  const std::string what = printable(error.text, kShownMax);
  switch (error.fault) {
    case plugin::kParquetMemory:
      return {ErrorCode::kLimitExceeded,
              "'" + file + "' needs more memory than a Parquet file may: " + what};
    case plugin::kParquetBadFile:
      return {ErrorCode::kBadData, "'" + file + "' is not a Parquet file, or damaged: " + what};
    default:
      return {ErrorCode::kInternal, "'" + file + "': the Parquet plugin failed: " + what};
  }
}

}  // namespace millrace::codec::internal
