// Rows of a table to cells, checked exactly as the same row's message would be: encode, then
// decode. One path for file and stream.
#pragma once

#include <memory>
#include <span>

#include "codec/record_decoder.h"
#include "codec/table_reader.h"

namespace millrace::codec {

// Not thread-safe. Views in cells live until the next call.
class RowDecoder {
 public:
  // `columns` are TableReader::columns() of the reader that gives the rows. Errors: kConfig for a
  // pattern RE2 refuses.
  static Result<RowDecoder> make(const data::Schema& schema,
                                 const std::vector<std::string>& columns, const CsvDialect& dialect,
                                 Purpose purpose, const DecodeLimits& limits = {});

  // As RecordDecoder::decode; a row that is bad already gives its own errors. `cells` are then all
  // invalid.
  bool decode(const TableRow& row, std::span<data::Cell> cells, data::RecordErrors& errors);
  // The message of the last row decoded, as `produce` would send it (without a stamped time).
  std::string_view message() const { return message_; }

 private:
  RowDecoder(RecordDecoder decoder, RowEncoder encoder)
      : decoder_(std::move(decoder)), encoder_(std::move(encoder)) {}

  RecordDecoder decoder_;
  RowEncoder encoder_;
  std::string message_;
};

}  // namespace millrace::codec
