// What a record looks like: fields with types, bounds and policies. A plain value; spec builds it
// from YAML, codec checks records against it, features and model read it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace millrace::data {

enum class FieldType { kString, kInteger, kNumber, kBoolean, kCategory, kTimestamp };

std::string_view to_string(FieldType type);

// What becomes of a value that is there but says nothing (a blank text, a null, a level not in
// `values`).
enum class Policy {
  kReject,   // the record is set aside
  kMissing,  // the value counts as missing (NaN in features)
};

struct Field {
  std::string name;
  FieldType type = FieldType::kString;
  bool required = true;  // absent: set aside. Not required and absent: missing
  bool label = false;    // the target of training; never a feature, never required when scoring
  bool pii = false;      // redacted in logs and reports
  bool accept_text =
      false;  // numbers may come as text ("151.65"); on the wire the text stays as written
  Policy blank = Policy::kReject;  // "" or only white space, where a number or category is due
  Policy null = Policy::kReject;   // JSON null; CSV blanks of fields without accept_text
  Policy unknown =
      Policy::kReject;  // category outside `values`: reject (closed), or missing (open)
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string>
      values;  // of a category, in order; the last one is a label's positive class
  std::optional<std::string> pattern;  // RE2, matches the whole value of a string
  std::vector<double> sentinels;       // numbers that mean missing, -200 for example
  std::size_t text_bytes_max = std::size_t{64} << 10;
};

// Whether numbers (kInteger, kNumber, kBoolean) or texts are held.
bool is_numeric(FieldType type);

// Fields in order, found by name. Names are unique; every record is one row of cells in this order.
class Schema {
 public:
  // Errors: kConfig for duplicate or empty names, a category without values, duplicate values, min
  // > max, two labels.
  static Result<Schema> make(std::vector<Field> fields);
  Schema() = default;

  const std::vector<Field>& fields() const { return fields_; }
  const Field& field(std::size_t index) const { return fields_[index]; }
  std::size_t size() const { return fields_.size(); }
  std::optional<std::size_t> find(std::string_view name) const;
  std::optional<std::size_t> label() const { return label_; }
  std::vector<std::string> names() const;

  bool unknown_fields_allowed =
      true;  // fields of a record that the schema does not name: ignored, or set aside

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<Field> fields_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_name_;
  std::optional<std::size_t> label_;
};

}  // namespace millrace::data
