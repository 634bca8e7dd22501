#include "ingest/internal/json_field.h"

#include "json/json.h"

namespace millrace::ingest {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Walks over well-formed JSON without building anything. Every step is bounded by the text's end,
// so that text that is not well-formed gives a wrong answer but no bad read.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  // The string token at the current place, quotes included; empty when there is none.
  std::string_view string_token() {
    skip_space();
    const std::size_t start = at_;
    if (at_ >= text_.size() || text_[at_] != '"') return {};
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return text_.substr(start, at_ - start);
  }

  std::string_view value_token() {
    skip_space();
    if (at_ >= text_.size()) return {};
    const std::size_t start = at_;
    if (text_[at_] == '"') return string_token();
    if (text_[at_] == '{' || text_[at_] == '[') {
      skip_nested();
    } else {
      at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
    }
    return text_.substr(start, at_ - start);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && kSpace.find(text_[at_]) != std::string_view::npos) ++at_;
  }

  void skip_nested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        string_token();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The content of a string token; escapes are resolved into `scratch`.
std::string_view content_of(std::string_view token, std::string& scratch) {
  if (token.size() < 2) return {};
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2);
  const auto value = json::parse(token, "a string");
  scratch = value && value->is_string() ? value->get<std::string>() : std::string();
  return scratch;
}

}  // namespace

std::optional<std::string_view> json_field(std::string_view object, std::string_view name,
                                           std::string& scratch) {
  Scanner scanner(object);
  if (!scanner.take('{')) return std::nullopt;
  std::string_view found;
  std::string name_scratch;
  do {
    const std::string_view key = scanner.string_token();
    if (key.empty() || !scanner.take(':')) break;
    const std::string_view value = scanner.value_token();
    if (content_of(key, name_scratch) == name) found = value;
  } while (scanner.take(','));
  if (found.empty() || found == "null" || found[0] == '{' || found[0] == '[') return std::nullopt;
  return found[0] == '"' ? content_of(found, scratch) : found;
}

}  // namespace millrace::ingest
