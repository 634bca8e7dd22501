// The Parquet plugin, loaded on first use.
#pragma once

#include <string>

#include "base/result.h"
#include "codec/plugin/parquet_abi.h"

namespace millrace::codec::internal {

// The plugin's functions, for the life of the process. Errors: as parquet_available().
Result<const plugin::ParquetApi*> load_parquet();

// What the plugin says is wrong with `file`. Damaged files are kBadData.
Error parquet_error(const std::string& file, const plugin::ParquetError& error);

}  // namespace millrace::codec::internal
