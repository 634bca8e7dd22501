#include "codec/parquet_writer.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "codec/internal/parquet_plugin.h"
#include "env/atomic_file.h"

namespace millrace::codec {
namespace {

const char* name_of(Compression compression) {
  switch (compression) {
    case Compression::kSnappy:
      return "snappy";
    case Compression::kZstd:
      return "zstd";
    case Compression::kGzip:
      return "gzip";
    case Compression::kNone:
      break;
  }
  return "none";
}

}  // namespace

Status parquet_available() {
  MILLRACE_TRY(internal::load_parquet());
  return {};
}

struct ParquetWriter::State {
  State(const plugin::ParquetApi* functions, env::AtomicFile to, std::string named)
      : api(functions), file(std::move(to)), name(std::move(named)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (handle != nullptr) api->write_free(handle);
  }

  static int write(void* context, const char* bytes, std::size_t size) {
    State& self = *static_cast<State*>(context);
    if (self.failure) return 1;
    Status written = self.file.write({bytes, size});
    if (!written) {
      self.failure = std::move(written.error());
      return 1;
    }
    self.bytes += size;
    return 0;
  }
  // The error of a call of the plugin: our own, where it comes from writing.
  Error error_of(const plugin::ParquetError& error) const {
    return failure ? *failure : internal::parquet_error(name, error);
  }

  const plugin::ParquetApi* api;
  env::AtomicFile file;
  std::string name;
  std::vector<ColumnHead> columns;
  std::optional<Error> failure;
  plugin::ParquetWriterHandle* handle = nullptr;
  std::uint64_t bytes = 0;
};

ParquetWriter::ParquetWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
ParquetWriter& ParquetWriter::operator=(ParquetWriter&&) noexcept = default;
ParquetWriter::~ParquetWriter() = default;

Result<ParquetWriter> ParquetWriter::create(const env::Path& path,
                                            const std::vector<ColumnHead>& columns,
                                            Compression compression) {
  MILLRACE_ASSIGN(const plugin::ParquetApi* const api, internal::load_parquet());
  MILLRACE_ASSIGN(env::AtomicFile file, env::AtomicFile::create(path));
  auto state = std::make_unique<State>(api, std::move(file), path.string());
  state->columns = columns;
  std::vector<plugin::ParquetColumn> heads(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    heads[i].name = columns[i].name.data();
    heads[i].name_size = columns[i].name.size();
    heads[i].kind = static_cast<std::int32_t>(columns[i].kind);
  }
  const plugin::ParquetSink sink = {state.get(), &State::write};
  plugin::ParquetError error = {};
  if (api->write_open(&sink, heads.data(), heads.size(), name_of(compression), &state->handle,
                      &error) != 0) {
    return state->error_of(error);
  }
  return ParquetWriter(std::move(state));
}

Status ParquetWriter::write(std::span<const ColumnValues> columns) {
  CHECK(columns.size() == state_->columns.size());
  std::vector<plugin::ParquetColumn> rows(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    CHECK(columns[i].kind() == state_->columns[i].kind);
    CHECK(columns[i].rows() == columns[0].rows());
    rows[i].kind = static_cast<std::int32_t>(columns[i].kind());
    rows[i].valid = columns[i].valid();
    rows[i].values = columns[i].values();
    rows[i].offsets = columns[i].offsets();
    rows[i].bytes = columns[i].bytes();
  }
  plugin::ParquetError error = {};
  const std::size_t count = columns.empty() ? 0 : columns[0].rows();
  if (state_->api->write_rows(state_->handle, rows.data(), count, &error) != 0) {
    return state_->error_of(error);
  }
  return {};
}

Status ParquetWriter::finish() {
  plugin::ParquetError error = {};
  if (state_->api->write_close(state_->handle, &error) != 0) return state_->error_of(error);
  return {};
}

Status ParquetWriter::commit() { return state_->file.commit(); }

std::uint64_t ParquetWriter::bytes() const { return state_->bytes; }

}  // namespace millrace::codec
