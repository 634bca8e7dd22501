#include "engine/file_rows.h"

#include "base/arena.h"

namespace millrace::engine {

Result<FileRows> FileRows::open(const spec::Pipeline& pipeline, const std::string& path,
                                const env::StopToken& stop) {
  MILLRACE_ASSIGN(const codec::TableFormat format, codec::format_of_path(path));
  MILLRACE_ASSIGN(codec::TableReader reader,
                  codec::TableReader::open(path, format, pipeline.csv, pipeline.schema, &stop));
  std::unique_ptr<codec::RowEncoder> encoder;
  if (format == codec::TableFormat::kCsv) {
    encoder = std::make_unique<codec::RowEncoder>(pipeline.schema, reader.columns(), pipeline.csv);
  }
  return FileRows(format, std::move(reader), std::move(encoder));
}

Result<std::optional<FileRows::Row>> FileRows::next() {
  MILLRACE_ASSIGN(const std::optional<codec::TableRow> row, reader_.next());
  if (!row) return std::optional<Row>();
  Row out;
  out.line = row->line;
  out.raw = row->raw;
  if (!row->errors.empty()) {
    errors_ = row->errors;
    out.errors = &errors_;
    return std::optional<Row>(out);
  }
  if (encoder_) {
    encoder_->encode(*row, {}, {}, message_);
  } else {
    message_.assign(row->raw);
  }
  const std::size_t size = message_.size();
  message_.append(kArenaPadding, '\0');
  out.message = std::string_view(message_).substr(0, size);
  return std::optional<Row>(out);
}

}  // namespace millrace::engine
