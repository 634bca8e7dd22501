#include "ingest/internal/id_pattern.h"

#include <algorithm>
#include <charconv>

namespace millrace::ingest {
namespace {

constexpr std::size_t kPlacesMax = 256;
constexpr std::uint64_t kTextsMax = std::uint64_t{1} << 62;

Error bad(std::string_view pattern, std::string_view why) {
  return Error(ErrorCode::kConfig, "the pattern '" + std::string(pattern) + "' " +
                                       std::string(why) +
                                       "; it may hold characters, [classes] and {counts}");
}

// The finaliser of MurmurHash3 (public domain): a bijection that mixes all bits.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The characters of a class, `at` behind its '['; moves `at` behind the ']'.
Result<std::string> parse_class(std::string_view pattern, std::size_t& at) {
  std::string characters;
  while (at < pattern.size() && pattern[at] != ']') {
    const char first = pattern[at++];
    char last = first;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      last = pattern[at + 1];
      at += 2;
    }
    if (last < first || first == '^' || first == '\\') return bad(pattern, "has a bad class");
    for (unsigned c = static_cast<unsigned char>(first); c <= static_cast<unsigned char>(last);
         ++c) {
      const char one = static_cast<char>(c);
      if (characters.find(one) == std::string::npos) characters += one;
    }
  }
  if (at >= pattern.size() || characters.empty()) return bad(pattern, "has an unfinished class");
  ++at;
  return characters;
}

// The {count} at `at`, 1 without one.
Result<std::size_t> parse_count(std::string_view pattern, std::size_t& at) {
  if (at >= pattern.size() || pattern[at] != '{') return std::size_t{1};
  const char* const begin = pattern.data() + at + 1;
  const char* const end = pattern.data() + pattern.size();
  std::size_t count = 0;
  const auto [stop, error] = std::from_chars(begin, end, count);
  if (error != std::errc() || stop == end || *stop != '}' || count == 0 || count > kPlacesMax) {
    return bad(pattern, "has a bad count");
  }
  at = static_cast<std::size_t>(stop - pattern.data()) + 1;
  return count;
}

}  // namespace

Result<IdPattern> IdPattern::parse(std::string_view pattern, std::uint64_t seed) {
  IdPattern id;
  id.seed_ = seed;
  std::size_t at = 0;
  while (at < pattern.size()) {
    const char c = pattern[at++];
    std::string characters(1, c);
    if (c == '[') {
      MILLRACE_ASSIGN(characters, parse_class(pattern, at));
    }
    if (characters.find_first_of("\"\\") != std::string::npos || !is_printable_ascii(characters)) {
      return bad(pattern, "makes texts that are not plain ASCII");
    }
    if (c != '[' && std::string_view("]{}()*+?|^$.").find(c) != std::string_view::npos) {
      return bad(pattern, std::string("has a ") + c);
    }
    MILLRACE_ASSIGN(const std::size_t count, parse_count(pattern, at));
    if (id.places_.size() + count > kPlacesMax) return bad(pattern, "is too long");
    id.places_.insert(id.places_.end(), count, characters);
  }
  if (id.places_.empty()) return bad(pattern, "is empty");
  for (const std::string& place : id.places_) {
    id.texts_ = id.texts_ > kTextsMax / place.size() ? kTextsMax : id.texts_ * place.size();
  }
  while (id.half_bits_ < 31 && (std::uint64_t{1} << (2 * id.half_bits_)) < id.texts_) {
    ++id.half_bits_;
  }
  return id;
}

// A Feistel network is one-to-one on its domain, a power of 4; walking on until the result is one
// of ours keeps it so on texts_ (at most 4 steps on average).
std::uint64_t IdPattern::shuffled(std::uint64_t n) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = n >> half_bits_;
    std::uint64_t right = n & mask;
    for (std::uint64_t round = 1; round <= 4; ++round) {
      const std::uint64_t next = left ^ (mix(right + seed_ * 0x9e3779b97f4a7c15ULL + round) & mask);
      left = right;
      right = next;
    }
    n = (left << half_bits_) | right;
  } while (n >= texts_);
  return n;
}

void IdPattern::append(std::uint64_t n, std::string& out) const {
  std::uint64_t rest = shuffled(n % texts_);
  const std::size_t start = out.size();
  out.resize(start + places_.size());
  for (std::size_t i = places_.size(); i-- > 0;) {
    const std::string& characters = places_[i];
    if (characters.size() == 1) {
      out[start + i] = characters[0];
      continue;
    }
    out[start + i] = characters[rest % characters.size()];
    rest /= characters.size();
  }
}

}  // namespace millrace::ingest
