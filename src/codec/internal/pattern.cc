#include "codec/internal/pattern.h"

#include <re2/re2.h>

namespace millrace::codec::internal {
namespace {

constexpr std::size_t kTablePositionsMax = 64;
constexpr std::int64_t kRegexBytesMax = std::int64_t{1} << 20;
constexpr std::string_view kMeta = "\\^$.[]|()?*+{}";

bool is_plain(char c) { return c >= 0x20 && c < 0x7F && kMeta.find(c) == std::string_view::npos; }

// "{n}" with 1 <= n <= 64 at the start of `rest`; without it, 1; 0 for any other repetition.
std::size_t take_count(std::string_view& rest) {
  if (rest.empty() || (rest[0] != '{' && rest[0] != '*' && rest[0] != '+' && rest[0] != '?')) {
    return 1;
  }
  std::size_t count = 0;
  std::size_t at = 1;
  for (; at < rest.size() && at < 4 && rest[at] >= '0' && rest[at] <= '9'; ++at) {
    count = count * 10 + static_cast<std::size_t>(rest[at] - '0');
  }
  if (rest[0] != '{' || at == 1 || at >= rest.size() || rest[at] != '}') return 0;
  rest.remove_prefix(at + 1);
  const bool repeated_again =
      !rest.empty() && (rest[0] == '{' || rest[0] == '?' || rest[0] == '*' || rest[0] == '+');
  return repeated_again ? 0 : count;
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

// One character or one class of plain ASCII; false for anything beyond that.
bool Pattern::parse_element(std::string_view& rest, ByteSet& set) {
  set.reset();
  if (is_plain(rest[0])) {
    set.set(static_cast<unsigned char>(rest[0]));
    rest.remove_prefix(1);
    return true;
  }
  if (rest[0] != '[') return false;
  rest.remove_prefix(1);
  while (!rest.empty() && rest[0] != ']') {
    if (!is_plain(rest[0]) || rest[0] == '-') return false;
    char last = rest[0];
    std::size_t taken = 1;
    if (rest.size() > 2 && rest[1] == '-' && rest[2] != ']') {
      last = rest[2];
      taken = 3;
      if (!is_plain(last) || last == '-' || last < rest[0]) return false;
    }
    for (char c = rest[0]; c <= last; ++c) set.set(static_cast<unsigned char>(c));
    rest.remove_prefix(taken);
  }
  if (rest.empty() || set.none()) return false;
  rest.remove_prefix(1);
  return true;
}

// Empty where the pattern is not a sequence of such elements.
std::vector<Pattern::ByteSet> Pattern::parse_table(std::string_view rest) {
  std::vector<ByteSet> positions;
  ByteSet set;
  while (!rest.empty()) {
    if (!parse_element(rest, set)) return {};
    const std::size_t count = take_count(rest);
    if (count == 0 || positions.size() + count > kTablePositionsMax) return {};
    positions.insert(positions.end(), count, set);
  }
  return positions;
}

Result<Pattern> Pattern::make(const std::string& text) {
  Pattern pattern(text);
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexBytesMax);
  pattern.regex_ = std::make_unique<re2::RE2>(text, options);
  if (!pattern.regex_->ok()) {
    return Error(ErrorCode::kConfig, "pattern '" + text + "': " + pattern.regex_->error());
  }
  pattern.positions_ = parse_table(text);
  return pattern;
}

bool Pattern::matches(std::string_view value) const {
  if (positions_.empty()) {
    return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  if (value.size() != positions_.size()) return false;
  bool all = true;
  for (std::size_t i = 0; i < value.size(); ++i) {
    all = all && positions_[i][static_cast<unsigned char>(value[i])];
  }
  return all;
}

}  // namespace millrace::codec::internal
