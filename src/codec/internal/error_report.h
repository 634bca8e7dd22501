// Errors of one record as they are found, at most kRecordErrorsMax of them.
#pragma once

#include <string>
#include <string_view>

#include "data/record_error.h"

namespace millrace::codec::internal {

// Texts of records stand in reasons cut to this many bytes.
inline constexpr std::size_t kQuotedBytesMax = 60;

// Appends to the caller's list; the destructor says in the last kept error how many did not fit.
class ErrorReport {
 public:
  explicit ErrorReport(data::RecordErrors& errors) : errors_(errors) {}
  ErrorReport(const ErrorReport&) = delete;
  ErrorReport& operator=(const ErrorReport&) = delete;
  ~ErrorReport() {
    if (found_ > kept_) {
      errors_.back().reason += " (and " + std::to_string(found_ - kept_) + " more errors)";
    }
  }

  // Whether a further error would be kept: what is costly to word need not be worded otherwise.
  bool has_room() const { return kept_ < data::kRecordErrorsMax; }
  void add(data::RecordCode code, std::string_view field, std::string reason) {
    ++found_;
    if (!has_room()) return;
    ++kept_;
    errors_.push_back({code, std::string(field), std::move(reason)});
  }
  std::size_t found() const { return found_; }

 private:
  data::RecordErrors& errors_;
  std::size_t found_ = 0;
  std::size_t kept_ = 0;
};

}  // namespace millrace::codec::internal
