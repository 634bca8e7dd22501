// A table in a temporary file, read row by row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/table_reader.h"
#include "env/file.h"

namespace millrace::codec::testing {

class TableFile {
 public:
  explicit TableFile(std::string_view content)
      : folder_(std::move(*env::TemporaryFolder::make("table"))) {
    CHECK(env::write_file_atomic(folder_.path() / "table.csv", content).has_value());
  }
  std::string path() const { return folder_.path() / "table.csv"; }

  // A row whose views are copied.
  struct Row {
    std::int64_t row;
    std::int64_t line;
    std::string raw;
    std::vector<std::string> cells;
    data::RecordErrors errors;
    // "line: cell|cell" of a good row, "line! code; code" of a bad one.
    std::string text() const {
      std::string out = std::to_string(line) + (errors.empty() ? ":" : "!");
      for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? " " : "|") + cells[i];
      for (const data::RecordError& error : errors) out += " " + std::string(to_string(error.code));
      return out;
    }
  };
  static std::vector<Row> rows_of(TableReader& reader) {
    std::vector<Row> rows;
    while (true) {
      auto next = reader.next();
      CHECK(next.has_value());
      if (!*next) return rows;
      const TableRow& row = **next;
      rows.push_back({row.row.value(),
                      row.line,
                      std::string(row.raw),
                      {row.cells.begin(), row.cells.end()},
                      row.errors});
    }
  }
  Result<TableReader> open(const CsvDialect& dialect = {}, const data::Schema& schema = {},
                           TableFormat format = TableFormat::kCsv) const {
    return TableReader::open(path(), format, dialect, schema);
  }
  std::vector<Row> rows(const CsvDialect& dialect = {},
                        TableFormat format = TableFormat::kCsv) const {
    auto reader = open(dialect, {}, format);
    CHECK(reader.has_value());
    return rows_of(*reader);
  }
  // Row::text() of all rows.
  std::vector<std::string> texts(const CsvDialect& dialect = {},
                                 TableFormat format = TableFormat::kCsv) const {
    std::vector<std::string> out;
    for (const Row& row : rows(dialect, format)) out.push_back(row.text());
    return out;
  }

 private:
  env::TemporaryFolder folder_;
};

}  // namespace millrace::codec::testing
