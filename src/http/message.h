// Requests and answers as plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

// kOther for what is none of ours (TRACE, CONNECT, inventions).
Method parse_method(std::string_view name);
std::string_view to_string(Method method);

struct Request {
  Method method = Method::kGet;
  std::string path;                                          // decoded, "/api/prediction/a b"
  std::string query;                                         // behind the '?', as sent
  std::map<std::string, std::string> parameters;             // of the route's template, decoded
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::string peer;  // address of the client's end of the connection

  // The first header of this name (lower case).
  std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside content type and length
};

// Runs on a thread of the server; must not wait. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

// "Not Found" and the like; "" for a status of nobody's.
std::string_view reason_of(int status);

// {"error": text} with this status.
Response error_response(int status, std::string_view text);

}  // namespace millrace::http
