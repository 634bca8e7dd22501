// Strong types for the quantities that would otherwise all be int64 or string.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

// An integer with a name; `Tag` keeps an Offset from being passed where a RowNumber is meant.
template <class Tag, class Int>
class StrongInt {
 public:
  using Rep = Int;
  constexpr StrongInt() = default;
  constexpr explicit StrongInt(Int value) : value_(value) {}
  constexpr Int value() const { return value_; }
  constexpr auto operator<=>(const StrongInt&) const = default;
  constexpr StrongInt next() const { return StrongInt(value_ + 1); }
  constexpr StrongInt plus(Int n) const { return StrongInt(value_ + n); }

 private:
  Int value_ = 0;
};

// Text with a name.
template <class Tag>
class StrongString {
 public:
  StrongString() = default;
  explicit StrongString(std::string value) : value_(std::move(value)) {}
  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }
  auto operator<=>(const StrongString&) const = default;

 private:
  std::string value_;
};

// Position of a record in a partition, from 0; gaps are possible.
using Offset = StrongInt<struct OffsetTag, std::int64_t>;
// Partition number of a topic, from 0.
using PartitionId = StrongInt<struct PartitionIdTag, std::int32_t>;
// Data row of an input file, from 0 (the header is not a row).
using RowNumber = StrongInt<struct RowNumberTag, std::int64_t>;
// 1 to 249 characters of [a-zA-Z0-9._-], not "." or ".." (Kafka's rule).
using TopicName = StrongString<struct TopicNameTag>;
using GroupId = StrongString<struct GroupIdTag>;

// Whether `name` is a legal topic or group name by Kafka's rule above.
bool is_legal_topic_name(std::string_view name);

}  // namespace millrace

template <class Tag, class Int>
struct std::hash<millrace::StrongInt<Tag, Int>> {
  std::size_t operator()(const millrace::StrongInt<Tag, Int>& id) const noexcept {
    return std::hash<Int>{}(id.value());
  }
};
template <class Tag>
struct std::hash<millrace::StrongString<Tag>> {
  std::size_t operator()(const millrace::StrongString<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value());
  }
};
