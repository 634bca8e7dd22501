#include "data/record_error.h"

namespace millrace::data {
namespace {

struct CodeRow {
  std::string_view text;
  ErrorType type;
  std::string_view meaning;
};

constexpr std::array kRows = {
#define MILLRACE_ROW(name, text, type, meaning) CodeRow{text, ErrorType::type, meaning},
    MILLRACE_RECORD_CODES(MILLRACE_ROW)
#undef MILLRACE_ROW
};

}  // namespace

std::string_view to_string(RecordCode code) {
  return kRows.at(static_cast<std::size_t>(code)).text;
}

ErrorType type_of(RecordCode code) { return kRows.at(static_cast<std::size_t>(code)).type; }

std::string_view meaning_of(RecordCode code) {
  return kRows.at(static_cast<std::size_t>(code)).meaning;
}

std::string_view to_string(ErrorType type) {
  switch (type) {
    case ErrorType::kValidation:
      return "validation_error";
    case ErrorType::kInference:
      return "inference_error";
    case ErrorType::kProcessing:
      return "processing_error";
    case ErrorType::kUnknown:
      break;
  }
  return "unknown_error";
}

std::string RecordError::message() const {
  return "Field '" + (field.empty() ? "root" : field) + "': " + reason;
}

}  // namespace millrace::data
