#include "http/router.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace millrace::http {
namespace {

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  std::size_t start = 1;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    segments.emplace_back(path.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

// Whether the path is one of the template; fills the parameters.
bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
             std::map<std::string, std::string>& parameters) {
  if (pattern.size() != path.size()) return false;
  parameters.clear();
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i])) {
      if (path[i].empty()) return false;
      parameters[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
    } else if (pattern[i] != path[i]) {
      return false;
    }
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decode(std::string_view path) {
  const Error bad(ErrorCode::kBadData, "the path has a bad escape or byte");
  constexpr int kSpace = 0x20;
  constexpr int kDelete = 0x7f;
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      const int byte = static_cast<unsigned char>(path[i]);
      if (byte <= kSpace || byte >= kDelete) return bad;
      text += path[i];
      continue;
    }
    if (i + 2 >= path.size()) return bad;
    const int high = hex_digit(path[i + 1]);
    const int low = hex_digit(path[i + 2]);
    if (high < 0 || low < 0) return bad;
    const int byte = high * 16 + low;
    // An escaped slash would mean different things to us and to a proxy before us.
    if (byte < kSpace || byte == kDelete || byte == '/') return bad;
    text += static_cast<char>(byte);
    i += 2;
  }
  return text;
}

}  // namespace

Router& Router::add(Method method, std::string path, Handler handler) {
  CHECK(path.starts_with('/'));
  for (const Route& route : routes_) CHECK(route.method != method || route.path != path);
  Route route{method, std::move(path), {}, std::move(handler)};
  route.segments = segments_of(route.path);
  routes_.push_back(std::move(route));
  return *this;
}

Routed Router::answer(Request& request) const {
  const std::vector<std::string> path = segments_of(request.path);
  std::set<std::string> allowed;
  std::string_view seen = "none";
  for (const Route& route : routes_) {
    if (!matches(route.segments, path, request.parameters)) continue;
    const bool head = request.method == Method::kHead && route.method == Method::kGet;
    if (route.method == request.method || head) return {route.handler(request), route.path};
    seen = route.path;
    allowed.emplace(to_string(route.method));
    if (route.method == Method::kGet) allowed.emplace(to_string(Method::kHead));
  }
  request.parameters.clear();
  if (allowed.empty()) return {error_response(404, "there is nothing at this path"), seen};
  std::string list;
  for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
  Response response = error_response(405, "this path takes " + list);
  response.headers.emplace_back("Allow", list);
  return {std::move(response), seen};
}

Status parse_target(std::string_view target, Request& request) {
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {
    const std::size_t slash = target.find('/', kScheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (!target.starts_with('/')) return Error(ErrorCode::kBadData, "the target is no path");
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) {
    request.query = target.substr(question + 1);
    target = target.substr(0, question);
  }
  if (target.find('#') != std::string_view::npos) {
    return Error(ErrorCode::kBadData, "the target has a fragment");
  }
  MILLRACE_ASSIGN(request.path, decode(target));
  for (const std::string& segment : segments_of(request.path)) {
    if (segment == "." || segment == "..") {
      return Error(ErrorCode::kBadData, "the path has dots for a segment");
    }
  }
  return {};
}

}  // namespace millrace::http
