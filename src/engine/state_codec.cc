#include "engine/state_codec.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>

namespace millrace::engine {
namespace {

constexpr std::string_view kMagic = "MRS2";
constexpr std::string_view kMagicBefore = "MRS1";
constexpr std::size_t kHead = 4 + 2 * sizeof(std::int64_t);
constexpr std::size_t kTagsAByte = 4;

static_assert(std::endian::native == std::endian::little);

// How a value is kept.
enum Tag : std::uint8_t { kZero, kInt16, kInt32, kDouble };
constexpr std::size_t kSizes[] = {0, sizeof(std::int16_t), sizeof(std::int32_t), sizeof(double)};

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

template <class T>
void put(char*& at, T value) {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

template <class T>
T get(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

Tag put_value(char*& at, double value) {
  constexpr double kMax = std::numeric_limits<std::int32_t>::max();
  if (same_bits(value, 0)) return kZero;
  if (value >= -kMax && value <= kMax) {
    const auto whole = static_cast<std::int32_t>(value);
    if (same_bits(static_cast<double>(whole), value)) {
      const auto small = static_cast<std::int16_t>(whole);
      if (small == whole) {
        put(at, small);
        return kInt16;
      }
      put(at, whole);
      return kInt32;
    }
  }
  put(at, value);
  return kDouble;
}

double get_value(Tag tag, const char* at) {
  switch (tag) {
    case kZero:
      return 0;
    case kInt16:
      return get<std::int16_t>(at);
    case kInt32:
      return get<std::int32_t>(at);
    case kDouble:
      return get<double>(at);
  }
  return 0;
}

std::size_t tag_bytes(std::size_t values) { return (values + kTagsAByte - 1) / kTagsAByte; }

Tag tag_of(const char* tags, std::size_t index) {
  const auto byte = static_cast<std::uint8_t>(tags[index / kTagsAByte]);
  return static_cast<Tag>(byte >> (index % kTagsAByte * 2) & 3);
}

void read_head(std::string_view text, StateHead& head) {
  head.offset = Offset(get<std::int64_t>(text.data() + kMagic.size()));
  head.time = Timestamp(get<std::int64_t>(text.data() + kMagic.size() + sizeof(std::int64_t)));
}

}  // namespace

void encode_state(const StateHead& head, std::span<const double> values, std::string& out) {
  out.resize(kHead + tag_bytes(values.size()) + values.size() * sizeof(double));
  char* at = out.data();
  std::memcpy(at, kMagic.data(), kMagic.size());
  at += kMagic.size();
  put(at, head.offset.value());
  put(at, head.time.value());
  char* const tags = at;
  at += tag_bytes(values.size());
  std::fill(tags, at, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Tag tag = put_value(at, values[i]);
    tags[i / kTagsAByte] = static_cast<char>(static_cast<std::uint8_t>(tags[i / kTagsAByte]) |
                                             tag << (i % kTagsAByte * 2));
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
}

StateForm decode_state(std::string_view text, StateHead& head, std::span<double> values) {
  if (text.size() < kHead) return StateForm::kNotAState;
  if (text.starts_with(kMagicBefore)) {
    if (text.size() != kHead + values.size_bytes()) return StateForm::kOtherSize;
    read_head(text, head);
    if (!values.empty()) std::memcpy(values.data(), text.data() + kHead, values.size_bytes());
    return StateForm::kGood;
  }
  if (!text.starts_with(kMagic)) return StateForm::kNotAState;
  const std::size_t from = kHead + tag_bytes(values.size());
  if (text.size() < from) return StateForm::kOtherSize;
  const char* const tags = text.data() + kHead;
  std::size_t size = from;
  for (std::size_t i = 0; i < values.size(); ++i) size += kSizes[tag_of(tags, i)];
  if (text.size() != size) return StateForm::kOtherSize;
  read_head(text, head);
  const char* at = text.data() + from;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Tag tag = tag_of(tags, i);
    values[i] = get_value(tag, at);
    at += kSizes[tag];
  }
  return StateForm::kGood;
}

}  // namespace millrace::engine
