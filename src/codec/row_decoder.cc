#include "codec/row_decoder.h"

#include <algorithm>

namespace millrace::codec {

Result<RowDecoder> RowDecoder::make(const data::Schema& schema,
                                    const std::vector<std::string>& columns,
                                    const CsvDialect& dialect, Purpose purpose,
                                    const DecodeLimits& limits) {
  MILLRACE_ASSIGN(RecordDecoder decoder, RecordDecoder::make(schema, purpose, limits));
  return RowDecoder(std::move(decoder), RowEncoder(schema, columns, dialect));
}

bool RowDecoder::decode(const TableRow& row, std::span<data::Cell> cells,
                        data::RecordErrors& errors) {
  if (!row.errors.empty()) {
    std::fill(cells.begin(), cells.end(), data::Cell::invalid());
    errors.insert(errors.end(), row.errors.begin(), row.errors.end());
    return false;
  }
  encoder_.encode(row, {}, {}, message_);
  return decoder_.decode_copy(message_, cells, errors);
}

}  // namespace millrace::codec
