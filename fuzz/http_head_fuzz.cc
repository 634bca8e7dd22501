// Any bytes as the beginning of a request: complete within the limits, refused with a status, or in
// need of more; what was refused stays refused, whatever follows. And any bytes as a target.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/internal/head.h"
#include "http/limits.h"
#include "http/router.h"

namespace {

namespace http = millrace::http;
using State = http::internal::HeadCheck::State;

void check_request(std::string_view bytes) {
  const auto check = http::internal::check_head(bytes);
  if (check.state == State::kComplete) {
    CHECK(check.size <= bytes.size() && check.size <= http::kHeadBytesMax);
    const std::string_view head = bytes.substr(0, check.size);
    CHECK(head.ends_with("\r\n\r\n"));
    CHECK(head.find("\r\n ") == std::string_view::npos);
    CHECK(head.find('\0') == std::string_view::npos);
    CHECK(http::internal::check_head(head).state == State::kComplete);
  } else if (check.state == State::kRefused) {
    CHECK(!http::reason_of(check.status).empty() && !check.reason.empty());
  } else {
    CHECK(bytes.size() < http::kHeadBytesMax);
  }
  if (http::internal::check_head(bytes.substr(0, bytes.size() / 2)).state == State::kRefused) {
    CHECK(check.state == State::kRefused);
  }
}

void check_path(std::string_view target) {
  http::Request request;
  if (!http::parse_target(target, request)) return;
  CHECK(request.path.starts_with('/'));
  CHECK(request.path.find('\0') == std::string::npos);
  CHECK(request.path != "/.." && request.path.find("/../") == std::string::npos);
  http::Router router;
  router.add(http::Method::kGet, "/a/{b}", [](const http::Request&) { return http::Response{}; });
  const int status = router.answer(request).response.status;
  CHECK(status == 200 || status == 404);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_request(bytes);
  check_path(bytes.substr(0, bytes.find('\r')));
  return 0;
}
