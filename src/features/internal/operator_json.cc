#include "features/internal/operator_json.h"

#include <array>
#include <utility>

#include "features/internal/plan.h"
#include "json/json.h"

namespace millrace::features::internal {
namespace {

template <class Enum>
using Words = std::array<std::pair<Enum, const char*>, 3>;

constexpr Words<ImputeWith> kImputeWith = {{{ImputeWith::kMedian, "median"},
                                            {ImputeWith::kMean, "mean"},
                                            {ImputeWith::kConstant, "constant"}}};
constexpr Words<Drop> kDrop = {
    {{Drop::kNone, "none"}, {Drop::kFirst, "first"}, {Drop::kIfBinary, "if_binary"}}};
constexpr std::array<std::pair<Unknown, const char*>, 2> kUnknown = {
    {{Unknown::kIgnore, "ignore"}, {Unknown::kError, "error"}}};

template <class Table, class Enum>
const char* word_of(const Table& table, Enum value) {
  for (const auto& [enumerator, word] : table) {
    if (enumerator == value) return word;
  }
  return "";
}

Error bad(const std::string& what) {
  return Error(ErrorCode::kBadModel, "the model's features: " + what);
}

template <class Table, class Enum>
Status read_word(const Table& table, const json::Value& value, const char* key, Enum& out) {
  if (value.contains(key) && value.at(key).is_string()) {
    const auto word = value.at(key).get<std::string>();
    for (const auto& [enumerator, text] : table) {
      if (word == text) {
        out = enumerator;
        return {};
      }
    }
  }
  return bad("an operator's '" + std::string(key) + "' is missing or not known");
}

Status read_fields(const json::Value& value, const std::string& name,
                   std::vector<std::string>& out) {
  const json::Value& fields = value.at(name);
  if (!fields.is_array()) return bad("'" + name + "' is not a list of fields");
  for (const json::Value& field : fields) {
    if (!field.is_string()) return bad("'" + name + "' is not a list of fields");
    out.push_back(field.get<std::string>());
  }
  return {};
}

Result<Operator> read_impute(const json::Value& value) {
  Impute impute;
  MILLRACE_TRY(read_fields(value, "impute", impute.fields));
  MILLRACE_TRY(read_word(kImputeWith, value, "with", impute.with));
  if (impute.with == ImputeWith::kConstant) {
    if (!value.contains("constant") || !value.at("constant").is_number()) {
      return bad("an impute lacks its constant");
    }
    impute.constant = value.at("constant").get<double>();
  }
  return Operator(std::move(impute));
}

Result<Operator> read_one_hot(const json::Value& value) {
  OneHot one_hot;
  MILLRACE_TRY(read_fields(value, "one_hot", one_hot.fields));
  MILLRACE_TRY(read_word(kDrop, value, "drop", one_hot.drop));
  MILLRACE_TRY(read_word(kUnknown, value, "unknown", one_hot.unknown));
  return Operator(std::move(one_hot));
}

Result<Operator> read_ordinal(const json::Value& value) {
  Ordinal ordinal;
  MILLRACE_TRY(read_fields(value, "ordinal", ordinal.fields));
  MILLRACE_TRY(read_word(kUnknown, value, "unknown", ordinal.unknown));
  return Operator(std::move(ordinal));
}

}  // namespace

json::Value operator_to_json(const Operator& op) {
  json::Value out = {{operator_name(op), fields_of(op)}};
  if (const auto* impute = std::get_if<Impute>(&op)) {
    out["with"] = word_of(kImputeWith, impute->with);
    if (impute->with == ImputeWith::kConstant) out["constant"] = impute->constant;
  } else if (const auto* one_hot = std::get_if<OneHot>(&op)) {
    out["drop"] = word_of(kDrop, one_hot->drop);
    out["unknown"] = word_of(kUnknown, one_hot->unknown);
  } else if (const auto* ordinal = std::get_if<Ordinal>(&op)) {
    out["unknown"] = word_of(kUnknown, ordinal->unknown);
  }
  return out;
}

Result<Operator> operator_from_json(const json::Value& value) {
  if (!value.is_object()) return bad("an operator is not an object");
  if (value.contains("impute")) return read_impute(value);
  if (value.contains("one_hot")) return read_one_hot(value);
  if (value.contains("ordinal")) return read_ordinal(value);
  if (value.contains("numeric")) {
    Numeric numeric;
    MILLRACE_TRY(read_fields(value, "numeric", numeric.fields));
    return Operator(std::move(numeric));
  }
  if (value.contains("standardize")) {
    Standardize standardize;
    MILLRACE_TRY(read_fields(value, "standardize", standardize.fields));
    return Operator(std::move(standardize));
  }
  return bad("an operator is of no known kind: " + json::to_line(value).substr(0, 200));
}

}  // namespace millrace::features::internal
