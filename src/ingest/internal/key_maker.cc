#include "ingest/internal/key_maker.h"

#include <cstdlib>

#include "base/hash.h"

namespace millrace::ingest {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void append_hex(std::string& out, std::uint64_t bits) {
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[(bits >> shift) & 15];
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

std::uint64_t system_seed() { return std::strtoull(env::random_hex(8).c_str(), nullptr, 16); }

}  // namespace

KeyMaker::KeyMaker(KeyRule rule) : rule_(std::move(rule)), random_(system_seed()) {}

std::optional<std::string_view> KeyMaker::make(std::optional<std::string_view> field_text,
                                               std::string_view row) {
  switch (rule_.kind) {
    case KeyRule::Kind::kField:
      if (!field_text || is_blank(*field_text)) return std::nullopt;
      return field_text;
    case KeyRule::Kind::kUuid:
      return uuid();
    case KeyRule::Kind::kConstant:
      return rule_.text;
    case KeyRule::Kind::kHash:
      text_.clear();
      append_hex(text_, stable_hash64(row));
      return text_;
    case KeyRule::Kind::kNone:
      return std::nullopt;
  }
  return std::nullopt;
}

// RFC 4122, version 4: 122 random bits.
std::string_view KeyMaker::uuid() {
  text_.clear();
  append_hex(text_, (random_.next() & ~0xF000ULL) | 0x4000ULL);
  append_hex(text_, (random_.next() & ~(3ULL << 62)) | (2ULL << 62));
  for (const std::size_t at : {20, 16, 12, 8}) text_.insert(at, 1, '-');
  return text_;
}

}  // namespace millrace::ingest
