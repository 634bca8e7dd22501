#include "codec/internal/field_check.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "env/clock.h"
#include "json/text.h"

namespace millrace::codec::internal {
namespace {

using data::Cell;
using data::FieldType;
using data::Policy;
using data::RecordCode;

constexpr std::size_t kListedValuesMax = 12;

std::string number_text(double number) {
  std::string text;
  json::append_number(text, number);
  return text;
}

// "'No', 'Yes'"; long lists are cut.
std::string listed(const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size() && i < kListedValuesMax; ++i) {
    if (i > 0) text += ", ";
    text += "'" + printable(values[i], kQuotedBytesMax) + "'";
  }
  if (values.size() > kListedValuesMax) {
    text += " and " + std::to_string(values.size() - kListedValuesMax) + " more";
  }
  return text;
}

}  // namespace

FieldCheck::FieldCheck(const data::Field& field, Purpose purpose)
    : field_(&field),
      name_(FingerprintedText::of(field.name)),
      values_(field.values),
      required_(field.label ? purpose == Purpose::kTraining : field.required),
      must_have_value_(field.label && purpose == Purpose::kTraining),
      may_lack_value_(field.label && purpose == Purpose::kScoring) {}

Result<FieldCheck> FieldCheck::make(const data::Field& field, Purpose purpose) {
  FieldCheck check(field, purpose);
  if (field.pattern) {
    Result<Pattern> pattern = Pattern::make(*field.pattern);
    if (!pattern) return pattern.error().with_context("field '" + field.name + "'");
    check.pattern_ = std::move(*pattern);
  }
  return check;
}

void FieldCheck::check_other_text(std::string_view text, Cell& cell, ErrorReport& report) const {
  switch (field_->type) {
    case FieldType::kString:
      return check_string(text, cell, report);
    case FieldType::kTimestamp:
      return check_time(text, cell, report);
    case FieldType::kCategory:
      return unknown_level(text, cell, report);
    case FieldType::kInteger:
    case FieldType::kNumber:
      if (field_->accept_text) return check_text_number(text, cell, report);
      break;
    case FieldType::kBoolean:
      break;
  }
  fail(RecordCode::kWrongType, "the text " + quoted(text) + " is not " + due(), cell, report);
}

void FieldCheck::check_string(std::string_view text, Cell& cell, ErrorReport& report) const {
  if (text.size() > field_->text_bytes_max) {
    return fail(RecordCode::kTooLarge,
                "a text of " + std::to_string(text.size()) + " bytes is above the maximum " +
                    std::to_string(field_->text_bytes_max),
                cell, report);
  }
  if (pattern_ && !pattern_->matches(text)) {
    return fail(RecordCode::kPattern,
                quoted(text) + " does not match the pattern " + pattern_->text(), cell, report);
  }
  cell = Cell::of_text(text);
}

void FieldCheck::check_time(std::string_view text, Cell& cell, ErrorReport& report) const {
  const Result<Timestamp> time = env::parse_rfc3339(text);
  if (time) {
    cell = Cell::of_time(time->value(), text);
  } else if (is_blank(text)) {
    missing_by(field_->blank, RecordCode::kBlankValue, "the text is blank", cell, report);
  } else {
    fail(RecordCode::kBadTime, quoted(text) + " is " + time.error().message(), cell, report);
  }
}

void FieldCheck::check_text_number(std::string_view text, Cell& cell, ErrorReport& report) const {
  const std::string_view inner = trimmed(text);
  if (inner.empty()) {
    return missing_by(field_->blank, RecordCode::kBlankValue, "the text is blank", cell, report);
  }
  const std::optional<double> number = Decimal::scan(inner).value();
  if (!number) {
    return fail(RecordCode::kWrongType, "the text " + quoted(text) + " is not " + due(), cell,
                report);
  }
  check_number(*number, text, cell, report);
}

void FieldCheck::unknown_level(std::string_view text, Cell& cell, ErrorReport& report) const {
  if (is_blank(text)) {
    return missing_by(field_->blank, RecordCode::kBlankValue, "the text is blank", cell, report);
  }
  const std::string reason = field_->unknown == Policy::kMissing && !must_have_value_
                                 ? std::string()
                                 : quoted(text) + " is none of " + listed(field_->values);
  missing_by(field_->unknown, RecordCode::kUnknownValue, reason, cell, report);
}

void FieldCheck::check_number(double number, std::string_view as_written, Cell& cell,
                              ErrorReport& report) const {
  const FieldType type = field_->type;
  if (type != FieldType::kNumber && type != FieldType::kInteger) {
    return fail(RecordCode::kWrongType, "the number " + shown(number) + " is not " + due(), cell,
                report);
  }
  if (type == FieldType::kInteger && number != std::trunc(number)) {
    return fail(RecordCode::kWrongType, shown(number) + " is not an integer", cell, report);
  }
  for (const double sentinel : field_->sentinels) {
    if (number == sentinel) {
      return missing_by(Policy::kMissing, RecordCode::kMissingField, "", cell, report);
    }
  }
  if (number < field_->min || number > field_->max) {
    const bool below = number < field_->min;
    return fail(RecordCode::kOutOfRange,
                shown(number) + (below ? " is below the minimum " : " is above the maximum ") +
                    number_text(below ? field_->min : field_->max),
                cell, report);
  }
  cell = Cell::of_number(number, as_written);
}

void FieldCheck::check_boolean(bool value, Cell& cell, ErrorReport& report) const {
  if (field_->type == FieldType::kBoolean) {
    cell = Cell::of_number(value ? 1 : 0);
    return;
  }
  const std::string what = field_->pii ? "a boolean" : value ? "true" : "false";
  fail(RecordCode::kWrongType, what + " is not " + due(), cell, report);
}

void FieldCheck::check_null(Cell& cell, ErrorReport& report) const {
  missing_by(field_->null, RecordCode::kNullValue, "null is not allowed", cell, report);
}

void FieldCheck::refuse(std::string_view what, Cell& cell, ErrorReport& report) const {
  fail(RecordCode::kWrongType, std::string(what) + " is not " + due(), cell, report);
}

void FieldCheck::report_missing(Cell& cell, ErrorReport& report) const {
  fail(RecordCode::kMissingField, "the field is missing", cell, report);
}

// A value that says nothing: missing where `policy` allows it, else an error. The label is apart:
// without it nothing can be learnt, and nobody has it yet when scoring.
void FieldCheck::missing_by(Policy policy, RecordCode code, std::string_view reason, Cell& cell,
                            ErrorReport& report) const {
  const bool no_value_at_all = code != RecordCode::kUnknownValue;
  if (must_have_value_ && policy == Policy::kMissing) {
    return fail(RecordCode::kMissingField, "the label has no value", cell, report);
  }
  if (policy == Policy::kMissing || (may_lack_value_ && no_value_at_all)) {
    cell = Cell::missing();
    return;
  }
  fail(code, std::string(reason), cell, report);
}

void FieldCheck::fail(RecordCode code, std::string reason, Cell& cell, ErrorReport& report) const {
  cell = Cell::invalid();
  report.add(code, field_->name, std::move(reason));
}

std::string FieldCheck::quoted(std::string_view text) const {
  return field_->pii ? "(not shown)" : "'" + printable(text, kQuotedBytesMax) + "'";
}

std::string FieldCheck::shown(double number) const {
  return field_->pii ? "(not shown)" : number_text(number);
}

std::string FieldCheck::due() const {
  const bool vowel = field_->type == FieldType::kInteger;
  return (vowel ? "an " : "a ") + std::string(data::to_string(field_->type));
}

}  // namespace millrace::codec::internal
