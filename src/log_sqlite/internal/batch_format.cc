#include "log_sqlite/internal/batch_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

namespace millrace::log_sqlite::internal {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::uint32_t kMagic = 0x3142524d;  // "MRB1"
constexpr std::size_t kVarintMax = 10;
constexpr std::size_t kPrefixMax = 4 * kVarintMax;  // key, value, time, header count

char* put_varint(char* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

bool get_varint(const char*& at, const char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Timestamps are any 64-bit number, so differences wrap around.
std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

// A length of which 0 means "null".
std::uint64_t nullable_length(const std::optional<std::string_view>& text) {
  return text ? text->size() + 1 : 0;
}

bool get_nullable_length(const char*& at, const char* end, std::optional<std::size_t>& length) {
  std::uint64_t value = 0;
  if (!get_varint(at, end, value)) return false;
  if (value == 0) {
    length.reset();
  } else {
    length = static_cast<std::size_t>(value - 1);
  }
  return true;
}

char* put_bytes(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

template <class T>
void put_fixed(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <class T>
T get_fixed(const char* at) {
  T value{};
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Where the fields of the fixed header stand.
enum At : std::size_t {
  kAtMagic = 0,
  kAtHeaderCrc = 4,  // over everything from here + 4 to the end of the header
  kAtPartition = 8,
  kAtBase = 16,
  kAtBaseTime = 24,
  kAtTimeMax = 32,
  kAtRecords = 40,
  kAtHeaders = 44,
  kAtPayloadBytes = 48,
  kAtPayloadCrc = 52,
  kAtRecordBytes = 56,  // 4 bytes of zeros follow
  kAtZero = 60,
};

}  // namespace

void BatchEncoder::reserve(std::size_t more) {
  if (used_ + more <= capacity_) return;
  constexpr std::size_t kFirst = std::size_t{4} << 10;
  const std::size_t wanted = std::max({used_ + more, capacity_ * 2, kFirst});
  auto grown = std::make_unique_for_overwrite<char[]>(wanted);
  if (bytes_) std::memcpy(grown.get(), bytes_.get(), used_);
  bytes_ = std::move(grown);
  capacity_ = wanted;
}

void BatchEncoder::append(const log::NewRecord& record, std::size_t record_bytes) {
  reserve(record_bytes + kPrefixMax + record.headers.size() * 2 * kVarintMax);
  if (header_.records == 0) {
    header_.base_time = record.timestamp;
    header_.time_max = record.timestamp;
  }
  header_.time_max = std::max(header_.time_max, record.timestamp);
  char* at = bytes_.get() + used_;
  at = put_varint(at, nullable_length(record.key));
  at = put_varint(at, nullable_length(record.value));
  at = put_varint(at, zigzag(wrapping_minus(record.timestamp.value(), header_.base_time.value())));
  at = put_varint(at, record.headers.size());
  if (record.key) at = put_bytes(at, *record.key);
  if (record.value) at = put_bytes(at, *record.value);
  for (const log::Header& header : record.headers) {
    at = put_varint(at, header.name.size());
    at = put_varint(at, nullable_length(header.value));
    at = put_bytes(at, header.name);
    if (header.value) at = put_bytes(at, *header.value);
  }
  used_ = static_cast<std::size_t>(at - bytes_.get());
  ++header_.records;
  header_.headers += static_cast<std::uint32_t>(record.headers.size());
  header_.record_bytes += static_cast<std::uint32_t>(record_bytes);
}

void BatchEncoder::seal() {
  const std::string_view payload(bytes_.get() + kBatchHeaderBytes, used_ - kBatchHeaderBytes);
  header_.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header_.payload_crc = crc32c(payload);
}

std::string_view BatchEncoder::place(std::int64_t partition_row, Offset base) {
  CHECK(!empty() && header_.payload_bytes == used_ - kBatchHeaderBytes);
  header_.partition_row = partition_row;
  header_.base = base;
  char* at = bytes_.get();
  put_fixed(at + kAtMagic, kMagic);
  put_fixed(at + kAtPartition, header_.partition_row);
  put_fixed(at + kAtBase, header_.base.value());
  put_fixed(at + kAtBaseTime, header_.base_time.value());
  put_fixed(at + kAtTimeMax, header_.time_max.value());
  put_fixed(at + kAtRecords, header_.records);
  put_fixed(at + kAtHeaders, header_.headers);
  put_fixed(at + kAtPayloadBytes, header_.payload_bytes);
  put_fixed(at + kAtPayloadCrc, header_.payload_crc);
  put_fixed(at + kAtRecordBytes, header_.record_bytes);
  put_fixed(at + kAtZero, std::uint32_t{0});
  put_fixed(at + kAtHeaderCrc, crc32c({at + kAtPartition, kBatchHeaderBytes - kAtPartition}));
  return {at, used_};
}

void BatchEncoder::clear() {
  header_ = {};
  used_ = kBatchHeaderBytes;
}

std::optional<BatchHeader> read_batch_header(std::string_view bytes, Verify verify) {
  if (bytes.size() < kBatchHeaderBytes) return std::nullopt;
  const char* at = bytes.data();
  if (get_fixed<std::uint32_t>(at + kAtMagic) != kMagic) return std::nullopt;
  const std::uint32_t crc = crc32c({at + kAtPartition, kBatchHeaderBytes - kAtPartition});
  if (get_fixed<std::uint32_t>(at + kAtHeaderCrc) != crc) return std::nullopt;
  BatchHeader header;
  header.partition_row = get_fixed<std::int64_t>(at + kAtPartition);
  header.base = Offset(get_fixed<std::int64_t>(at + kAtBase));
  header.base_time = Timestamp(get_fixed<std::int64_t>(at + kAtBaseTime));
  header.time_max = Timestamp(get_fixed<std::int64_t>(at + kAtTimeMax));
  header.records = get_fixed<std::uint32_t>(at + kAtRecords);
  header.headers = get_fixed<std::uint32_t>(at + kAtHeaders);
  header.payload_bytes = get_fixed<std::uint32_t>(at + kAtPayloadBytes);
  header.payload_crc = get_fixed<std::uint32_t>(at + kAtPayloadCrc);
  header.record_bytes = get_fixed<std::uint32_t>(at + kAtRecordBytes);
  const bool sane = header.base.value() >= 0 && header.records > 0 &&
                    header.records <= kBatchRecordsMax && header.headers <= header.payload_bytes &&
                    header.record_bytes <= header.payload_bytes;
  if (!sane) return std::nullopt;
  if (verify == Verify::kHeader) return header;
  const std::string_view payload = bytes.substr(kBatchHeaderBytes);
  if (payload.size() != header.payload_bytes || crc32c(payload) != header.payload_crc) {
    return std::nullopt;
  }
  return header;
}

bool RecordCursor::prefix(Prefix& prefix) {
  std::uint64_t delta = 0;
  if (!get_nullable_length(at_, end_, prefix.key) ||
      !get_nullable_length(at_, end_, prefix.value) || !get_varint(at_, end_, delta) ||
      !get_varint(at_, end_, prefix.headers)) {
    return false;
  }
  prefix.time_delta = from_zigzag(delta);
  const auto left = static_cast<std::size_t>(end_ - at_);
  const std::size_t key = prefix.key.value_or(0);
  return key <= left && prefix.value.value_or(0) <= left - key && prefix.headers <= left;
}

bool RecordCursor::skip(std::size_t& bytes, std::size_t& headers) {
  Prefix is;
  if (!prefix(is)) return false;
  const std::size_t body = is.key.value_or(0) + is.value.value_or(0);
  at_ += body;
  bytes += body;
  for (std::uint64_t i = 0; i < is.headers; ++i) {
    std::uint64_t name = 0;
    std::optional<std::size_t> value;
    if (!get_varint(at_, end_, name) || !get_nullable_length(at_, end_, value)) return false;
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (name > left || value.value_or(0) > left - name) return false;
    at_ += name + value.value_or(0);
    bytes += name + value.value_or(0);
  }
  headers += is.headers;
  next_ = next_.next();
  return true;
}

bool RecordCursor::read(log::Record& record, std::vector<log::Header>& headers,
                        std::size_t& bytes) {
  Prefix is;
  if (!prefix(is)) return false;
  auto take = [this](std::size_t size) {
    const std::string_view view(at_, size);
    at_ += size;
    return view;
  };
  record.offset = next_;
  record.timestamp = Timestamp(wrapping_add(base_time_.value(), is.time_delta));
  record.key.reset();
  record.value.reset();
  if (is.key) record.key = take(*is.key);
  if (is.value) record.value = take(*is.value);
  bytes += is.key.value_or(0) + is.value.value_or(0);
  const std::size_t first = headers.size();
  if (is.headers > headers.capacity() - first) return false;
  for (std::uint64_t i = 0; i < is.headers; ++i) {
    std::uint64_t name = 0;
    std::optional<std::size_t> value;
    if (!get_varint(at_, end_, name) || !get_nullable_length(at_, end_, value)) return false;
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (name > left || value.value_or(0) > left - name) return false;
    log::Header& header = headers.emplace_back();
    header.name = take(static_cast<std::size_t>(name));
    if (value) header.value = take(*value);
    bytes += name + value.value_or(0);
  }
  record.headers = {headers.data() + first, static_cast<std::size_t>(is.headers)};
  next_ = next_.next();
  return true;
}

void RecordCursor::rebase(std::string_view payload, Offset next) {
  at_ = payload.data();
  end_ = payload.data() + payload.size();
  next_ = next;
}

}  // namespace millrace::log_sqlite::internal
