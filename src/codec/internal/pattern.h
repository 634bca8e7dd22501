// A field's `pattern`, matched against whole values.
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace millrace::codec::internal {

// RE2 syntax and meaning. Sequences of ASCII characters and classes with fixed counts
// ([0-9]{4}-[A-Z]{5}) are matched by a table, which costs a tenth of RE2. matches() is const and
// thread-safe.
class Pattern {
 public:
  // Errors: kConfig with RE2's own words.
  static Result<Pattern> make(const std::string& text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  bool matches(std::string_view value) const;
  const std::string& text() const { return text_; }
  // Whether the table is used.
  bool is_table() const { return !positions_.empty(); }

 private:
  using ByteSet = std::bitset<256>;
  explicit Pattern(std::string text);

  static bool parse_element(std::string_view& rest, ByteSet& set);
  static std::vector<ByteSet> parse_table(std::string_view rest);

  std::string text_;
  std::vector<ByteSet> positions_;  // allowed bytes by position; empty: RE2 decides
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace millrace::codec::internal
