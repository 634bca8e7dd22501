#include "codec/plugin/writing.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <memory>
#include <string_view>
#include <vector>

#include "codec/plugin/guard.h"

namespace millrace::codec::plugin {
namespace {

// The program's file as a stream of Arrow's.
class SinkStream final : public arrow::io::OutputStream {
 public:
  explicit SinkStream(const ParquetSink& sink) : sink_(sink) {}

  arrow::Status Write(const void* data, int64_t size) override {
    if (sink_.write(sink_.context, static_cast<const char*>(data),
                    static_cast<std::size_t>(size)) != 0) {
      return arrow::Status::Cancelled("the file cannot be written");
    }
    at_ += size;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return at_; }
  bool closed() const override { return closed_; }

 private:
  const ParquetSink sink_;
  int64_t at_ = 0;
  bool closed_ = false;
};

std::shared_ptr<arrow::DataType> type_of(std::int32_t kind) {
  switch (kind) {
    case kParquetBoolean:
      return arrow::boolean();
    case kParquetInteger:
      return arrow::int64();
    case kParquetNumber:
      return arrow::float64();
    case kParquetTime:
      return arrow::timestamp(arrow::TimeUnit::MILLI, "UTC");
    case kParquetText:
      return arrow::utf8();
    case kParquetCategory:
      return arrow::dictionary(arrow::int32(), arrow::utf8());
    case kParquetBytes:
      return arrow::binary();
    default:
      return nullptr;
  }
}

template <class Value>
const Value* values_of(const ParquetColumn& column) {
  return static_cast<const Value*>(column.values);
}

// The rows of `column` as an array; `value(row)` is what stands there.
template <class Builder, class Value>
arrow::Result<std::shared_ptr<arrow::Array>> build(Builder builder, const ParquetColumn& column,
                                                   std::size_t rows, Value value) {
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(rows)));
  for (std::size_t row = 0; row < rows; ++row) {
    if (column.valid != nullptr && column.valid[row] == 0) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(builder.Append(value(row)));
    }
  }
  std::shared_ptr<arrow::Array> array;
  ARROW_RETURN_NOT_OK(builder.Finish(&array));
  return array;
}

arrow::Result<std::shared_ptr<arrow::Array>> array_of(const ParquetColumn& column,
                                                      std::size_t rows) {
  const auto text = [&column](std::size_t row) {
    const std::int64_t from = column.offsets[row];
    return std::string_view(column.bytes + from,
                            static_cast<std::size_t>(column.offsets[row + 1] - from));
  };
  arrow::MemoryPool* const pool = arrow::system_memory_pool();
  const auto integer = [&](std::size_t row) { return values_of<std::int64_t>(column)[row]; };
  switch (column.kind) {
    case kParquetBoolean: {
      const auto value = [&](std::size_t row) { return values_of<std::uint8_t>(column)[row] != 0; };
      return build(arrow::BooleanBuilder(pool), column, rows, value);
    }
    case kParquetInteger:
      return build(arrow::Int64Builder(pool), column, rows, integer);
    case kParquetTime:
      return build(arrow::TimestampBuilder(type_of(column.kind), pool), column, rows, integer);
    case kParquetNumber: {
      const auto value = [&](std::size_t row) { return values_of<double>(column)[row]; };
      return build(arrow::DoubleBuilder(pool), column, rows, value);
    }
    case kParquetCategory:
      return build(arrow::StringDictionary32Builder(pool), column, rows, text);
    case kParquetText:
      return build(arrow::StringBuilder(pool), column, rows, text);
    default:
      return build(arrow::BinaryBuilder(pool), column, rows, text);
  }
}

arrow::Result<arrow::Compression::type> codec_of(std::string_view name) {
  if (name == "snappy") return arrow::Compression::SNAPPY;
  if (name == "zstd") return arrow::Compression::ZSTD;
  if (name == "gzip") return arrow::Compression::GZIP;
  if (name == "none") return arrow::Compression::UNCOMPRESSED;
  return arrow::Status::Invalid("no compression '", name, "'");
}

}  // namespace

struct ParquetWriterHandle {
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<parquet::arrow::FileWriter> writer;
};

int write_open(const ParquetSink* sink, const ParquetColumn* columns, std::size_t count,
               const char* compression, ParquetWriterHandle** writer, ParquetError* error) {
  return guarded(error, [&]() -> arrow::Status {
    auto made = std::make_unique<ParquetWriterHandle>();
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (std::size_t i = 0; i < count; ++i) {
      auto type = type_of(columns[i].kind);
      if (type == nullptr) return arrow::Status::Invalid("unknown kind of column");
      fields.push_back(arrow::field(std::string(columns[i].name, columns[i].name_size), type));
    }
    made->schema = arrow::schema(std::move(fields));
    ARROW_ASSIGN_OR_RAISE(const auto codec, codec_of(compression));
    auto properties = parquet::WriterProperties::Builder()
                          .compression(codec)
                          ->enable_page_checksum()
                          ->memory_pool(arrow::system_memory_pool())
                          ->build();
    // With Arrow's own schema beside Parquet's, categories come back as such.
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    ARROW_ASSIGN_OR_RAISE(
        made->writer, parquet::arrow::FileWriter::Open(*made->schema, arrow::system_memory_pool(),
                                                       std::make_shared<SinkStream>(*sink),
                                                       properties, arrow_properties));
    *writer = made.release();
    return arrow::Status::OK();
  });
}

int write_rows(ParquetWriterHandle* writer, const ParquetColumn* columns, std::size_t rows,
               ParquetError* error) {
  return guarded(error, [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(writer->writer->NewRowGroup());
    for (int i = 0; i < writer->schema->num_fields(); ++i) {
      ARROW_ASSIGN_OR_RAISE(const auto array, array_of(columns[i], rows));
      ARROW_RETURN_NOT_OK(writer->writer->WriteColumnChunk(*array));
    }
    return arrow::Status::OK();
  });
}

int write_close(ParquetWriterHandle* writer, ParquetError* error) {
  return guarded(error, [&] { return writer->writer->Close(); });
}

void write_free(ParquetWriterHandle* writer) {
  ParquetError ignored;  // of a file that is dropped
  guarded(&ignored, [&] {
    delete writer;
    return arrow::Status::OK();
  });
}

}  // namespace millrace::codec::plugin
