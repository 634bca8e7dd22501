// Texts of a simple pattern, each once, in an order fixed by a seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::ingest {

// Literal characters and classes like [a-z0-9], each followed by an optional {count}. Immutable.
class IdPattern {
 public:
  // Errors: kConfig, without a position, for what is not of this form or is longer than 256
  // characters.
  static Result<IdPattern> parse(std::string_view pattern, std::uint64_t seed);

  // Appends the text of row `n`: a one-to-one map of rows to texts, until all texts were used.
  void append(std::uint64_t n, std::string& out) const;

  // How many different texts there are, at most 2^62.
  std::uint64_t texts() const { return texts_; }

 private:
  std::uint64_t shuffled(std::uint64_t n) const;

  std::vector<std::string> places_;  // the characters that may stand at each place
  std::uint64_t texts_ = 1;
  unsigned half_bits_ = 1;  // of the Feistel network's domain, 2^(2 * half_bits_) >= texts_
  std::uint64_t seed_ = 0;
};

}  // namespace millrace::ingest
