#include "codec/internal/csv_header.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace millrace::codec::internal {
namespace {

constexpr std::size_t kNamedMissingMax = 5;

std::string shown(char separator) {
  return separator == '\t' ? "'\\t' (tab)" : "'" + std::string(1, separator) + "'";
}

Error bad_header(const std::string& where, const std::string& what) {
  return {ErrorCode::kBadData, where + ": " + what};
}

// The separator that a header of one column seems to be written with, or 0.
char likely_separator(std::string_view line, char stated) {
  char best = 0;
  std::ptrdiff_t most = 0;
  for (const char candidate : {',', ';', '\t', '|'}) {
    const std::ptrdiff_t count = std::count(line.begin(), line.end(), candidate);
    if (candidate != stated && count > most) {
      best = candidate;
      most = count;
    }
  }
  return best;
}

std::string renamed(std::string_view column, const CsvDialect& dialect) {
  for (const auto& [from, to] : dialect.rename) {
    if (from == column) return to;
  }
  return std::string(column);
}

bool is_ignored(std::string_view column, const CsvDialect& dialect) {
  return std::find(dialect.ignore_columns.begin(), dialect.ignore_columns.end(), column) !=
         dialect.ignore_columns.end();
}

Status check_name(const std::string& name, std::size_t position, const std::string& where) {
  if (name.empty()) {
    return bad_header(where, "column " + std::to_string(position + 1) +
                                 " has no name. Add '' to csv.ignore_columns to leave it out (or "
                                 "set csv.drop_empty_trailing_columns for columns at the end).");
  }
  if (!is_utf8(name)) {
    return bad_header(where, "the name of column " + std::to_string(position + 1) + " ('" +
                                 printable(name, 60) + "') is not UTF-8. Convert the file first.");
  }
  return {};
}

Status check_distinct(const CsvColumns& columns, const std::string& where) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < columns.names.size(); ++i) {
    const auto [first, is_new] = seen.emplace(columns.names[i], columns.kept[i]);
    if (is_new) continue;
    return bad_header(where, "column '" + printable(columns.names[i], 60) +
                                 "' stands twice, as columns " + std::to_string(first->second + 1) +
                                 " and " + std::to_string(columns.kept[i] + 1) +
                                 ". Rename one in the file, or leave both out with "
                                 "csv.ignore_columns.");
  }
  return {};
}

// Where the columns stand that the time is written in. A name that stands twice could mean either.
Status find_time_columns(std::span<const std::string_view> header, const CsvDialect& dialect,
                         const std::string& where, CsvColumns& columns) {
  if (!dialect.timestamp) return {};
  for (const std::string& name : dialect.timestamp->columns) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) {
      const std::vector<std::string> names(header.begin(), header.end());
      std::string what =
          "no column '" + printable(name, 60) + "', which csv.timestamp.columns names";
      const std::string near = did_you_mean(name, names);
      const std::string& field = dialect.timestamp->field;
      if (std::find(header.begin(), header.end(), field) != header.end()) {
        what += ". The file has '" + field + "' itself: --set csv.timestamp={}.";
      } else {
        what += near.empty() ? ". Name the file's columns with --set csv.timestamp.columns='[...]'."
                             : near;
      }
      return bad_header(where, what);
    }
    if (std::find(found + 1, header.end(), name) != header.end()) {
      return bad_header(where, "column '" + printable(name, 60) +
                                   "', which csv.timestamp.columns names, stands twice. Rename one "
                                   "in the file.");
    }
    columns.time.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return {};
}

// The columns that the dialect adds. One that the file has already would have two values.
Status add_derived(const CsvDialect& dialect, const std::string& where, CsvColumns& columns) {
  const auto add = [&](const std::string& name, const char* key) -> Status {
    if (std::find(columns.names.begin(), columns.names.end(), name) == columns.names.end()) {
      columns.names.push_back(name);
      return {};
    }
    return bad_header(where, "the file has a column '" + printable(name, 60) +
                                 "' of its own, which " + key +
                                 " makes as well. Leave out one of them: csv.ignore_columns for "
                                 "the file's, or --set " +
                                 key + "={}.");
  };
  if (dialect.timestamp) MILLRACE_TRY(add(dialect.timestamp->field, "csv.timestamp"));
  for (const auto& [name, text] : dialect.constants) {
    MILLRACE_TRY(add(name, "csv.constants"));
  }
  return {};
}

bool is_of_time(const CsvColumns& columns, std::size_t position) {
  return std::find(columns.time.begin(), columns.time.end(), position) != columns.time.end();
}

// Every field that a record must have needs its column; the label may come later.
Status check_required(const CsvColumns& columns, const data::Schema& schema,
                      const std::string& where) {
  std::string missing;
  std::size_t count = 0;
  bool any_known = false;
  for (const data::Field& field : schema.fields()) {
    const bool there =
        std::find(columns.names.begin(), columns.names.end(), field.name) != columns.names.end();
    any_known = any_known || there;
    if (there || !field.required || field.label) continue;
    if (count++ < kNamedMissingMax) {
      missing += (missing.empty() ? "'" : "; '") + field.name + "'" +
                 did_you_mean(field.name, columns.names);
    }
  }
  if (count == 0) return {};
  if (count > kNamedMissingMax) {
    missing += " and " + std::to_string(count - kNamedMissingMax) + " more";
  }
  std::string what = "no column for " + missing;
  if (what.back() != '?') what += ".";
  what += any_known
              ? " Rename columns with csv.rename, or make the field 'required: false'."
              : " The first line seems to hold data, not names: if so, set csv.header: false.";
  return bad_header(where, what);
}

}  // namespace

Result<CsvColumns> columns_of_header(std::span<const std::string_view> header,
                                     const CsvDialect& dialect, const data::Schema& schema,
                                     const std::string& where) {
  if (header.size() > kColumnsMax) {
    return bad_header(where, "more than " + std::to_string(kColumnsMax) + " columns");
  }
  if (header.size() == 1 && !schema.find(renamed(header[0], dialect))) {
    const char separator = likely_separator(header[0], dialect.separator);
    if (separator != 0) {
      return bad_header(where, "one column only, but the line seems to use " + shown(separator) +
                                   ": set csv.separator.");
    }
  }
  CsvColumns columns;
  columns.in_file = header.size();
  if (dialect.drop_empty_trailing_columns) {
    while (columns.in_file > 1 && header[columns.in_file - 1].empty()) --columns.in_file;
  }
  MILLRACE_TRY(find_time_columns(header.first(columns.in_file), dialect, where, columns));
  for (std::size_t i = 0; i < columns.in_file; ++i) {
    if (is_ignored(header[i], dialect) || is_of_time(columns, i)) continue;
    columns.names.push_back(renamed(header[i], dialect));
    columns.kept.push_back(i);
    MILLRACE_TRY(check_name(columns.names.back(), i, where));
  }
  if (columns.names.empty() && columns.time.empty()) {
    return bad_header(where, "no column is left by csv.ignore_columns");
  }
  MILLRACE_TRY(check_distinct(columns, where));
  MILLRACE_TRY(add_derived(dialect, where, columns));
  MILLRACE_TRY(check_required(columns, schema, where));
  return columns;
}

Result<CsvColumns> columns_of_schema(const CsvDialect& dialect, const data::Schema& schema,
                                     const std::string& where) {
  if (schema.size() == 0) {
    return bad_header(where, "csv.header: false needs a schema that names the columns");
  }
  if (dialect.timestamp) {
    return bad_header(where, "csv.timestamp names columns, which a file without a header has not");
  }
  CsvColumns columns;
  for (const std::string& name : schema.names()) {
    const bool added = std::any_of(dialect.constants.begin(), dialect.constants.end(),
                                   [&](const auto& one) { return one.first == name; });
    if (!added) columns.names.push_back(name);
  }
  if (columns.names.empty()) return bad_header(where, "csv.constants leaves no column to the file");
  columns.in_file = columns.names.size();
  for (std::size_t i = 0; i < columns.in_file; ++i) columns.kept.push_back(i);
  MILLRACE_TRY(add_derived(dialect, where, columns));
  return columns;
}

Status check_is_text(std::string_view start, const std::string& where) {
  using namespace std::string_view_literals;
  static constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"\x1F\x8B"sv, "gzip data: unpack it first, or pipe it in (gzip -dc FILE | ... --data -)"sv},
      {"PK\x03\x04"sv, "a ZIP archive (or a spreadsheet): unpack it, or save it as CSV"sv},
      {"\x28\xB5\x2F\xFD"sv, "Zstandard data: unpack it first"sv},
      {"BZh"sv, "bzip2 data: unpack it first"sv},
      {"\xFD\x37zXZ\0"sv, "xz data: unpack it first"sv},
      {"PAR1"sv, "a Parquet file: give it a name that ends in .parquet"sv},
      {"\xFF\xFE"sv, "UTF-16 text: save it as UTF-8"sv},
      {"\xFE\xFF"sv, "UTF-16 text: save it as UTF-8"sv},
      {"SQLite format 3\0"sv, "an SQLite database, not a table of text"sv},
  };
  for (const auto& [magic, what] : kKnown) {
    if (start.starts_with(magic)) {
      return Error(ErrorCode::kBadData, where + " is " + std::string(what) + ".");
    }
  }
  return {};
}

}  // namespace millrace::codec::internal
