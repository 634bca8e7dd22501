#include "ingest/internal/simulator_file.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/text.h"
#include "config/scalars.h"
#include "config/yaml.h"
#include "ingest/internal/series_file.h"
#include "ingest/internal/yaml_values.h"

namespace millrace::ingest {
namespace {

using config::MapEntry;
using config::Node;
using config::NodeKind;
using config::Position;

constexpr std::size_t kFieldsMax = 1000;
constexpr std::size_t kLevelsMax = 1000;
constexpr std::size_t kNumbersMax = 10'000;
constexpr std::size_t kGivenMax = 3;
constexpr int kDecimalsMax = 6;

// Reads one file; what it has read so far decides what later fields may refer to.
class Reader {
 public:
  Reader(const data::Schema& schema, std::uint64_t seed)
      : schema_(schema), seed_(seed), names_(schema.names()) {
    file_.levels.resize(schema.size());
    kind_.resize(schema.size(), Kind::kNotDrawn);
  }

  Result<SimulatorFile> read(const Node& root) {
    MILLRACE_TRY(expect(root, NodeKind::kMap, "a map with version and fields"));
    MILLRACE_TRY(allow_keys(root, {"version", "series", "fields", "drift"}));
    const MapEntry* const version = root.find("version");
    if (version == nullptr || version->value->text != "1") {
      return at(version == nullptr ? root.where : version->value->where,
                "expected version: 1, the only one there is");
    }
    if (const MapEntry* const series = root.find("series")) {
      MILLRACE_ASSIGN(file_.series, read_series_plan(*series->value, schema_));
      add_series_fields();
    }
    const MapEntry* const fields = root.find("fields");
    if (fields == nullptr) return at(root.where, "missing key 'fields'");
    MILLRACE_TRY(read_fields(*fields->value));
    if (const MapEntry* const drift = root.find("drift")) {
      MILLRACE_TRY(read_drift(*drift->value));
    }
    MILLRACE_TRY(check_complete(*fields->value));
    return std::move(file_);
  }

 private:
  enum class Kind { kNotDrawn, kText, kLevel, kNumber };

  // Station and time come with the place of a row in the series.
  void add_series_fields() {
    for (const auto& [field, generator] :
         {std::pair(file_.series->key, Generator{StationName{}, 0}),
          std::pair(file_.series->time, Generator{StepTime{}, 0})}) {
      kind_[field] = Kind::kText;
      file_.fields.push_back({field, generator, std::nullopt});
    }
  }

  Status read_fields(const Node& fields) {
    MILLRACE_TRY(expect(fields, NodeKind::kMap, "a map of fields"));
    if (fields.entries.size() > kFieldsMax) return at(fields.where, "more than 1000 fields");
    for (const MapEntry& entry : fields.entries) {
      const auto index = schema_.find(entry.key);
      if (!index) {
        return at(entry.key_where, "the schema has no field '" + printable(entry.key) + "'" +
                                       did_you_mean(entry.key, names_));
      }
      if (kind_[*index] != Kind::kNotDrawn) {
        return at(entry.key_where, "'" + printable(entry.key) + "' is drawn by 'series' above");
      }
      MILLRACE_ASSIGN(Generator generator, read_generator(*index, *entry.value));
      kind_[*index] = kind_of(generator);
      file_.fields.push_back({*index, std::move(generator), std::nullopt});
    }
    return {};
  }

  Status read_drift(const Node& drift) {
    MILLRACE_TRY(expect(drift, NodeKind::kMap, "a map of fields"));
    file_.drifts = !drift.entries.empty();
    for (const MapEntry& entry : drift.entries) {
      const auto drawn = std::find_if(
          file_.fields.begin(), file_.fields.end(),
          [&](const DrawnField& one) { return schema_.field(one.field).name == entry.key; });
      if (drawn == file_.fields.end()) {
        return at(entry.key_where,
                  "'" + printable(entry.key) + "' is not among the fields drawn above");
      }
      drawn_before_ = static_cast<std::size_t>(drawn - file_.fields.begin());
      MILLRACE_ASSIGN(Generator generator, read_generator(drawn->field, *entry.value));
      if (kind_of(generator) != kind_[drawn->field]) {
        return at(entry.value->where, "a drifted field must stay of its sort (level or number)");
      }
      drawn->after_drift = std::move(generator);
    }
    return {};
  }

  Status check_complete(const Node& fields) const {
    for (std::size_t i = 0; i < schema_.size(); ++i) {
      const data::Field& field = schema_.field(i);
      if (!field.required || field.type == data::FieldType::kTimestamp) continue;
      if (kind_[i] == Kind::kNotDrawn) {
        return at(fields.where, "the required field '" + field.name + "' is not drawn");
      }
    }
    return {};
  }

  static Kind kind_of(const Generator& generator) {
    if (std::holds_alternative<IdPattern>(generator.kind)) return Kind::kText;
    if (std::holds_alternative<StationName>(generator.kind)) return Kind::kText;
    if (std::holds_alternative<StepTime>(generator.kind)) return Kind::kText;
    if (std::holds_alternative<Category>(generator.kind)) return Kind::kLevel;
    if (std::holds_alternative<Logistic>(generator.kind)) return Kind::kLevel;
    return Kind::kNumber;
  }

  Result<Generator> read_generator(std::size_t field, const Node& node) {
    MILLRACE_TRY(expect(node, NodeKind::kMap, "a map with a kind"));
    const MapEntry* const kind = node.find("kind");
    if (kind == nullptr) return at(node.where, "missing key 'kind'");
    Generator generator;
    const std::string& name = kind->value->text;
    if (name == "id") {
      MILLRACE_ASSIGN(generator.kind, read_id(field, node));
    } else if (name == "category") {
      MILLRACE_ASSIGN(generator.kind, read_category(field, node));
    } else if (name == "logistic") {
      MILLRACE_ASSIGN(generator.kind, read_logistic(field, node));
    } else if (name == "quantiles") {
      MILLRACE_ASSIGN(generator.kind, read_quantiles(node));
    } else if (name == "linear") {
      MILLRACE_ASSIGN(generator.kind, read_linear(node));
    } else if (name == "product") {
      MILLRACE_ASSIGN(generator.kind, read_product(field, node));
    } else if (name == "series") {
      MILLRACE_ASSIGN(generator.kind, read_series_field(field, node));
    } else {
      static const std::vector<std::string> kKinds = {"id",      "category", "quantiles", "linear",
                                                      "product", "logistic", "series"};
      return at(kind->value->where,
                "unknown kind '" + printable(name) + "'" + did_you_mean(name, kKinds));
    }
    if (kind_of(generator) == Kind::kNumber) {
      MILLRACE_TRY(read_decimals(field, node, generator));
    }
    return generator;
  }

  Status read_decimals(std::size_t field, const Node& node, Generator& generator) const {
    const data::FieldType type = schema_.field(field).type;
    if (type != data::FieldType::kInteger && type != data::FieldType::kNumber) {
      return at(node.where, "this kind makes numbers, and '" + schema_.field(field).name +
                                "' is a " + std::string(data::to_string(type)));
    }
    generator.decimals = type == data::FieldType::kInteger ? 0 : 2;
    const MapEntry* const decimals = node.find("decimals");
    if (decimals == nullptr) return {};
    MILLRACE_ASSIGN(const double value, number_of(*decimals->value));
    if (value != std::floor(value) || value < 0 || value > kDecimalsMax) {
      return at(decimals->value->where, "expected whole decimals from 0 to 6");
    }
    if (type == data::FieldType::kInteger && value != 0) {
      return at(decimals->value->where, "an integer field has decimals: 0");
    }
    generator.decimals = static_cast<int>(value);
    return {};
  }

  Result<IdPattern> read_id(std::size_t field, const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "pattern"}));
    if (schema_.field(field).type != data::FieldType::kString) {
      return at(node.where, "an id is a text, and this field is none");
    }
    const MapEntry* const pattern = node.find("pattern");
    if (pattern == nullptr) return at(node.where, "missing key 'pattern'");
    auto id = IdPattern::parse(pattern->value->text, seed_);
    if (!id) return at(pattern->value->where, id.error().message());
    return id;
  }

  Result<Category> read_category(std::size_t field, const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "weights", "given"}));
    Category category;
    MILLRACE_TRY(read_given(node, category.given));
    const MapEntry* const weights = node.find("weights");
    if (weights == nullptr) return at(node.where, "missing key 'weights'");
    std::vector<std::pair<std::size_t, const Node*>> leaves;
    MILLRACE_TRY(collect(*weights->value, category.given, 0, 0, leaves));
    MILLRACE_TRY(declare_levels(field, *weights->value, leaves));
    category.cumulative.resize(category.given.combinations());
    for (const auto& [index, leaf] : leaves) {
      MILLRACE_ASSIGN(category.cumulative[index], cumulative_of(field, *leaf));
    }
    return category;
  }

  // The levels of a category are the schema's; those of another field are what its first mention
  // lists.
  Status declare_levels(std::size_t field, const Node& where,
                        const std::vector<std::pair<std::size_t, const Node*>>& leaves) {
    LevelTable& table = file_.levels[field];
    if (!table.names.empty()) return {};
    const data::FieldType type = schema_.field(field).type;
    table.names = schema_.field(field).values;
    if (type != data::FieldType::kCategory) {
      for (const auto& [index, leaf] : leaves) {
        for (const MapEntry& entry : leaf->entries) {
          if (std::find(table.names.begin(), table.names.end(), entry.key) != table.names.end()) {
            continue;
          }
          table.names.push_back(entry.key);
        }
      }
    }
    if (table.names.empty() || table.names.size() > kLevelsMax) {
      return at(where.where, "expected 1 to 1000 levels");
    }
    if (!data::is_numeric(type)) return {};
    for (const std::string& name : table.names) {
      if (type == data::FieldType::kBoolean && (name == "true" || name == "false")) {
        table.numbers.push_back(name == "true" ? 1 : 0);
        continue;
      }
      const auto number = config::parse_number(name);
      const bool whole = number && *number == std::floor(*number);
      if (!number || (type != data::FieldType::kNumber && !whole)) {
        return at(where.where, "the level '" + printable(name) + "' does not fit the field's type");
      }
      table.numbers.push_back(*number);
    }
    return {};
  }

  Result<std::vector<double>> cumulative_of(std::size_t field, const Node& leaf) const {
    MILLRACE_TRY(expect(leaf, NodeKind::kMap, "a map of levels and weights"));
    std::vector<double> weights(file_.levels[field].names.size());
    double sum = 0;
    for (const MapEntry& entry : leaf.entries) {
      MILLRACE_ASSIGN(const std::size_t level, level_of(field, entry.key, entry.key_where));
      MILLRACE_ASSIGN(weights[level], number_of(*entry.value));
      if (weights[level] < 0) return at(entry.value->where, "a weight must not be negative");
      sum += weights[level];
    }
    if (!(sum > 0)) return at(leaf.where, "the weights must have a positive sum");
    // The last level that can come up closes the range, whatever rounding left over.
    double below = 0;
    for (double& weight : weights) weight = below += weight / sum;
    const auto last = std::find_if(weights.begin(), weights.end(),
                                   [&](double one) { return one == weights.back(); });
    std::fill(last, weights.end(), 1.0);
    return weights;
  }

  Result<Quantiles> read_quantiles(const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "values", "given", "decimals"}));
    Quantiles quantiles;
    MILLRACE_TRY(read_given(node, quantiles.given));
    const MapEntry* const values = node.find("values");
    if (values == nullptr) return at(node.where, "missing key 'values'");
    std::vector<std::pair<std::size_t, const Node*>> leaves;
    MILLRACE_TRY(collect(*values->value, quantiles.given, 0, 0, leaves));
    quantiles.values.resize(quantiles.given.combinations());
    for (const auto& [index, leaf] : leaves) {
      MILLRACE_TRY(expect(*leaf, NodeKind::kList, "a list of quantiles"));
      if (leaf->items.size() < 2 || leaf->items.size() > kNumbersMax) {
        return at(leaf->where, "expected 2 to 10000 quantiles");
      }
      std::vector<double>& list = quantiles.values[index];
      for (const config::NodePtr& item : leaf->items) {
        MILLRACE_ASSIGN(const double value, number_of(*item));
        if (!list.empty() && value < list.back()) return at(item->where, "quantiles must not fall");
        list.push_back(value);
      }
    }
    return quantiles;
  }

  Result<Linear> read_linear(const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "base", "terms", "noise", "min", "max", "decimals"}));
    Linear linear;
    MILLRACE_TRY(read_number(node, "base", linear.base));
    MILLRACE_TRY(read_number(node, "noise", linear.noise));
    MILLRACE_TRY(read_number(node, "min", linear.min));
    MILLRACE_TRY(read_number(node, "max", linear.max));
    MILLRACE_TRY(check_bounds(node, linear.noise, linear.min, linear.max));
    MILLRACE_TRY(read_terms(node, linear.terms));
    return linear;
  }

  Result<Series> read_series_field(std::size_t field, const Node& node) const {
    if (!file_.series) return at(node.where, "kind: series needs the section 'series'");
    const auto series_above = [this](const MapEntry& entry) -> Result<std::size_t> {
      MILLRACE_ASSIGN(const std::size_t other,
                      drawn_field(entry.key, entry.key_where, Kind::kNumber));
      for (const DrawnField& one : file_.fields) {
        if (one.field == other && std::holds_alternative<Series>(one.generator.kind)) return other;
      }
      return at(entry.key_where, "'" + entry.key + "' is no series");
    };
    return read_series(node, schema_.field(field), *file_.series, series_above);
  }

  Result<Product> read_product(std::size_t field, const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "of", "noise", "min", "max", "decimals", "blank_when"}));
    Product product;
    MILLRACE_TRY(read_number(node, "noise", product.noise));
    MILLRACE_TRY(read_number(node, "min", product.min));
    MILLRACE_TRY(read_number(node, "max", product.max));
    MILLRACE_TRY(check_bounds(node, product.noise, product.min, product.max));
    const MapEntry* const of = node.find("of");
    if (of == nullptr) return at(node.where, "missing key 'of'");
    MILLRACE_TRY(expect(*of->value, NodeKind::kList, "a list of fields"));
    for (const config::NodePtr& item : of->value->items) {
      MILLRACE_ASSIGN(const std::size_t other, drawn_field(item->text, item->where, Kind::kNumber));
      product.of.push_back(other);
    }
    const MapEntry* const blank = node.find("blank_when");
    if (blank == nullptr) return product;
    const data::Field& own = schema_.field(field);
    if (!own.accept_text || own.blank != data::Policy::kMissing) {
      return at(blank->key_where, "the field '" + own.name +
                                      "' must have accept_text: true and blank: missing for this");
    }
    MILLRACE_TRY(expect(*blank->value, NodeKind::kMap, "a map of fields and numbers"));
    for (const MapEntry& entry : blank->value->entries) {
      MILLRACE_ASSIGN(const std::size_t other,
                      drawn_field(entry.key, entry.key_where, Kind::kNumber));
      MILLRACE_ASSIGN(const double value, number_of(*entry.value));
      product.blank_when.emplace_back(other, value);
    }
    return product;
  }

  Result<Logistic> read_logistic(std::size_t field, const Node& node) {
    MILLRACE_TRY(allow_keys(node, {"kind", "base", "terms", "levels"}));
    Logistic logistic;
    MILLRACE_TRY(read_number(node, "base", logistic.base));
    MILLRACE_TRY(read_terms(node, logistic.terms));
    const MapEntry* const levels = node.find("levels");
    if (levels == nullptr) return at(node.where, "missing key 'levels'");
    const Node& list = *levels->value;
    if (list.kind != NodeKind::kList || list.items.size() != 2) {
      return at(list.where, "expected two levels");
    }
    LevelTable& table = file_.levels[field];
    if (table.names.empty()) {
      table.names = schema_.field(field).values;
      if (table.names.empty()) table.names = {list.items[0]->text, list.items[1]->text};
      if (data::is_numeric(schema_.field(field).type)) {
        for (const std::string& name : table.names) {
          const auto number = config::parse_number(name);
          if (!number) return at(list.where, "expected numbers as levels of this field");
          table.numbers.push_back(*number);
        }
      }
    }
    MILLRACE_ASSIGN(const std::size_t first,
                    level_of(field, list.items[0]->text, list.items[0]->where));
    MILLRACE_ASSIGN(const std::size_t second,
                    level_of(field, list.items[1]->text, list.items[1]->where));
    logistic.first = static_cast<std::int32_t>(first);
    logistic.second = static_cast<std::int32_t>(second);
    return logistic;
  }

  Status read_terms(const Node& node, std::vector<Term>& terms) const {
    const MapEntry* const entry = node.find("terms");
    if (entry == nullptr) return {};
    MILLRACE_TRY(expect(*entry->value, NodeKind::kMap, "a map of fields"));
    for (const MapEntry& one : entry->value->entries) {
      MILLRACE_ASSIGN(Term term, read_term(one));
      terms.push_back(std::move(term));
    }
    return {};
  }

  Result<Term> read_term(const MapEntry& entry) const {
    Term term;
    const Node& value = *entry.value;
    if (value.kind == NodeKind::kMap) {
      MILLRACE_ASSIGN(term.field, drawn_field(entry.key, entry.key_where, Kind::kLevel));
      term.by_level.resize(file_.levels[term.field].names.size());
      for (const MapEntry& one : value.entries) {
        MILLRACE_ASSIGN(const std::size_t level, level_of(term.field, one.key, one.key_where));
        MILLRACE_ASSIGN(term.by_level[level], number_of(*one.value));
      }
      return term;
    }
    MILLRACE_ASSIGN(term.field, drawn_field(entry.key, entry.key_where, Kind::kNumber));
    if (value.kind != NodeKind::kList) {
      MILLRACE_ASSIGN(term.coefficient, number_of(value));
      return term;
    }
    for (const config::NodePtr& point : value.items) {
      if (point->kind != NodeKind::kList || point->items.size() != 2) {
        return at(point->where, "expected a point [x, y]");
      }
      MILLRACE_ASSIGN(const double x, number_of(*point->items[0]));
      MILLRACE_ASSIGN(const double y, number_of(*point->items[1]));
      if (!term.points.empty() && x <= term.points.back().first) {
        return at(point->where, "the x of points must rise");
      }
      term.points.emplace_back(x, y);
    }
    if (term.points.empty()) return at(value.where, "expected at least one point");
    return term;
  }

  Status read_given(const Node& node, Given& given) const {
    const MapEntry* const entry = node.find("given");
    if (entry == nullptr) return {};
    const Node& list = *entry->value;
    if (list.kind != NodeKind::kList || list.items.empty() || list.items.size() > kGivenMax) {
      return at(list.where, "expected a list of one to three fields");
    }
    for (const config::NodePtr& item : list.items) {
      MILLRACE_ASSIGN(const std::size_t field, drawn_field(item->text, item->where, Kind::kLevel));
      given.fields.push_back(field);
      given.levels.push_back(file_.levels[field].names.size());
    }
    if (given.combinations() > kNumbersMax) return at(list.where, "more than 10000 combinations");
    return {};
  }

  // The leaves below nested maps of levels, each with the index of its combination.
  Status collect(const Node& node, const Given& given, std::size_t depth, std::size_t index,
                 std::vector<std::pair<std::size_t, const Node*>>& leaves) const {
    if (depth == given.fields.size()) {
      leaves.emplace_back(index, &node);
      return {};
    }
    const std::size_t field = given.fields[depth];
    MILLRACE_TRY(expect(node, NodeKind::kMap, "a map of the levels of " + names_[field]));
    for (const MapEntry& entry : node.entries) {
      MILLRACE_ASSIGN(const std::size_t level, level_of(field, entry.key, entry.key_where));
      MILLRACE_TRY(
          collect(*entry.value, given, depth + 1, index * given.levels[depth] + level, leaves));
    }
    return {};
  }

  Result<std::size_t> level_of(std::size_t field, const std::string& name,
                               const Position& where) const {
    const std::vector<std::string>& names = file_.levels[field].names;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      return at(where, "'" + printable(name) + "' is no level of " + names_[field] +
                           did_you_mean(name, names));
    }
    return static_cast<std::size_t>(found - names.begin());
  }

  // A field that is drawn before the one being read.
  Result<std::size_t> drawn_field(const std::string& name, const Position& where,
                                  Kind wanted) const {
    const auto before = std::span(file_.fields).first(std::min(drawn_before_, file_.fields.size()));
    for (const DrawnField& one : before) {
      if (names_[one.field] != name) continue;
      if (kind_[one.field] == wanted) return one.field;
      return at(where, "'" + name + "' is not drawn as " +
                           (wanted == Kind::kLevel ? "levels" : "a number"));
    }
    return at(where, "'" + printable(name) + "' is not drawn above this field");
  }

  const data::Schema& schema_;
  std::uint64_t seed_;
  std::vector<std::string> names_;
  std::vector<Kind> kind_;  // by field
  SimulatorFile file_;
  std::size_t drawn_before_ = kFieldsMax;  // fields that may be referred to
};

}  // namespace

Result<SimulatorFile> read_simulator_file(std::string_view yaml, const std::string& origin,
                                          const data::Schema& schema, std::uint64_t seed) {
  MILLRACE_ASSIGN(const config::NodePtr root, config::load_yaml(yaml, origin));
  return Reader(schema, seed).read(*root);
}

}  // namespace millrace::ingest
