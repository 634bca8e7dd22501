// Times written in a stated format ("%d/%m/%Y %H.%M.%S"): strict, without a locale, and UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace millrace::env {

// A format of strptime's conversions that are digits: %Y (four of them), %m %d %H %M %S (one or
// two), %f (a fraction of one to nine, cut to milliseconds), %F for %Y-%m-%d, %T for %H:%M:%S, %%.
// Everything else stands for itself. A plain value; reading is thread-safe.
class TimeFormat {
 public:
  // Errors: kConfig for an unknown conversion, one that comes twice, a format without year, month
  // and day, and one of more than 100 characters.
  static Result<TimeFormat> parse(std::string_view format);

  // The time that the whole of `text` is, taken as UTC; nothing where it does not fit or is no
  // date (30 February) or time of day (24:00).
  std::optional<Timestamp> read(std::string_view text) const;

  // As given.
  const std::string& text() const { return text_; }

 private:
  struct Part {
    char conversion = 0;  // 0: the literal stands for itself
    char literal = 0;
  };
  Status add_conversion(char conversion);

  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace millrace::env
