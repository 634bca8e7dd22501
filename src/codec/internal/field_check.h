// One value of a record against its field: becomes a cell, or an error with its reason.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/internal/decimal.h"
#include "codec/internal/error_report.h"
#include "codec/internal/name_table.h"
#include "codec/internal/pattern.h"
#include "codec/record_decoder.h"
#include "data/cell.h"
#include "data/schema.h"

namespace millrace::codec::internal {

// A field with everything that checking it needs, made once. Not copyable; `field` must outlive it.
class FieldCheck {
 public:
  // Errors: kConfig for a pattern RE2 refuses.
  static Result<FieldCheck> make(const data::Field& field, Purpose purpose);

  const data::Field& field() const { return *field_; }
  const FingerprintedText& name() const { return name_; }
  // Whether a record without this field is set aside.
  bool required() const { return required_; }

  // Each fills the cell or reports why not. Views of `text` end up in the cell. `text` needs 8
  // readable bytes from its start on.
  void check_text(std::string_view text, data::Cell& cell, ErrorReport& report) const {
    if (field_->type == data::FieldType::kCategory) [[likely]] {
      const std::int32_t code = values_.find(FingerprintedText::of_padded(text));
      if (code != NameTable::kNone) [[likely]] {
        cell = data::Cell::of_category(code, field_->values[static_cast<std::size_t>(code)]);
        return;
      }
    }
    check_other_text(text, cell, report);
  }
  void check_number(double number, std::string_view as_written, data::Cell& cell,
                    ErrorReport& report) const;
  void check_boolean(bool value, data::Cell& cell, ErrorReport& report) const;
  void check_null(data::Cell& cell, ErrorReport& report) const;
  // `what`: "an array" or "an object"; no field holds these.
  void refuse(std::string_view what, data::Cell& cell, ErrorReport& report) const;
  void report_missing(data::Cell& cell, ErrorReport& report) const;

 private:
  FieldCheck(const data::Field& field, Purpose purpose);

  void check_other_text(std::string_view text, data::Cell& cell, ErrorReport& report) const;
  void check_string(std::string_view text, data::Cell& cell, ErrorReport& report) const;
  void check_time(std::string_view text, data::Cell& cell, ErrorReport& report) const;
  void check_text_number(std::string_view text, data::Cell& cell, ErrorReport& report) const;
  void unknown_level(std::string_view text, data::Cell& cell, ErrorReport& report) const;
  void missing_by(data::Policy policy, data::RecordCode code, std::string_view reason,
                  data::Cell& cell, ErrorReport& report) const;
  void fail(data::RecordCode code, std::string reason, data::Cell& cell, ErrorReport& report) const;
  std::string quoted(std::string_view text) const;
  std::string shown(double number) const;
  std::string due() const;

  const data::Field* field_;
  FingerprintedText name_;
  NameTable values_;
  std::optional<Pattern> pattern_;
  bool required_;
  bool must_have_value_;  // the label in training: missing is no value, whatever the policies say
  bool may_lack_value_;   // the label in scoring
};

}  // namespace millrace::codec::internal
