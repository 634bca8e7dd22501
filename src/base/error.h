// Expected failures as values: an Error has a stable code, a sentence for people, and, through its
// code, a disposition (what the record's path does about it), an origin (whose fault) and the
// process exit code. Programmer errors are CHECKs (base/check.h), never Errors.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace millrace {

// What the caller on the record's path should do.
enum class Disposition { kRetry, kSkipRecord, kAbortBatch, kFatal };

// Whose fault a failure is; decides between the exit codes (and later HTTP statuses) of users and
// of machines.
enum class Origin { kUser, kExternal, kInternal };

// Name, stable text, disposition, origin, exit code (sysexits where they fit). Declared once, here.
// clang-format off
#define MILLRACE_ERROR_CODES(X)                                                        \
  X(kInternal,         "internal",          kFatal,      kInternal, 1)                 \
  X(kUsage,            "usage",             kFatal,      kUser,     2)                 \
  X(kNotBuilt,         "not_built",         kFatal,      kUser,     2)                 \
  X(kBadData,          "bad_data",          kSkipRecord, kUser,     65)                \
  X(kLimitExceeded,    "limit_exceeded",    kSkipRecord, kUser,     65)                \
  X(kCorrupt,          "corrupt",           kFatal,      kExternal, 65)                \
  X(kRecordTooLarge,   "record_too_large",  kSkipRecord, kUser,     65)                \
  X(kFlood,            "dead_letter_flood", kFatal,      kUser,     65)                \
  X(kNoInput,          "no_input",          kFatal,      kUser,     66)                \
  X(kUnavailable,      "unavailable",       kRetry,      kExternal, 69)                \
  X(kUnknownTopic,     "unknown_topic",     kFatal,      kUser,     69)                \
  X(kIo,               "io",                kFatal,      kExternal, 74)                \
  X(kDiskFull,         "disk_full",         kRetry,      kExternal, 74)                \
  X(kTryAgain,         "try_again",         kRetry,      kExternal, 75)                \
  X(kLockHeld,         "lock_held",         kFatal,      kUser,     75)                \
  X(kFenced,           "fenced",            kFatal,      kExternal, 75)                \
  X(kAborted,          "aborted",           kAbortBatch, kExternal, 75)                \
  X(kPermission,       "permission",        kFatal,      kUser,     77)                \
  X(kConfig,           "config",            kFatal,      kUser,     78)                \
  X(kNoModel,          "no_model",          kFatal,      kUser,     78)                \
  X(kBadModel,         "bad_model",         kFatal,      kUser,     78)                \
  X(kFormatVersion,    "format_version",    kFatal,      kUser,     78)                \
  X(kInterrupted,      "interrupted",       kFatal,      kUser,     130)
// clang-format on

enum class ErrorCode {
#define MILLRACE_ENUMERATOR(name, text, disposition, origin, exit) name,
  MILLRACE_ERROR_CODES(MILLRACE_ENUMERATOR)
#undef MILLRACE_ENUMERATOR
};

std::string_view to_string(ErrorCode code);
Disposition disposition_of(ErrorCode code);
Origin origin_of(ErrorCode code);
int exit_code_of(ErrorCode code);

class Error {
 public:
  // `message` is one or more whole sentences for a person: what failed, where, and the way out.
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  Disposition disposition() const { return disposition_of(code_); }
  Origin origin() const { return origin_of(code_); }
  int exit_code() const { return exit_code_of(code_); }

  // The same error with "context: " in front of its message.
  Error with_context(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

}  // namespace millrace
