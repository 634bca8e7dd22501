#include "codec/tests/decode_oracle.h"

#include <re2/re2.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "env/clock.h"

namespace millrace::codec::testing {
namespace {

using Json = nlohmann::json;
using data::Field;
using data::FieldType;
using data::Policy;

// Builds nothing; watches for repeated keys, depth and numbers that are no 64-bit integers.
class Watcher : public nlohmann::json_sax<Json> {
 public:
  explicit Watcher(std::size_t depth_max) : depth_max_(depth_max) {}
  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t& text) override {
    return text.find_first_of(".eE") != std::string::npos && scalar();
  }
  bool string(string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    ++fields_;
    return scalar() && keys_.back().insert(name).second;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  std::size_t fields() const { return fields_; }

 private:
  // Something stands inside all open containers: that many count.
  bool scalar() { return keys_.size() <= depth_max_; }
  bool open() {
    if (!scalar()) return false;
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  std::size_t depth_max_;
  std::size_t fields_ = 0;
  std::vector<std::set<std::string>> keys_;
};

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string::npos;
}

enum class Verdict { kGood, kMissing, kBad };

Verdict by(Policy policy) { return policy == Policy::kMissing ? Verdict::kMissing : Verdict::kBad; }

Verdict judge_number(double number, const Field& field) {
  if (!std::isfinite(number)) return Verdict::kBad;
  if (field.type == FieldType::kInteger && std::floor(number) != number) return Verdict::kBad;
  for (const double sentinel : field.sentinels) {
    if (number == sentinel) return Verdict::kMissing;
  }
  return number >= field.min && number <= field.max ? Verdict::kGood : Verdict::kBad;
}

Verdict judge_text_number(const std::string& text, const Field& field) {
  if (!field.accept_text) return Verdict::kBad;
  if (is_blank(text)) return by(field.blank);
  std::string digits;
  static const re2::RE2 decimal(
      R"([ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*)");
  if (!re2::RE2::FullMatch(text, decimal, &digits)) return Verdict::kBad;
  const double number = std::strtod(digits.c_str(), nullptr);
  return judge_number(number, field);
}

Verdict judge_text(const std::string& text, const Field& field) {
  switch (field.type) {
    case FieldType::kString:
      if (text.size() > field.text_bytes_max) return Verdict::kBad;
      return !field.pattern || re2::RE2::FullMatch(text, *field.pattern) ? Verdict::kGood
                                                                         : Verdict::kBad;
    case FieldType::kTimestamp:
      if (is_blank(text)) return by(field.blank);
      return env::parse_rfc3339(text) ? Verdict::kGood : Verdict::kBad;
    case FieldType::kCategory:
      for (const std::string& level : field.values) {
        if (level == text) return Verdict::kGood;
      }
      return by(is_blank(text) ? field.blank : field.unknown);
    case FieldType::kBoolean:
      return Verdict::kBad;
    default:
      return judge_text_number(text, field);
  }
}

Verdict judge(const Json& value, const Field& field) {
  if (value.is_null()) return by(field.null);
  if (value.is_string()) return judge_text(value.get<std::string>(), field);
  if (value.is_boolean()) {
    return field.type == FieldType::kBoolean ? Verdict::kGood : Verdict::kBad;
  }
  const bool numeric = field.type == FieldType::kInteger || field.type == FieldType::kNumber;
  if (!value.is_number() || !numeric) return Verdict::kBad;
  return judge_number(value.get<double>(), field);
}

// Null and blank labels count as absent ones when scoring; labels that say nothing are bad when
// training.
bool accepts_label(const Json& value, const Field& field, Purpose purpose) {
  const Verdict verdict = judge(value, field);
  if (purpose == Purpose::kTraining) return verdict == Verdict::kGood;
  const bool says_nothing =
      value.is_null() || (value.is_string() && is_blank(value.get<std::string>()) &&
                          field.type != FieldType::kString && field.type != FieldType::kBoolean);
  return verdict != Verdict::kBad || says_nothing;
}

}  // namespace

bool oracle_accepts(std::string_view value, const data::Schema& schema, Purpose purpose,
                    const DecodeLimits& limits) {
  if (value.size() > limits.bytes_max) return false;
  if (value.find('\0') != std::string_view::npos) return false;  // nlohmann takes it for the end
  if (value.starts_with("\xEF\xBB\xBF")) return false;           // nlohmann skips it
  Watcher watcher(limits.depth_max);
  if (!Json::sax_parse(value.begin(), value.end(), &watcher)) return false;
  if (watcher.fields() > limits.fields_max) return false;
  const Json record = Json::parse(value.begin(), value.end(), nullptr, false);
  if (!record.is_object()) return false;
  for (const Field& field : schema.fields()) {
    const auto found = record.find(field.name);
    const bool required = field.label ? purpose == Purpose::kTraining : field.required;
    if (found == record.end()) {
      if (required) return false;
    } else if (field.label ? !accepts_label(*found, field, purpose)
                           : judge(*found, field) == Verdict::kBad) {
      return false;
    }
  }
  if (schema.unknown_fields_allowed) return true;
  for (const auto& [name, unused] : record.items()) {
    if (!schema.find(name)) return false;
  }
  return true;
}

}  // namespace millrace::codec::testing
