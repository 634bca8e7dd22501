#include <array>

#include "base/text.h"
#include "codec/record_decoder.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

using config::Choice;
using config::MapReader;
using data::Field;
using data::FieldType;
using data::Policy;

constexpr std::size_t kFieldsMax = 10'000;
constexpr std::size_t kValuesMax = 10'000;

constexpr std::array kTypes = {
    Choice<FieldType>{"string", FieldType::kString},
    Choice<FieldType>{"integer", FieldType::kInteger},
    Choice<FieldType>{"number", FieldType::kNumber},
    Choice<FieldType>{"boolean", FieldType::kBoolean},
    Choice<FieldType>{"category", FieldType::kCategory},
    Choice<FieldType>{"timestamp", FieldType::kTimestamp},
};
constexpr std::array kPolicies = {Choice<Policy>{"reject", Policy::kReject},
                                  Choice<Policy>{"missing", Policy::kMissing}};

// Keys that say something only for fields of some types.
struct TypedKey {
  std::string_view key;
  std::string_view types;  // for the message
  bool (*applies)(FieldType);
};

bool is_category(FieldType type) { return type == FieldType::kCategory; }
bool is_string(FieldType type) { return type == FieldType::kString; }
bool is_measure(FieldType type) {
  return type == FieldType::kInteger || type == FieldType::kNumber;
}
bool is_text(FieldType type) { return is_string(type) || is_category(type); }
bool is_not_string(FieldType type) { return !is_string(type); }

constexpr std::array kTypedKeys = {
    TypedKey{"values", "a category", is_category},
    TypedKey{"unknown", "a category", is_category},
    TypedKey{"label", "a category", is_category},
    TypedKey{"pattern", "a string", is_string},
    TypedKey{"min", "an integer or number", is_measure},
    TypedKey{"max", "an integer or number", is_measure},
    TypedKey{"sentinels", "an integer or number", is_measure},
    TypedKey{"accept_text", "an integer or number", is_measure},
    TypedKey{"text_bytes_max", "a string or category", is_text},
    TypedKey{"blank", "any type but string", is_not_string},
};

// RE2's word on a pattern, through the decoder that will use it.
void check_pattern(MapReader& reader, const Field& field) {
  Field alone;
  alone.name = field.name;
  alone.pattern = field.pattern;
  const auto schema = data::Schema::make({alone});
  if (!schema) return;
  const auto decoder = codec::RecordDecoder::make(*schema, codec::Purpose::kScoring);
  if (!decoder) reader.error("pattern", decoder.error().message());
}

Field read_field(const std::string& name, MapReader& reader) {
  Field field;
  field.name = name;
  if (!reader.has("type")) {
    reader.reading().error(reader.where(), "field '" + name + "': 'type' is missing");
  }
  const std::size_t errors_before = reader.reading().errors();
  // Where the type is wrong, the one that the other keys speak of causes the fewest further errors.
  const FieldType likely = reader.has("values")    ? FieldType::kCategory
                           : reader.has("pattern") ? FieldType::kString
                                                   : FieldType::kNumber;
  field.type = reader.choice("type", likely, kTypes);
  const bool type_known = reader.has("type") && reader.reading().errors() == errors_before;
  field.required = reader.boolean("required", true);
  field.label = reader.optional_boolean("label").value_or(false);
  field.pii = reader.optional_boolean("pii").value_or(false);
  field.null = reader.choice("null", Policy::kReject, kPolicies);
  field.accept_text = reader.optional_boolean("accept_text").value_or(false);
  if (reader.has("blank")) field.blank = reader.choice("blank", Policy::kReject, kPolicies);
  if (reader.has("unknown")) field.unknown = reader.choice("unknown", Policy::kReject, kPolicies);
  field.min = reader.optional_number("min").value_or(field.min);
  field.max = reader.optional_number("max").value_or(field.max);
  if (reader.has("values")) field.values = reader.texts("values");
  field.pattern = reader.optional_text("pattern");
  if (reader.has("sentinels")) field.sentinels = reader.numbers("sentinels");
  field.text_bytes_max =
      reader.optional_bytes("text_bytes_max", {.min = 1, .max = std::uint64_t{64} << 20})
          .value_or(field.text_bytes_max);
  for (const TypedKey& typed : kTypedKeys) {
    if (!type_known || !reader.has(typed.key) || typed.applies(field.type)) continue;
    reader.error(typed.key, "'" + std::string(typed.key) + "' is for " + std::string(typed.types) +
                                "; field '" + name + "' is " + with_article(field.type));
  }
  if (field.values.size() > kValuesMax) {
    reader.error("values", "more than " + std::to_string(kValuesMax) + " values");
  }
  if (field.pattern && is_string(field.type)) check_pattern(reader, field);
  reader.finish();
  return field;
}

}  // namespace

std::string with_article(FieldType type) {
  const std::string name(data::to_string(type));
  return (name.front() == 'i' ? "an " : "a ") + name;
}

void read_schema(MapReader& top, Pipeline& pipeline) {
  const auto* entries = top.entries("schema");
  if (entries == nullptr || entries->empty()) {
    top.reading().error(top.where("schema"), "'schema' names no field");
    return;
  }
  if (entries->size() > kFieldsMax) {
    top.error("schema", "more than " + std::to_string(kFieldsMax) + " fields");
    return;
  }
  const std::size_t errors_before = top.reading().errors();
  std::vector<Field> fields;
  for (const config::MapEntry& entry : *entries) {
    MapReader reader(entry.value.get(), "schema." + entry.key, top.reading());
    const std::size_t errors_of_others = top.reading().errors();
    fields.push_back(read_field(entry.key, reader));
    if (top.reading().errors() != errors_of_others) continue;
    // What the schema itself says about one field, with the field's place.
    if (const auto alone = data::Schema::make({fields.back()}); !alone) {
      top.reading().error(entry.value->where, alone.error().message());
    }
  }
  auto schema = data::Schema::make(std::move(fields));
  if (schema) {
    pipeline.schema = std::move(*schema);
  } else if (top.reading().errors() == errors_before) {
    top.error("schema", schema.error().message());
  }
}

}  // namespace millrace::spec::internal
