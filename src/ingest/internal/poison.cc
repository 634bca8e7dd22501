#include "ingest/internal/poison.h"

#include <cmath>

#include "json/text.h"

namespace millrace::ingest {
namespace {

constexpr Poison kKinds[] = {
    Poison::kTruncated,   Poison::kWrongType,    Poison::kOutOfRange, Poison::kUnknownCategory,
    Poison::kInvalidUtf8, Poison::kDuplicateKey, Poison::kEmpty,      Poison::kNotAnObject,
};

// A value of a type that no policy of the field takes.
std::string of_wrong_type(const data::Field& field) {
  return data::is_numeric(field.type) ? R"("many")" : "[17]";
}

std::string out_of_range(const data::Field& field) {
  std::string text;
  const double beyond =
      std::isfinite(field.max) ? std::floor(field.max) * 2 + 1000 : std::ceil(field.min) - 1000;
  json::append_number(text, std::round(beyond));
  return text;
}

}  // namespace

std::string_view to_string(Poison poison) {
  switch (poison) {
    case Poison::kNone:
      return "none";
    case Poison::kTruncated:
      return "truncated";
    case Poison::kWrongType:
      return "wrong_type";
    case Poison::kOutOfRange:
      return "out_of_range";
    case Poison::kUnknownCategory:
      return "unknown_category";
    case Poison::kInvalidUtf8:
      return "invalid_utf8";
    case Poison::kDuplicateKey:
      return "duplicate_key";
    case Poison::kEmpty:
      return "empty";
    case Poison::kNotAnObject:
      return "not_an_object";
  }
  return "none";
}

Poisoner::Poisoner(const data::Schema& schema, const std::vector<std::size_t>& drawn)
    : schema_(schema) {
  for (const std::size_t i : drawn) {
    const data::Field& field = schema.field(i);
    if (field.label) continue;
    drawn_.push_back(i);
    const bool bounded = std::isfinite(field.min) || std::isfinite(field.max);
    if (data::is_numeric(field.type) && field.type != data::FieldType::kBoolean && bounded) {
      bounded_.push_back(i);
    }
    if (field.type == data::FieldType::kCategory && field.unknown == data::Policy::kReject) {
      categories_.push_back(i);
    }
  }
}

std::size_t Poisoner::any(const std::vector<std::size_t>& fields, env::Random& random) const {
  return fields[random.below(fields.size())];
}

PoisonPlan Poisoner::plan(env::Random& random) const {
  PoisonPlan plan;
  plan.poison = kKinds[random.below(std::size(kKinds))];
  if (drawn_.empty()) {
    plan.poison = Poison::kTruncated;
    return plan;
  }
  // What this schema cannot be given becomes a wrong type.
  if (plan.poison == Poison::kOutOfRange && bounded_.empty()) plan.poison = Poison::kWrongType;
  if (plan.poison == Poison::kUnknownCategory && categories_.empty()) {
    plan.poison = Poison::kWrongType;
  }
  if (plan.poison == Poison::kWrongType) {
    const std::size_t field = any(drawn_, random);
    plan.replaced = Override{field, of_wrong_type(schema_.field(field))};
  } else if (plan.poison == Poison::kOutOfRange) {
    const std::size_t field = any(bounded_, random);
    plan.replaced = Override{field, out_of_range(schema_.field(field))};
  } else if (plan.poison == Poison::kUnknownCategory) {
    plan.replaced = Override{any(categories_, random), R"("no such level")"};
  } else if (plan.poison == Poison::kInvalidUtf8) {
    plan.replaced = Override{any(drawn_, random), "\"\xC3(\""};
  }
  return plan;
}

void Poisoner::damage(Poison poison, env::Random& random, std::string& json) {
  if (poison == Poison::kTruncated) {
    json.resize(1 + random.below(json.size() - 1));
  } else if (poison == Poison::kDuplicateKey) {
    const std::size_t end = json.find_first_of(",}");
    const std::string first = json.substr(1, end - 1);
    json.insert(json.size() - 1, "," + first);
  } else if (poison == Poison::kEmpty) {
    json.clear();
  } else if (poison == Poison::kNotAnObject) {
    json = "[" + json + "]";
  }
}

}  // namespace millrace::ingest
