// What the program and its Parquet plugin say to each other: plain C, so that neither needs to know
// how the other was compiled. No exception and no C++ type crosses it; the program owns files, the
// plugin owns what it hands out until the next call on the same object. Not thread-safe: one thread
// at a time uses an object.
//
// kParquetAbi changes whenever anything here does; the program refuses a plugin of another number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::codec::plugin {

inline constexpr std::uint32_t kParquetAbi = 1;
inline constexpr const char* kParquetSymbol = "millrace_parquet_plugin";

extern "C" {

// What a column holds, and what its values are.
enum ParquetKind : std::int32_t {
  kParquetUnsupported = 0,
  kParquetBoolean = 1,   // uint8_t, 0 or 1
  kParquetInteger = 2,   // int64_t
  kParquetNumber = 3,    // double
  kParquetTime = 4,      // int64_t, milliseconds since 1970-01-01T00:00:00Z
  kParquetText = 5,      // UTF-8
  kParquetCategory = 6,  // UTF-8 of few distinct values; written with a dictionary
  kParquetBytes = 7,     // any bytes
};

enum ParquetFault : std::int32_t {
  kParquetBadFile = 1,   // not Parquet, damaged, or beyond a limit
  kParquetCallback = 2,  // reading or writing failed, which the program knows all about
  kParquetMemory = 3,
  kParquetOther = 4,
};

// Filled by a call that returns other than 0. `text` ends with a zero.
struct ParquetError {
  std::int32_t fault;
  char text[1020];
};

// Some rows of one column. Texts and bytes: row i is bytes[offsets[i] .. offsets[i + 1]).
struct ParquetColumn {
  const char* name;  // UTF-8
  std::size_t name_size;
  std::int32_t kind;
  const std::uint8_t* valid;  // one byte a row, 0 = null; nullptr: no nulls
  const void* values;         // of kinds that are numbers
  const std::int64_t* offsets;
  const char* bytes;
  const char* type;  // reading: the type's name in the file, ends with a zero
};

// Where a file's bytes go; 0 when they went there.
struct ParquetSink {
  void* context;
  int (*write)(void* context, const char* bytes, std::size_t size);
};

// Where a file's bytes come from: exactly `size` of them from `at` on; 0 when they came.
struct ParquetSource {
  void* context;
  std::int64_t size;
  int (*read)(void* context, std::int64_t at, char* into, std::size_t size);
};

struct ParquetWriterHandle;
struct ParquetReaderHandle;

struct ParquetApi {
  std::uint32_t abi;
  const char* library;  // name and version of the library behind it

  // Of `columns` the names and kinds count. `compression`: snappy, zstd, gzip, none.
  int (*write_open)(const struct ParquetSink* sink, const struct ParquetColumn* columns,
                    std::size_t count, const char* compression, struct ParquetWriterHandle** writer,
                    struct ParquetError* error);
  // One row group.
  int (*write_rows)(struct ParquetWriterHandle* writer, const struct ParquetColumn* columns,
                    std::size_t rows, struct ParquetError* error);
  // The footer. Nothing may be written after it.
  int (*write_close)(struct ParquetWriterHandle* writer, struct ParquetError* error);
  void (*write_free)(struct ParquetWriterHandle* writer);

  int (*read_open)(const struct ParquetSource* source, struct ParquetReaderHandle** reader,
                   struct ParquetError* error);
  std::size_t (*read_columns)(const struct ParquetReaderHandle* reader);
  std::int64_t (*read_rows_total)(const struct ParquetReaderHandle* reader);
  // Name, kind and type of a column, for the life of the reader.
  void (*read_column)(const struct ParquetReaderHandle* reader, std::size_t index,
                      struct ParquetColumn* column);
  // Which columns the rows to come have, in this order; all of a kind that is supported. Once.
  int (*read_select)(struct ParquetReaderHandle* reader, const std::size_t* indexes,
                     std::size_t count, struct ParquetError* error);
  // The next rows of the selected columns; 0 rows at the end.
  int (*read_next)(struct ParquetReaderHandle* reader, struct ParquetColumn* columns,
                   std::size_t* rows, struct ParquetError* error);
  void (*read_free)(struct ParquetReaderHandle* reader);
};

}  // extern "C"

// The plugin's only symbol: kParquetSymbol.
using ParquetPluginFunction = const ParquetApi* (*)();

}  // namespace millrace::codec::plugin
