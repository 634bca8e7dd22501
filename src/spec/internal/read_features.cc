#include <algorithm>
#include <array>

#include "base/text.h"
#include "features/transform.h"
#include "spec/internal/sections.h"

namespace millrace::spec::internal {
namespace {

using config::Choice;
using config::MapReader;

constexpr std::size_t kOperatorsMax = 1000;

constexpr std::array kImputes = {
    Choice<features::ImputeWith>{"median", features::ImputeWith::kMedian},
    Choice<features::ImputeWith>{"mean", features::ImputeWith::kMean},
    Choice<features::ImputeWith>{"constant", features::ImputeWith::kConstant}};
constexpr std::array kUnknowns = {Choice<features::Unknown>{"ignore", features::Unknown::kIgnore},
                                  Choice<features::Unknown>{"error", features::Unknown::kError}};
constexpr std::array kDrops = {Choice<features::Drop>{"none", features::Drop::kNone},
                               Choice<features::Drop>{"first", features::Drop::kFirst},
                               Choice<features::Drop>{"if_binary", features::Drop::kIfBinary}};

features::Operator read_numeric(MapReader& map, std::string_view key) {
  return features::Numeric{map.required_texts(key)};
}

features::Operator read_impute(MapReader& map, std::string_view key) {
  features::Impute op;
  op.fields = map.required_texts(key);
  op.with = map.choice("with", features::ImputeWith::kMedian, kImputes);
  const auto value = map.optional_number("value");
  if (value && op.with != features::ImputeWith::kConstant) {
    map.error("value", "'value' is for 'with: constant'");
  }
  if (op.with == features::ImputeWith::kConstant && !map.has("value")) {
    map.reading().error(map.where(), "'with: constant' needs a 'value'");
  }
  op.constant = value.value_or(0);
  return op;
}

features::Operator read_standardize(MapReader& map, std::string_view key) {
  return features::Standardize{map.required_texts(key)};
}

features::Operator read_one_hot(MapReader& map, std::string_view key) {
  features::OneHot op;
  op.fields = map.required_texts(key);
  op.drop = map.choice("drop", features::Drop::kNone, kDrops);
  op.unknown = map.choice("unknown", features::Unknown::kIgnore, kUnknowns);
  return op;
}

features::Operator read_ordinal(MapReader& map, std::string_view key) {
  features::Ordinal op;
  op.fields = map.required_texts(key);
  op.unknown = map.choice("unknown", features::Unknown::kIgnore, kUnknowns);
  return op;
}

struct OperatorKey {
  std::string_view key;
  features::Operator (*read)(MapReader&, std::string_view);
};

constexpr std::array kOperators = {
    OperatorKey{"numeric", read_numeric},         OperatorKey{"impute", read_impute},
    OperatorKey{"standardize", read_standardize}, OperatorKey{"standardise", read_standardize},
    OperatorKey{"one_hot", read_one_hot},         OperatorKey{"ordinal", read_ordinal},
};
// Operators of series alone.
constexpr std::array<std::string_view, 9> kSeriesKeys = {
    "lag", "ema", "rolling", "slope", "difference", "interact", "calendar", "min_max", "clip"};

// One item of the list; nothing where it could not be read.
std::optional<features::Operator> read_item(const config::NodePtr& item, const std::string& path,
                                            config::Reading& reading) {
  if (item->kind != config::NodeKind::kMap) {
    reading.error(item->where, "expected an operator such as {one_hot: [field, ...]}");
    return std::nullopt;
  }
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const OperatorKey& op : kOperators) all.emplace_back(op.key);
    return all;
  }();
  for (const std::string_view key : kSeriesKeys) {
    if (item->find(key) == nullptr) continue;
    reading.error(
        item->where,
        "'" + std::string(key) + "' is made of the past of a key: it needs a 'target' to forecast");
    return std::nullopt;
  }
  const std::string key = operator_key(*item, names, reading);
  if (key.empty()) return std::nullopt;
  const OperatorKey& op =
      *std::find_if(kOperators.begin(), kOperators.end(),
                    [&key](const OperatorKey& each) { return each.key == key; });
  MapReader map(item.get(), path, reading);
  features::Operator result = op.read(map, op.key);
  map.finish();
  return result;
}

}  // namespace

std::string operator_key(const config::Node& item, std::span<const std::string> names,
                         config::Reading& reading) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (item.find(name) != nullptr) found.push_back(name);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    reading.error(item.where, "'" + found[0] + "' and '" + found[1] +
                                  "' are two operators; each is an item of its own (- ...)");
    return "";
  }
  const bool has_key = !item.entries.empty();
  const config::Position& where = has_key ? item.entries.front().key_where : item.where;
  const std::string first = has_key ? item.entries.front().key : "";
  reading.error(where,
                "unknown operator '" + printable(first, 60) + "'" + did_you_mean(first, names));
  return "";
}

void report_lines(config::Reading& reading, const config::Position& where,
                  const std::string& text) {
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    reading.error(where, text.substr(begin, end - begin));
    begin = end + 1;
  }
}

void read_features(MapReader& top, Pipeline& pipeline) {
  if (pipeline.forecast) {
    read_series_features(top, pipeline);
    return;
  }
  const std::size_t errors_before = top.reading().errors();
  const std::vector<config::NodePtr> items = top.items("features");
  if (items.size() > kOperatorsMax) {
    top.error("features", "more than " + std::to_string(kOperatorsMax) + " operators");
    return;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string path = "features[" + std::to_string(i) + "]";
    auto op = read_item(items[i], path, top.reading());
    if (!op) continue;
    if (pipeline.schema.size() > 0) {
      if (const Status fits = features::Transform::check({*op}, pipeline.schema); !fits) {
        report_lines(top.reading(), items[i]->where, fits.error().message());
      }
    }
    pipeline.features.push_back(std::move(*op));
  }
  if (top.reading().errors() != errors_before || pipeline.schema.size() == 0) return;
  if (items.empty()) {
    top.error("features", "'features' is empty; name at least one field");
    return;
  }
  if (const Status fit = features::Transform::check(pipeline.features, pipeline.schema); !fit) {
    report_lines(top.reading(), top.where("features"), fit.error().message());
  }
}

}  // namespace millrace::spec::internal
