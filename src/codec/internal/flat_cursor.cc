#include "codec/internal/flat_cursor.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace millrace::codec::internal {

bool FlatCursor::take_any_number(double& number) {
  const auto is_digit = [this](const char* at) { return at < end_ && *at >= '0' && *at <= '9'; };
  const char* at = at_;
  while (at < end_ && (is_digit(at) || *at == '-' || *at == '.')) ++at;  // seen by the caller
  if (at < end_ && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end_ && (*at == '+' || *at == '-')) ++at;
    if (!is_digit(at)) return false;
    while (is_digit(at)) ++at;
  }
  const auto [end, error] = std::from_chars(at_, at, number);
  if (error != std::errc() || end != at || !std::isfinite(number)) return false;
  at_ = at;
  return true;
}

}  // namespace millrace::codec::internal
