// Small text work that many layers need: names near a misspelled one, and safe printing of foreign
// bytes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// The candidate nearest to `word` by edit distance (case folded), or "" when none is near enough to
// be meant (more than a third of its letters, at least 2, differ).
std::string nearest_name(std::string_view word, std::span<const std::string> candidates);

// `, did you mean 'x'?`, or "" where nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// `bytes` for a terminal or a log: control characters and invalid UTF-8 as \xNN, cut to `bytes_max`
// with "...".
std::string printable(std::string_view bytes, std::size_t bytes_max = 200);

// Length in bytes of the well-formed UTF-8 character at the start of `bytes`; 0 if there is none.
std::size_t utf8_length(std::string_view bytes);

// Whether `bytes` is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view bytes);

// RFC 4648 base64 with padding.
std::string base64(std::string_view bytes);

// What base64() wrote; nullopt where `text` is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace
