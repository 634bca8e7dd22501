// The plugin's writing half; the functions are those of ParquetApi.
#pragma once

#include "codec/plugin/parquet_abi.h"

namespace millrace::codec::plugin {

int write_open(const ParquetSink* sink, const ParquetColumn* columns, std::size_t count,
               const char* compression, ParquetWriterHandle** writer, ParquetError* error);
int write_rows(ParquetWriterHandle* writer, const ParquetColumn* columns, std::size_t rows,
               ParquetError* error);
int write_close(ParquetWriterHandle* writer, ParquetError* error);
void write_free(ParquetWriterHandle* writer);

}  // namespace millrace::codec::plugin
