// The columns of a CSV file: from its header, or from the schema where it has none.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/table_reader.h"
#include "data/schema.h"

namespace millrace::codec::internal {

inline constexpr std::size_t kColumnsMax = 10'000;

struct CsvColumns {
  std::vector<std::string> names;  // of the kept columns, then of those that the dialect adds
  std::vector<std::size_t> kept;   // position in the file of the former, ascending
  std::vector<std::size_t> time;   // positions of the dialect's timestamp columns, in its order
  std::size_t in_file = 0;  // cells of a row; without empty ones at its end where the dialect
                            // drops these

  // Whether every cell of a row is kept.
  bool all_kept() const { return kept.size() == in_file; }
};

// `where`: file and line, for messages. Errors: kBadData.
Result<CsvColumns> columns_of_header(std::span<const std::string_view> header,
                                     const CsvDialect& dialect, const data::Schema& schema,
                                     const std::string& where);
Result<CsvColumns> columns_of_schema(const CsvDialect& dialect, const data::Schema& schema,
                                     const std::string& where);

// Refuses by their first bytes files that are surely no text: gzip, Parquet, UTF-16 and their like.
Status check_is_text(std::string_view start, const std::string& where);

}  // namespace millrace::codec::internal
