#include "http/internal/head.h"

#include <algorithm>
#include <string>

#include "http/limits.h"

namespace millrace::http::internal {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

HeadCheck refuse(int status, std::string_view reason) {
  HeadCheck check;
  check.state = HeadCheck::State::kRefused;
  check.status = status;
  check.reason = reason;
  return check;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A control character other than a tab, or a line that does not end in CR LF.
bool has_bad_byte(std::string_view head) {
  constexpr unsigned char kSpace = 0x20;
  constexpr unsigned char kDelete = 0x7f;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    if (c == '\r') {
      if (i + 1 < head.size() && head[i + 1] != '\n') return true;
    } else if (c == '\n') {
      if (i == 0 || head[i - 1] != '\r') return true;
    } else if ((c < kSpace && c != '\t') || c == kDelete) {
      return true;
    }
  }
  return false;
}

struct Fields {
  std::size_t count = 0;
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  bool expects_continue = false;
};

// Status 0: fine.
HeadCheck check_field(std::string_view line, Fields& fields) {
  if (line.front() == ' ' || line.front() == '\t') return refuse(400, "a folded header");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(400, "a line that is no header");
  }
  if (++fields.count > kHeadersMax) return refuse(431, "too many headers");
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trim(line.substr(colon + 1));
  if (name == "host") ++fields.hosts;
  if (name == "content-length") {
    ++fields.lengths;
    if (!is_digits(value)) return refuse(400, "a length that is no number");
    constexpr std::size_t kDigitsMax = 18;
    if (value.size() > kDigitsMax) return refuse(413, "too large");
  }
  if (name == "transfer-encoding") {
    ++fields.encodings;
    if (lower(value) != "chunked") return refuse(501, "only chunked is known here");
  }
  if (name == "expect") {
    if (lower(value) != "100-continue") return refuse(417, "only 100-continue is known here");
    fields.expects_continue = true;
  }
  return {};
}

// Status 0: fine. `line` is without its end.
HeadCheck check_request_line(std::string_view line, bool& is_1_0) {
  const std::size_t method = line.find(' ');
  const std::size_t version = line.rfind(' ');
  if (method == std::string_view::npos || version == method || !is_token(line.substr(0, method)) ||
      line.find(' ', method + 1) != version) {
    return refuse(400, "no request line of HTTP/1.1");
  }
  const std::string_view protocol = line.substr(version + 1);
  is_1_0 = protocol == "HTTP/1.0";
  if (is_1_0 || protocol == "HTTP/1.1") return {};
  return protocol.starts_with("HTTP/") ? refuse(505, "only HTTP/1.0 and HTTP/1.1 are known here")
                                       : refuse(400, "no request line of HTTP/1.1");
}

HeadCheck check_whole(std::string_view head) {
  bool is_1_0 = false;
  std::size_t end = head.find(kLineEnd);
  if (HeadCheck check = check_request_line(head.substr(0, end), is_1_0); check.status != 0) {
    return check;
  }
  Fields fields;
  std::size_t start = end + kLineEnd.size();
  while (start < head.size()) {
    end = head.find(kLineEnd, start);
    if (end == start) break;
    if (HeadCheck check = check_field(head.substr(start, end - start), fields); check.status != 0) {
      return check;
    }
    start = end + kLineEnd.size();
  }
  if (fields.hosts > 1 || (fields.hosts == 0 && !is_1_0)) {
    return refuse(400, "exactly one Host header is needed");
  }
  if (fields.lengths + fields.encodings > 1) return refuse(400, "two lengths of one body");
  if (fields.encodings > 0 && is_1_0) return refuse(400, "chunks in HTTP/1.0");
  HeadCheck check;
  check.state = HeadCheck::State::kComplete;
  check.size = head.size();
  check.expects_continue = fields.expects_continue && !is_1_0;
  return check;
}

}  // namespace

HeadCheck check_head(std::string_view bytes) {
  const std::size_t end = bytes.find(kHeadEnd);
  const std::size_t size = end == std::string_view::npos ? bytes.size() : end + kHeadEnd.size();
  const std::string_view head = bytes.substr(0, size);
  if (has_bad_byte(head)) return refuse(400, "a byte that no head may have");
  const std::size_t line = head.find(kLineEnd);
  if (std::min(line, head.size()) > kTargetBytesMax) return refuse(414, "the path is too long");
  if (size > kHeadBytesMax) return refuse(431, "too many bytes of headers");
  if (end != std::string_view::npos) return check_whole(head);
  // HTTP/0.9 and other noise need not wait for an empty line that never comes.
  if (line != std::string_view::npos) {
    bool is_1_0 = false;
    if (HeadCheck check = check_request_line(head.substr(0, line), is_1_0); check.status != 0) {
      return check;
    }
  }
  if (size == kHeadBytesMax) return refuse(431, "too many bytes of headers");
  return {};
}

}  // namespace millrace::http::internal
