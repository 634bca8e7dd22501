#include "codec/plugin/reading.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "codec/plugin/column_copy.h"
#include "codec/plugin/guard.h"

namespace millrace::codec::plugin {
namespace {

// Rows that are decoded together. Pages are decoded as they are needed, so that memory is bounded
// by one page of each column and these rows, whatever the row groups are.
constexpr std::int64_t kBatchRows = 4096;
constexpr std::int64_t kBufferBytes = std::int64_t{256} << 10;
// Of everything that Arrow holds; a damaged file may ask for any amount.
constexpr std::int64_t kMemoryMax = std::int64_t{1} << 30;
constexpr std::int32_t kMetadataTextMax = 16 << 20;
constexpr std::int32_t kMetadataListMax = 1 << 20;

// The program's file as a file of Arrow's.
class SourceFile final : public arrow::io::RandomAccessFile {
 public:
  SourceFile(const ParquetSource& source, arrow::MemoryPool* pool) : source_(source), pool_(pool) {}

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override {
    if (position < 0 || size < 0) return arrow::Status::Invalid("a position below zero");
    if (position > source_.size) return arrow::Status::Invalid("a position behind the end");
    size = std::min(size, source_.size - position);
    if (source_.read(source_.context, position, static_cast<char*>(out),
                     static_cast<std::size_t>(size)) != 0) {
      return arrow::Status::Cancelled("the file cannot be read");
    }
    return size;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override {
    if (position < 0 || size < 0 || position > source_.size) {
      return arrow::Status::Invalid("a position outside of the file");
    }
    size = std::min(size, source_.size - position);
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size, pool_));
    ARROW_RETURN_NOT_OK(ReadAt(position, size, buffer->mutable_data()).status());
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }
  arrow::Result<int64_t> Read(int64_t size, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(at_, size, out));
    at_ += read;
    return read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(at_, size));
    at_ += buffer->size();
    return buffer;
  }
  arrow::Status Seek(int64_t position) override {
    if (position < 0) return arrow::Status::Invalid("a position below zero");
    at_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> GetSize() override { return source_.size; }
  arrow::Result<int64_t> Tell() const override { return at_; }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

 private:
  const ParquetSource source_;
  arrow::MemoryPool* const pool_;
  int64_t at_ = 0;
  bool closed_ = false;
};

}  // namespace

struct ParquetReaderHandle {
  struct Column {
    std::string name;
    std::string type;
    ParquetKind kind = kParquetUnsupported;
  };
  arrow::CappedMemoryPool pool{arrow::system_memory_pool(), kMemoryMax};
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::vector<Column> columns;
  std::vector<std::size_t> selected;
  std::int64_t rows_total = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches;
  std::vector<ColumnCopy> copies;  // of the last rows read
};

int read_open(const ParquetSource* source, ParquetReaderHandle** reader, ParquetError* error) {
  return guarded(error, [&]() -> arrow::Status {
    auto made = std::make_unique<ParquetReaderHandle>();
    parquet::ReaderProperties properties(&made->pool);
    properties.enable_buffered_stream();
    properties.set_buffer_size(kBufferBytes);
    properties.set_page_checksum_verification(true);
    properties.set_thrift_string_size_limit(kMetadataTextMax);
    properties.set_thrift_container_size_limit(kMetadataListMax);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_batch_size(kBatchRows);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(
        builder.Open(std::make_shared<SourceFile>(*source, &made->pool), properties));
    builder.memory_pool(&made->pool)->properties(arrow_properties);
    ARROW_ASSIGN_OR_RAISE(made->file, builder.Build());
    std::shared_ptr<arrow::Schema> schema;
    ARROW_RETURN_NOT_OK(made->file->GetSchema(&schema));
    for (const auto& field : schema->fields()) {
      made->columns.push_back({field->name(), field->type()->ToString(), kind_of(*field->type())});
    }
    made->rows_total = made->file->parquet_reader()->metadata()->num_rows();
    *reader = made.release();
    return arrow::Status::OK();
  });
}

std::size_t read_columns(const ParquetReaderHandle* reader) { return reader->columns.size(); }

std::int64_t read_rows_total(const ParquetReaderHandle* reader) { return reader->rows_total; }

void read_column(const ParquetReaderHandle* reader, std::size_t index, ParquetColumn* column) {
  const ParquetReaderHandle::Column& from = reader->columns[index];
  *column = {};
  column->name = from.name.data();
  column->name_size = from.name.size();
  column->kind = from.kind;
  column->type = from.type.c_str();
}

int read_select(ParquetReaderHandle* reader, const std::size_t* indexes, std::size_t count,
                ParquetError* error) {
  return guarded(error, [&]() -> arrow::Status {
    reader->selected.assign(indexes, indexes + count);
    reader->copies.resize(count);
    // A column without columns inside has one leaf; those before it may have several.
    std::vector<int> leaves;
    for (const std::size_t index : reader->selected) {
      const auto& field = reader->file->manifest().schema_fields.at(index);
      if (!field.is_leaf()) return arrow::Status::Invalid("a column with columns inside");
      leaves.push_back(field.column_index);
    }
    std::vector<int> groups(static_cast<std::size_t>(reader->file->num_row_groups()));
    std::iota(groups.begin(), groups.end(), 0);
    ARROW_ASSIGN_OR_RAISE(reader->batches, reader->file->GetRecordBatchReader(groups, leaves));
    return arrow::Status::OK();
  });
}

int read_next(ParquetReaderHandle* reader, ParquetColumn* columns, std::size_t* rows,
              ParquetError* error) {
  return guarded(error, [&]() -> arrow::Status {
    *rows = 0;
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      ARROW_RETURN_NOT_OK(reader->batches->ReadNext(&batch));
    } while (batch != nullptr && batch->num_rows() == 0);
    if (batch == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(batch->Validate());
    for (std::size_t i = 0; i < reader->selected.size(); ++i) {
      const std::string& name = reader->columns[reader->selected[i]].name;
      const auto array = batch->GetColumnByName(name);
      if (array == nullptr) return arrow::Status::Invalid("column '", name, "' is not found");
      ARROW_RETURN_NOT_OK(reader->copies[i].copy(*array));
      columns[i] = reader->copies[i].view();
    }
    *rows = static_cast<std::size_t>(batch->num_rows());
    return arrow::Status::OK();
  });
}

void read_free(ParquetReaderHandle* reader) {
  ParquetError ignored;
  guarded(&ignored, [&] {
    delete reader;
    return arrow::Status::OK();
  });
}

}  // namespace millrace::codec::plugin
