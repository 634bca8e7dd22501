// The bytes of a stored batch: a fixed header and the records one after the other
// (docs/formats/embedded-log.md has the layout).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "log/record.h"

namespace millrace::log_sqlite::internal {

inline constexpr std::size_t kBatchHeaderBytes = 64;
// A batch is closed when it has reached one of these.
inline constexpr std::size_t kBatchBytesMax = std::size_t{1} << 20;
inline constexpr std::uint32_t kBatchRecordsMax = 10'000;

struct BatchHeader {
  std::int64_t partition_row =
      0;                // the partition's row in the file: a batch knows where it belongs
  Offset base;          // offset of the first record; the others follow without gaps
  Timestamp base_time;  // of the first record
  Timestamp time_max;
  std::uint32_t records = 0;
  std::uint32_t headers = 0;  // record headers in all
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;
  std::uint32_t record_bytes = 0;  // keys, values, headers

  Offset next() const { return base.plus(records); }
};

// Builds one batch in memory. Reused by clear(), which keeps the memory.
class BatchEncoder {
 public:
  // The record as it stands; the caller has checked its size.
  void append(const log::NewRecord& record, std::size_t record_bytes);
  bool full() const { return header_.records >= kBatchRecordsMax || used_ >= kBatchBytesMax; }
  bool empty() const { return header_.records == 0; }
  // About the size with a record of so many bytes more.
  std::size_t bytes_with(std::size_t record_bytes) const {
    return empty() ? 0 : used_ + record_bytes;
  }
  // Computes the payload's checksum; append() may not follow.
  void seal();
  // Fills in where the batch goes and gives its bytes, valid until the next call of any kind.
  std::string_view place(std::int64_t partition_row, Offset base);
  const BatchHeader& header() const { return header_; }
  std::size_t capacity() const { return capacity_; }
  void clear();

 private:
  void reserve(std::size_t more);

  BatchHeader header_;
  std::unique_ptr<char[]> bytes_;
  std::size_t used_ = kBatchHeaderBytes;
  std::size_t capacity_ = 0;
};

// Reads and verifies the header and, with Verify::kAll, the payload's checksum. nullopt is damage.
enum class Verify { kHeader, kAll };
std::optional<BatchHeader> read_batch_header(std::string_view bytes, Verify verify);

// Walks the records of a verified batch. Safe on any bytes.
class RecordCursor {
 public:
  // `payload`: the bytes behind the header.
  RecordCursor(const BatchHeader& header, std::string_view payload)
      : at_(payload.data()),
        end_(payload.data() + payload.size()),
        next_(header.base),
        base_time_(header.base_time) {}

  Offset next_offset() const { return next_; }
  const char* at() const { return at_; }
  // Steps over a record and its bytes; false is damage. `bytes` and `headers` grow by what it has.
  bool skip(std::size_t& bytes, std::size_t& headers);
  // The next record as views into the payload; its headers go to the end of `headers`, which must
  // have room for them. False is damage.
  bool read(log::Record& record, std::vector<log::Header>& headers, std::size_t& bytes);
  // The same bytes at another address.
  void rebase(std::string_view payload, Offset next);

 private:
  struct Prefix {
    std::optional<std::size_t> key;
    std::optional<std::size_t> value;
    std::int64_t time_delta = 0;
    std::uint64_t headers = 0;
  };
  bool prefix(Prefix& prefix);

  const char* at_;
  const char* end_;
  Offset next_;
  Timestamp base_time_;
};

}  // namespace millrace::log_sqlite::internal
