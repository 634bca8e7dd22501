#include "data/schema.h"

#include <algorithm>
#include <set>

namespace millrace::data {
namespace {

Status check_field(const Field& field) {
  auto fail = [&field](const std::string& why) {
    return Error(ErrorCode::kConfig, "field '" + field.name + "': " + why);
  };
  if (field.name.empty()) return Error(ErrorCode::kConfig, "a field has an empty name");
  if (field.type == FieldType::kCategory && field.values.empty())
    return fail("a category needs 'values'");
  if (field.type != FieldType::kCategory && !field.values.empty())
    return fail("only a category has 'values'");
  const std::set<std::string> distinct(field.values.begin(), field.values.end());
  if (distinct.size() != field.values.size()) return fail("'values' holds a value twice");
  if (field.min > field.max) return fail("'min' is greater than 'max'");
  if (field.pattern && field.type != FieldType::kString)
    return fail("only a string has a 'pattern'");
  return {};
}

}  // namespace

std::string_view to_string(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "string";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kNumber:
      return "number";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kCategory:
      return "category";
    case FieldType::kTimestamp:
      return "timestamp";
  }
  return "unknown";
}

bool is_numeric(FieldType type) {
  return type == FieldType::kInteger || type == FieldType::kNumber || type == FieldType::kBoolean;
}

Result<Schema> Schema::make(std::vector<Field> fields) {
  Schema schema;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    MILLRACE_TRY(check_field(fields[i]));
    if (!schema.by_name_.emplace(fields[i].name, i).second) {
      return Error(ErrorCode::kConfig, "field '" + fields[i].name + "' is declared twice");
    }
    if (fields[i].label && schema.label_) {
      return Error(ErrorCode::kConfig, "two labels: '" + fields[*schema.label_].name + "' and '" +
                                           fields[i].name + "'");
    }
    if (fields[i].label) schema.label_ = i;
  }
  schema.fields_ = std::move(fields);
  return schema;
}

std::optional<std::size_t> Schema::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> Schema::names() const {
  std::vector<std::string> names;
  for (const Field& field : fields_) names.push_back(field.name);
  return names;
}

}  // namespace millrace::data
