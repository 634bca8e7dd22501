#include "http/message.h"

#include <algorithm>
#include <array>

#include "json/json.h"

namespace millrace::http {
namespace {

struct MethodName {
  std::string_view name;
  Method method;
};
constexpr std::array kMethods{
    MethodName{"GET", Method::kGet},         MethodName{"HEAD", Method::kHead},
    MethodName{"POST", Method::kPost},       MethodName{"PUT", Method::kPut},
    MethodName{"PATCH", Method::kPatch},     MethodName{"DELETE", Method::kDelete},
    MethodName{"OPTIONS", Method::kOptions},
};

struct StatusReason {
  int status;
  std::string_view reason;
};
constexpr std::array kReasons{
    StatusReason{200, "OK"},
    StatusReason{202, "Accepted"},
    StatusReason{204, "No Content"},
    StatusReason{400, "Bad Request"},
    StatusReason{401, "Unauthorized"},
    StatusReason{403, "Forbidden"},
    StatusReason{404, "Not Found"},
    StatusReason{405, "Method Not Allowed"},
    StatusReason{413, "Content Too Large"},
    StatusReason{414, "URI Too Long"},
    StatusReason{417, "Expectation Failed"},
    StatusReason{429, "Too Many Requests"},
    StatusReason{431, "Request Header Fields Too Large"},
    StatusReason{500, "Internal Server Error"},
    StatusReason{501, "Not Implemented"},
    StatusReason{503, "Service Unavailable"},
    StatusReason{505, "HTTP Version Not Supported"},
};

}  // namespace

Method parse_method(std::string_view name) {
  const auto* const found = std::find_if(kMethods.begin(), kMethods.end(),
                                         [name](const auto& row) { return row.name == name; });
  return found == kMethods.end() ? Method::kOther : found->method;
}

std::string_view to_string(Method method) {
  const auto* const found = std::find_if(
      kMethods.begin(), kMethods.end(), [method](const auto& row) { return row.method == method; });
  return found == kMethods.end() ? "other" : found->name;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string_view reason_of(int status) {
  const auto* const found = std::find_if(
      kReasons.begin(), kReasons.end(), [status](const auto& row) { return row.status == status; });
  return found == kReasons.end() ? "" : found->reason;
}

Response error_response(int status, std::string_view text) {
  json::Value object;
  object["error"] = text;
  return {status, "application/json", json::to_line(object) + "\n", {}};
}

}  // namespace millrace::http
