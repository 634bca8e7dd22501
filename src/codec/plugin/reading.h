// The plugin's reading half; the functions are those of ParquetApi.
#pragma once

#include "codec/plugin/parquet_abi.h"

namespace millrace::codec::plugin {

int read_open(const ParquetSource* source, ParquetReaderHandle** reader, ParquetError* error);
std::size_t read_columns(const ParquetReaderHandle* reader);
std::int64_t read_rows_total(const ParquetReaderHandle* reader);
void read_column(const ParquetReaderHandle* reader, std::size_t index, ParquetColumn* column);
int read_select(ParquetReaderHandle* reader, const std::size_t* indexes, std::size_t count,
                ParquetError* error);
int read_next(ParquetReaderHandle* reader, ParquetColumn* columns, std::size_t* rows,
              ParquetError* error);
void read_free(ParquetReaderHandle* reader);

}  // namespace millrace::codec::plugin
