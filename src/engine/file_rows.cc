#include "engine/file_rows.h"

#include "base/arena.h"

namespace millrace::engine {

Result<FileRows> FileRows::open(const spec::Pipeline& pipeline, const std::string& path,
                                const env::StopToken& stop) {
  const codec::TableFormat format = codec::format_of_path(path);
  MILLRACE_ASSIGN(codec::TableReader reader,
                  codec::TableReader::open(path, format, pipeline.csv, pipeline.schema, &stop));
  std::unique_ptr<codec::RowEncoder> encoder;
  if (codec::has_columns(reader.format())) {
    encoder = std::make_unique<codec::RowEncoder>(pipeline.schema, reader.columns(), pipeline.csv);
  }
  return FileRows(std::move(reader), std::move(encoder));
}

Result<std::optional<FileRows::Row>> FileRows::next() {
  MILLRACE_ASSIGN(const bool found, reader_.read(row_));
  if (!found) return std::optional<Row>();
  Row out;
  out.line = row_.line;
  out.cells = row_.cells;
  if (!row_.errors.empty()) {
    out.errors = &row_.errors;
    return std::optional<Row>(out);
  }
  if (encoder_) {
    encoder_->encode(row_, {}, {}, message_);
  } else {
    message_.assign(row_.raw);
  }
  const std::size_t size = message_.size();
  message_.append(kArenaPadding, '\0');
  out.message = std::string_view(message_).substr(0, size);
  return std::optional<Row>(out);
}

}  // namespace millrace::engine
