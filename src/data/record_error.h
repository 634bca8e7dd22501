// Why a record was set aside. Codes are stable text: they stand in dead-letter headers, summaries
// and metrics.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::data {

// The reference systems' four error types; every code belongs to one.
enum class ErrorType { kValidation, kInference, kProcessing, kUnknown };

// Name, code, type, meaning. Declared once, here.
// clang-format off
#define MILLRACE_RECORD_CODES(X) \
  X(kParse, "parse_error", kValidation, \
    "not JSON: truncated, trailing bytes, comments, NaN, numbers out of range") \
  X(kInvalidUtf8, "invalid_utf8", kValidation, \
    "bytes that are not UTF-8") \
  X(kTombstone, "tombstone", kValidation, \
    "no value") \
  X(kNotAnObject, "not_an_object", kValidation, \
    "JSON, but not an object") \
  X(kDuplicateKey, "duplicate_key", kValidation, \
    "a key twice in one object") \
  X(kTooLarge, "too_large", kValidation, \
    "a message or a text above its limit of bytes") \
  X(kTooDeep, "too_deep", kValidation, \
    "objects and arrays inside one another beyond the limit") \
  X(kTooManyFields, "too_many_fields", kValidation, \
    "more keys than any schema needs") \
  X(kTooManyValues, "too_many_values", kValidation, \
    "more keys, values and marks in all than the limit") \
  X(kMissingField, "missing_field", kValidation, \
    "a required field is absent") \
  X(kUnknownField, "unknown_field", kValidation, \
    "a field that the schema does not name, where it refuses them") \
  X(kNullValue, "null_value", kValidation, \
    "null where the field refuses it") \
  X(kBlankValue, "blank_value", kValidation, \
    "a blank text where the field refuses it") \
  X(kWrongType, "wrong_type", kValidation, \
    "a text for a number, a boolean for a level, 3.5 for an integer") \
  X(kOutOfRange, "out_of_range", kValidation, \
    "outside `min` and `max`") \
  X(kUnknownValue, "unknown_value", kValidation, \
    "none of the field's `values`") \
  X(kPattern, "pattern_mismatch", kValidation, \
    "the text does not match the field's `pattern`") \
  X(kBadTime, "bad_time", kValidation, \
    "not an RFC 3339 time") \
  X(kLate, "late", kValidation, \
    "a reading older than the one before it of the same key") \
  X(kKeyMismatch, "key_mismatch", kValidation, \
    "the record's key is not that of the reading in it, where state is kept by key") \
  X(kColumnCount, "column_count", kValidation, \
    "a CSV row with more or fewer cells than the header") \
  X(kBadQuoting, "bad_quoting", kValidation, \
    "a CSV row with a quote out of place or not closed") \
  X(kNonFinite, "non_finite", kInference, \
    "a feature or the prediction is not a finite number") \
  X(kOutputInvalid, "output_invalid", kProcessing, \
    "the prediction message fails its own schema") \
  X(kOutputTooLarge, "output_too_large", kProcessing, \
    "the prediction message is above its topic's limit") \
  X(kUnknown, "unknown", kUnknown, \
    "none of these")
// clang-format on

enum class RecordCode {
#define MILLRACE_ENUMERATOR(name, text, type, meaning) name,
  MILLRACE_RECORD_CODES(MILLRACE_ENUMERATOR)
#undef MILLRACE_ENUMERATOR
};

std::string_view to_string(RecordCode code);
// "validation_error", "inference_error", "processing_error" or "unknown_error".
std::string_view to_string(ErrorType type);
ErrorType type_of(RecordCode code);
// Half a sentence for reference pages.
std::string_view meaning_of(RecordCode code);
inline constexpr std::array kAllRecordCodes = {
#define MILLRACE_CODE(name, text, type, meaning) RecordCode::name,
    MILLRACE_RECORD_CODES(MILLRACE_CODE)
#undef MILLRACE_CODE
};

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
