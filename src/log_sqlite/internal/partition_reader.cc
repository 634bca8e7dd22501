#include "log_sqlite/internal/partition_reader.h"

#include <cstring>
#include <string>

#include "log_sqlite/internal/catalog.h"

namespace millrace::log_sqlite::internal {
namespace {

// From this size on it pays to read through a blob handle, without SQLite's own copy.
constexpr std::size_t kBlobHandleBytes = std::size_t{64} << 10;
// Damage must not make us allocate anything: no stored batch is larger.
constexpr std::size_t kStoredBytesMax = std::size_t{300} << 20;

}  // namespace

Error PartitionReader::damage(Database& database, Offset offset, std::string_view what) const {
  return damaged(database.file(), source_,
                 "offset " + std::to_string(offset.value()) + ": " + std::string(what));
}

Status PartitionReader::read(Database& database, Offset from, const ReadLimits& limits,
                             log::Batch& out) {
  out.source = source_;
  if (kept_ && kept_->base <= from && from < kept_->next()) {
    return read_part(database, from, limits, out);
  }
  kept_.reset();
  kept_bytes_.reset();
  MILLRACE_ASSIGN(const auto stored, find(database, from, limits));
  const auto records =
      static_cast<std::size_t>(stored.front().next.value() - stored.front().base.value());
  if (stored.front().base == from && records <= limits.records_max) {
    return read_whole(database, stored, out);
  }
  MILLRACE_TRY(keep(database, stored.front()));
  return read_part(database, from, limits, out);
}

Result<std::vector<PartitionReader::Stored>> PartitionReader::find(Database& database, Offset from,
                                                                   const ReadLimits& limits) {
  MILLRACE_ASSIGN(
      Query row,
      database.query("SELECT id, base, next, length(data) FROM batch WHERE partition_id = ?1 AND "
                     "base >= (SELECT max(base) FROM batch WHERE partition_id = ?1 AND base <= ?2)"
                     " ORDER BY base",
                     partition_row_, from));
  std::vector<Stored> found;
  std::size_t records = 0;
  std::size_t bytes = 0;
  while (true) {
    MILLRACE_ASSIGN(const bool more, row.step());
    if (!more) break;
    const Stored stored{row.integer(0), Offset(row.integer(1)), Offset(row.integer(2)),
                        static_cast<std::size_t>(row.integer(3))};
    const bool follows = found.empty() ? stored.base <= from && from < stored.next
                                       : stored.base == found.back().next;
    if (!follows || stored.next <= stored.base || stored.bytes > kStoredBytesMax) break;
    records += static_cast<std::size_t>(stored.next.value() - stored.base.value());
    bytes += stored.bytes;
    if (!found.empty() && (records > limits.records_max || bytes > limits.bytes_max)) break;
    found.push_back(stored);
  }
  if (found.empty()) return damage(database, from, "its batch is missing");
  return found;
}

Result<BatchHeader> PartitionReader::load(Database& database, BlobReader& blobs,
                                          const Stored& stored, char* out) {
  if (stored.bytes >= kBlobHandleBytes) {
    MILLRACE_TRY(blobs.read(stored.row, out, stored.bytes));
  } else {
    MILLRACE_ASSIGN(Query row, database.query("SELECT data FROM batch WHERE id = ?1", stored.row));
    MILLRACE_ASSIGN(const bool found, row.step());
    const std::string_view data = found ? row.blob(0) : std::string_view();
    if (data.size() != stored.bytes) return damage(database, stored.base, "its batch is missing");
    if (!data.empty()) std::memcpy(out, data.data(), data.size());
  }
  const auto header = read_batch_header({out, stored.bytes}, Verify::kAll);
  if (!header) {
    return damage(database, stored.base,
                  "the checksum of the batch up to offset " +
                      std::to_string(stored.next.value() - 1) + " is wrong");
  }
  if (header->partition_row != partition_row_ || header->base != stored.base ||
      header->next() != stored.next) {
    return damage(database, stored.base, "its batch belongs somewhere else");
  }
  return *header;
}

Status PartitionReader::read_whole(Database& database, const std::vector<Stored>& stored,
                                   log::Batch& out) {
  std::size_t total = 0;
  for (const Stored& batch : stored) total += batch.bytes + kArenaPadding;
  out.arena = Arena(total);
  BlobReader blobs(database);
  std::vector<std::pair<BatchHeader, std::string_view>> loaded;
  loaded.reserve(stored.size());
  std::size_t records = 0;
  std::size_t headers = 0;
  for (const Stored& batch : stored) {
    char* at = out.arena.allocate(batch.bytes);
    auto header = load(database, blobs, batch, at);
    if (!header) {
      // What lies before the damage is good, and is handed out first.
      if (loaded.empty() || header.error().code() != ErrorCode::kCorrupt) return header.error();
      break;
    }
    loaded.emplace_back(*header, std::string_view(at, batch.bytes).substr(kBatchHeaderBytes));
    records += header->records;
    headers += header->headers;
  }
  out.records.resize(records);
  out.headers.reserve(headers);
  log::Record* record = out.records.data();
  for (const auto& [header, payload] : loaded) {
    RecordCursor cursor(header, payload);
    for (std::uint32_t i = 0; i < header.records; ++i) {
      if (!cursor.read(*record++, out.headers, out.bytes)) {
        return damage(database, cursor.next_offset(), "its bytes are no record");
      }
    }
  }
  out.next = loaded.back().first.next();
  return {};
}

Status PartitionReader::keep(Database& database, const Stored& stored) {
  kept_bytes_ = std::make_unique_for_overwrite<char[]>(stored.bytes);
  BlobReader blobs(database);
  MILLRACE_ASSIGN(kept_, load(database, blobs, stored, kept_bytes_.get()));
  cursor_.emplace(*kept_, std::string_view(kept_bytes_.get() + kBatchHeaderBytes,
                                           stored.bytes - kBatchHeaderBytes));
  return {};
}

Status PartitionReader::read_part(Database& database, Offset from, const ReadLimits& limits,
                                  log::Batch& out) {
  const std::string_view payload(kept_bytes_.get() + kBatchHeaderBytes, kept_->payload_bytes);
  if (cursor_->next_offset() > from) cursor_.emplace(*kept_, payload);
  std::size_t bytes = 0;
  std::size_t headers = 0;
  auto skip = [&]() -> Status {
    if (cursor_->skip(bytes, headers)) return {};
    return damage(database, cursor_->next_offset(), "its bytes are no record");
  };
  while (cursor_->next_offset() < from) MILLRACE_TRY(skip());
  const char* start = cursor_->at();
  bytes = 0;
  headers = 0;
  std::size_t records = 0;
  RecordCursor part = *cursor_;
  while (cursor_->next_offset() < kept_->next() && records < limits.records_max) {
    const RecordCursor before = *cursor_;
    const std::size_t headers_before = headers;
    MILLRACE_TRY(skip());
    if (records > 0 && bytes > limits.bytes_max) {
      cursor_ = before;
      headers = headers_before;
      break;
    }
    ++records;
  }
  const std::string_view copied =
      out.arena.copy({start, static_cast<std::size_t>(cursor_->at() - start)});
  part.rebase(copied, from);
  out.records.resize(records);
  out.headers.reserve(headers);
  for (log::Record& record : out.records) {
    if (!part.read(record, out.headers, out.bytes)) {
      return damage(database, part.next_offset(), "its bytes are no record");
    }
  }
  out.next = cursor_->next_offset();
  return {};
}

}  // namespace millrace::log_sqlite::internal
