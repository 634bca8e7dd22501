#include "drift/internal/bytes.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace millrace::drift::internal {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr unsigned kBits = 7;
constexpr std::uint64_t kMore = 0x80;

Error unsound() { return {ErrorCode::kBadData, "a drift state that ends early or is damaged"}; }

}  // namespace

void ByteWriter::number(std::uint64_t value) {
  for (; value >= kMore; value >>= kBits) out_.push_back(static_cast<char>(value | kMore));
  out_.push_back(static_cast<char>(value));
}

void ByteWriter::signed_number(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  number((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void ByteWriter::real(double value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out_.append(bytes, sizeof bytes);
}

void ByteWriter::numbers(std::span<const std::uint64_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    number(values[i]);
    if (values[i] != 0) continue;
    std::uint64_t more = 0;
    for (; i + 1 < values.size() && values[i + 1] == 0; ++i) ++more;
    number(more);
  }
}

Result<std::uint64_t> ByteReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += kBits) {
    if (rest_.empty()) return unsound();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & (kMore - 1)) << shift;
    if ((byte & kMore) == 0) return value;
  }
  return unsound();
}

Result<std::uint64_t> ByteReader::number_up_to(std::uint64_t max) {
  MILLRACE_ASSIGN(const std::uint64_t value, number());
  if (value > max) return unsound();
  return value;
}

Result<std::int64_t> ByteReader::signed_number() {
  MILLRACE_ASSIGN(const std::uint64_t bits, number());
  return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) != 0 ? ~std::uint64_t{0} : 0));
}

Result<double> ByteReader::real() {
  double value = 0;
  if (rest_.size() < sizeof value) return unsound();
  std::memcpy(&value, rest_.data(), sizeof value);
  rest_.remove_prefix(sizeof value);
  if (!std::isfinite(value)) return unsound();
  return value;
}

Status ByteReader::numbers(std::span<std::uint64_t> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    MILLRACE_ASSIGN(values[i], number());
    if (values[i] != 0) continue;
    MILLRACE_ASSIGN(std::uint64_t more, number_up_to(values.size() - i - 1));
    for (; more > 0; --more) values[++i] = 0;
  }
  return {};
}

}  // namespace millrace::drift::internal
