// Why a record was set aside. Codes are stable text: they stand in dead-letter headers, summaries
// and metrics.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::data {

// The reference systems' four error types; every code belongs to one.
enum class ErrorType { kValidation, kInference, kProcessing, kUnknown };

// Name, code, type. Declared once, here.
// clang-format off
#define MILLRACE_RECORD_CODES(X)                           \
  X(kParse,          "parse_error",       kValidation)     \
  X(kInvalidUtf8,    "invalid_utf8",      kValidation)     \
  X(kTombstone,      "tombstone",         kValidation)     \
  X(kNotAnObject,    "not_an_object",     kValidation)     \
  X(kDuplicateKey,   "duplicate_key",     kValidation)     \
  X(kTooLarge,       "too_large",         kValidation)     \
  X(kTooDeep,        "too_deep",          kValidation)     \
  X(kTooManyFields,  "too_many_fields",   kValidation)     \
  X(kMissingField,   "missing_field",     kValidation)     \
  X(kUnknownField,   "unknown_field",     kValidation)     \
  X(kNullValue,      "null_value",        kValidation)     \
  X(kBlankValue,     "blank_value",       kValidation)     \
  X(kWrongType,      "wrong_type",        kValidation)     \
  X(kOutOfRange,     "out_of_range",      kValidation)     \
  X(kUnknownValue,   "unknown_value",     kValidation)     \
  X(kPattern,        "pattern_mismatch",  kValidation)     \
  X(kBadTime,        "bad_time",          kValidation)     \
  X(kColumnCount,    "column_count",      kValidation)     \
  X(kBadQuoting,     "bad_quoting",       kValidation)     \
  X(kNonFinite,      "non_finite",        kInference)      \
  X(kOutputInvalid,  "output_invalid",    kProcessing)     \
  X(kOutputTooLarge, "output_too_large",  kProcessing)     \
  X(kUnknown,        "unknown",           kUnknown)
// clang-format on

enum class RecordCode {
#define MILLRACE_ENUMERATOR(name, text, type) name,
  MILLRACE_RECORD_CODES(MILLRACE_ENUMERATOR)
#undef MILLRACE_ENUMERATOR
};

std::string_view to_string(RecordCode code);
// "validation_error", "inference_error", "processing_error" or "unknown_error".
std::string_view to_string(ErrorType type);
ErrorType type_of(RecordCode code);

// One thing wrong with a record. `field` is empty for the record as a whole.
struct RecordError {
  RecordCode code = RecordCode::kUnknown;
  std::string field;
  std::string reason;  // "200 is above the maximum 100"

  // The reference's text form: "Field 'tenure': 200 is above the maximum 100"; 'root' for the whole
  // record.
  std::string message() const;
};

using RecordErrors = std::vector<RecordError>;

// At most this many errors of one record are kept; the last then says how many more there were.
inline constexpr std::size_t kRecordErrorsMax = 100;

}  // namespace millrace::data
