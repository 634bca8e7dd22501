// Rows of a file or of standard input, in order: CSV or NDJSON as messages, or lines as they are.
#pragma once

#include <memory>
#include <string>

#include "codec/table_reader.h"
#include "ingest/internal/key_maker.h"
#include "ingest/internal/row_source.h"
#include "ingest/produce.h"
#include "spec/pipeline.h"

namespace millrace::ingest {

enum class Stamping {
  kOnSend,  // a record without the event-time column gets it with the time of sending
  kNever,   // ... gets it later (rows kept for sampling)
};

class TableSource final : public RowSource {
 public:
  // The format is by the path's ending, or kRaw. `pipeline` and `stop` must outlive the source.
  // Errors: what TableReader::open() says; kConfig for a key field that the file's columns lack.
  static Result<std::unique_ptr<TableSource>> open(const spec::Pipeline& pipeline,
                                                   const std::string& path,
                                                   ProduceOptions::Form form, const KeyRule& key,
                                                   Stamping stamping, const env::StopToken& stop);

  Result<bool> next(std::string_view stamp, SourceRow& row) override;
  Status skip_to(RowNumber row) override { return reader_.skip_to(row); }
  std::uint64_t bytes_read() const override { return reader_.bytes_read(); }
  std::uint64_t bytes_total() const override { return reader_.bytes_total(); }

  // The field that each message must be given with the time of sending, "" when none is: the rows
  // carry it in a column, or pass unchanged.
  const std::string& stamp_field() const { return stamp_field_; }

 private:
  TableSource(const spec::Pipeline& pipeline, codec::TableReader reader, const KeyRule& key,
              Stamping stamping);
  void fill_from_cells(const codec::TableRow& from, SourceRow& row);
  void fill_from_json(const codec::TableRow& from, SourceRow& row);

  codec::TableFormat format_;
  codec::TableReader reader_;
  codec::RowEncoder encoder_;
  KeyMaker keys_;
  codec::TableRow current_;  // views of the row last handed out
  std::optional<std::size_t> key_column_;
  std::optional<std::size_t> time_column_;
  std::string time_field_;  // of the pipeline, "" without one
  std::string stamp_field_;
  Stamping stamping_;
  std::string message_;
  std::string scratch_;
  std::string time_scratch_;
};

}  // namespace millrace::ingest
