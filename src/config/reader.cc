#include "config/reader.h"

#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "base/text.h"
#include "config/scalars.h"

namespace millrace::config {
namespace {

std::string_view name_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::kNull:
      return "nothing";
    case NodeKind::kText:
      return "a single value";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
  }
  return "something else";
}

std::string expected_found(std::string_view expected, const Node& node) {
  std::string out =
      "expected " + std::string(expected) + ", found " + std::string(name_of(node.kind));
  if (node.kind == NodeKind::kNull) out += " (quote 'null' or '~' if that text is meant)";
  return out;
}

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

std::string range_text(const NumberRange& range) {
  const bool open = range.at_min == NumberRange::Min::kExcluded;
  if (range.max == std::numeric_limits<double>::infinity()) {
    return (open ? "above " : "at least ") + format_number(range.min);
  }
  if (range.min == -std::numeric_limits<double>::infinity()) {
    return "at most " + format_number(range.max);
  }
  return (open ? "above " : "from ") + format_number(range.min) +
         (open ? " and at most " : " to ") + format_number(range.max);
}

std::string range_text(const IntegerRange& range) {
  if (range.max == std::numeric_limits<std::int64_t>::max()) {
    return "at least " + std::to_string(range.min);
  }
  return "from " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

Node text_node(std::string_view text) {
  Node node;
  node.kind = NodeKind::kText;
  node.text = text;
  return node;
}

}  // namespace

// ----------------------------------------------------------------------------------------------
// Reading

void Reading::error(const Position& where, const std::string& message) {
  // More are kept than shown, so that the first 50 of the file are shown, not the first 50 found.
  constexpr std::size_t kFindingsMax = 10'000;
  ++errors_total_;
  if (findings_.size() < kFindingsMax) findings_.push_back({where, message});
}

void Reading::resolved(const std::string& path, std::string value, const Position& where) {
  positions_.insert_or_assign(path, where);
  values_.push_back({path, std::move(value), where.to_string()});
}

void Reading::resolved_default(const std::string& path, std::string value) {
  values_.push_back({path, std::move(value), "default"});
}

Status Reading::status() const {
  if (ok()) return {};
  std::vector<Finding> sorted = findings_;
  // What has no line (--set, the file as a whole) comes last.
  std::stable_sort(sorted.begin(), sorted.end(), [](const Finding& a, const Finding& b) {
    return std::tuple(a.where.line == 0, a.where.line, a.where.column) <
           std::tuple(b.where.line == 0, b.where.line, b.where.column);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), kErrorsMax); ++i) {
    if (i > 0) text += '\n';
    text += sorted[i].where.to_string() + ": " + sorted[i].message;
  }
  if (errors_total_ > kErrorsMax) {
    text += "\nand " + std::to_string(errors_total_ - kErrorsMax) + " more errors";
  }
  return Error(ErrorCode::kConfig, std::move(text));
}

Position Reading::where(std::string_view path) const {
  while (true) {
    if (const auto found = positions_.find(path); found != positions_.end()) return found->second;
    if (path.empty()) return {};
    const std::size_t dot = path.rfind('.');
    path = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
  }
}

// ----------------------------------------------------------------------------------------------
// MapReader

MapReader::MapReader(const Node* node, std::string path, Reading& reading)
    : node_(node), path_(std::move(path)), reading_(&reading) {
  if (node_ == nullptr) return;
  reading.positions_.insert_or_assign(path_, node_->where);
  if (node_->kind == NodeKind::kMap) return;
  reading.error(node_->where, expected_found("a map of keys", *node_));
  node_ = nullptr;
}

MapReader::MapReader(MapReader&& other) noexcept
    : node_(other.node_),
      path_(std::move(other.path_)),
      reading_(other.reading_),
      asked_(std::move(other.asked_)),
      finished_(other.finished_) {
  other.finished_ = true;
}

MapReader::~MapReader() { CHECK(finished_); }

const Node* MapReader::lookup(std::string_view key) {
  known(key);
  if (node_ == nullptr) return nullptr;
  const MapEntry* entry = node_->find(key);
  return entry == nullptr ? nullptr : entry->value.get();
}

void MapReader::known(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) return;
  asked_.emplace_back(key);
  reading_->asked_.insert(path_of(key));
}

bool MapReader::has(std::string_view key) { return lookup(key) != nullptr; }
const Node* MapReader::raw(std::string_view key) { return lookup(key); }

std::string MapReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void MapReader::keep(std::string_view key, std::string value, const Node& node) {
  reading_->resolved(path_of(key), std::move(value), node.where);
}
void MapReader::keep_default(std::string_view key, std::string value) {
  reading_->resolved_default(path_of(key), std::move(value));
}

Position MapReader::where() const {
  return node_ != nullptr ? node_->where : reading_->where(path_);
}

Position MapReader::where(std::string_view key) const {
  const MapEntry* entry = node_ == nullptr ? nullptr : node_->find(key);
  return entry == nullptr ? where() : entry->value->where;
}

void MapReader::error(std::string_view key, const std::string& message) {
  reading_->error(where(key), message);
}

// The scalar under `key`, or nullptr: left out, or reported.
const Node* MapReader::scalar(std::string_view key, std::string_view expected) {
  const Node* node = lookup(key);
  if (node == nullptr || node->kind == NodeKind::kText) return node;
  error(key, "'" + std::string(key) + "': " + expected_found(expected, *node));
  return nullptr;
}

template <class T>
std::optional<T> MapReader::parsed(std::string_view key, std::string_view expected,
                                   Result<T> (*parse)(std::string_view)) {
  const Node* node = scalar(key, expected);
  if (node == nullptr) return std::nullopt;
  if (node->quoted) {
    error(key, "'" + std::string(key) + "': expected " + std::string(expected) +
                   ", found text in quotes");
    return std::nullopt;
  }
  Result<T> value = parse(node->text);
  if (!value) {
    error(key, "'" + std::string(key) + "': " + value.error().message());
    return std::nullopt;
  }
  return *value;
}

std::optional<std::string> MapReader::optional_text(std::string_view key) {
  const Node* node = scalar(key, "text");
  if (node == nullptr) return std::nullopt;
  keep(key, to_yaml(*node), *node);
  return node->text;
}

std::optional<bool> MapReader::optional_boolean(std::string_view key) {
  const auto value = parsed<bool>(key, "true or false", parse_boolean);
  if (value) keep(key, *value ? "true" : "false", *lookup(key));
  return value;
}

std::optional<std::int64_t> MapReader::optional_integer(std::string_view key,
                                                        const IntegerRange& range) {
  const auto value = parsed<std::int64_t>(key, "an integer", parse_integer);
  if (!value) return std::nullopt;
  if (*value < range.min || *value > range.max) {
    error(key, "'" + std::string(key) + "' is " + std::to_string(*value) + ", must be " +
                   range_text(range));
    return std::nullopt;
  }
  keep(key, std::to_string(*value), *lookup(key));
  return value;
}

std::optional<double> MapReader::optional_number(std::string_view key, const NumberRange& range) {
  const auto value = parsed<double>(key, "a number", parse_number);
  if (!value) return std::nullopt;
  const bool below =
      range.at_min == NumberRange::Min::kExcluded ? *value <= range.min : *value < range.min;
  if (below || *value > range.max) {
    error(key, "'" + std::string(key) + "' is " + format_number(*value) + ", must be " +
                   range_text(range));
    return std::nullopt;
  }
  keep(key, format_number(*value), *lookup(key));
  return value;
}

std::optional<Milliseconds> MapReader::optional_duration(std::string_view key,
                                                         const DurationRange& range) {
  const auto value = parsed<Milliseconds>(key, "a duration such as 10s", parse_duration);
  if (!value) return std::nullopt;
  if (*value < range.min || *value > range.max) {
    error(key, "'" + std::string(key) + "' is " + format_duration(*value) + ", must be from " +
                   format_duration(range.min) + " to " + format_duration(range.max));
    return std::nullopt;
  }
  keep(key, format_duration(*value), *lookup(key));
  return value;
}

std::optional<std::uint64_t> MapReader::optional_bytes(std::string_view key,
                                                       const BytesRange& range) {
  const auto value = parsed<std::uint64_t>(key, "a size such as 1MiB", parse_bytes);
  if (!value) return std::nullopt;
  if (*value < range.min || *value > range.max) {
    error(key, "'" + std::string(key) + "' is " + format_bytes(*value) + ", must be from " +
                   format_bytes(range.min) + " to " + format_bytes(range.max));
    return std::nullopt;
  }
  keep(key, format_bytes(*value), *lookup(key));
  return value;
}

std::string MapReader::text(std::string_view key, std::string_view fallback) {
  if (!has(key)) keep_default(key, to_yaml(text_node(fallback)));
  return optional_text(key).value_or(std::string(fallback));
}

bool MapReader::boolean(std::string_view key, bool fallback) {
  if (!has(key)) keep_default(key, fallback ? "true" : "false");
  return optional_boolean(key).value_or(fallback);
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t fallback,
                                const IntegerRange& range) {
  if (!has(key)) keep_default(key, std::to_string(fallback));
  return optional_integer(key, range).value_or(fallback);
}

double MapReader::number(std::string_view key, double fallback, const NumberRange& range) {
  if (!has(key)) keep_default(key, format_number(fallback));
  return optional_number(key, range).value_or(fallback);
}

Milliseconds MapReader::duration(std::string_view key, Milliseconds fallback,
                                 const DurationRange& range) {
  if (!has(key)) keep_default(key, format_duration(fallback));
  return optional_duration(key, range).value_or(fallback);
}

std::uint64_t MapReader::bytes(std::string_view key, std::uint64_t fallback,
                               const BytesRange& range) {
  if (!has(key)) keep_default(key, format_bytes(fallback));
  return optional_bytes(key, range).value_or(fallback);
}

std::string MapReader::required_text(std::string_view key) {
  if (!has(key)) reading_->error(where(), "'" + path_of(key) + "' is missing");
  return optional_text(key).value_or("");
}

std::vector<std::string> MapReader::texts(std::string_view key) {
  const Node* node = lookup(key);
  if (node == nullptr) {
    keep_default(key, "[]");
    return {};
  }
  keep(key, to_yaml(*node), *node);
  return texts_of(*node, *reading_);
}

std::vector<std::string> MapReader::required_texts(std::string_view key) {
  if (!has(key)) {
    reading_->error(where(), "'" + path_of(key) + "' is missing");
    return {};
  }
  return texts(key);
}

std::vector<double> MapReader::numbers(std::string_view key) {
  const Node* node = lookup(key);
  if (node == nullptr) return {};
  keep(key, to_yaml(*node), *node);
  std::vector<double> values;
  auto add = [&](const Node& item) {
    const auto value = item.kind == NodeKind::kText && !item.quoted
                           ? parse_number(item.text)
                           : Result<double>(Error(ErrorCode::kConfig, "expected a number"));
    if (value) {
      values.push_back(*value);
    } else {
      reading_->error(item.where, "'" + std::string(key) + "': " + value.error().message());
    }
  };
  if (node->kind != NodeKind::kList) add(*node);
  for (const NodePtr& item : node->items) add(*item);
  return values;
}

std::size_t MapReader::choice_index(std::string_view key, std::size_t fallback,
                                    std::span<const std::string_view> names) {
  if (!has(key)) {
    keep_default(key, std::string(names[fallback]));
    return fallback;
  }
  const Node* node = scalar(key, joined(names));
  if (node == nullptr) return fallback;
  const auto found = std::find(names.begin(), names.end(), node->text);
  if (found == names.end()) {
    const std::vector<std::string> candidates(names.begin(), names.end());
    error(key, "'" + std::string(key) + "': expected " + joined(names) + ", found '" +
                   printable(node->text, 60) + "'" + did_you_mean(node->text, candidates));
    return fallback;
  }
  keep(key, node->text, *node);
  return static_cast<std::size_t>(found - names.begin());
}

MapReader MapReader::map(std::string_view key) {
  return MapReader(lookup(key), path_of(key), *reading_);
}

std::vector<NodePtr> MapReader::items(std::string_view key) {
  const Node* node = lookup(key);
  if (node == nullptr) return {};
  reading_->positions_.insert_or_assign(path_of(key), node->where);
  if (node->kind == NodeKind::kList) return node->items;
  error(key, "'" + std::string(key) + "': " + expected_found("a list", *node));
  return {};
}

const std::vector<MapEntry>* MapReader::entries(std::string_view key) {
  const Node* node = lookup(key);
  if (node == nullptr) return nullptr;
  reading_->positions_.insert_or_assign(path_of(key), node->where);
  if (node->kind == NodeKind::kMap) return &node->entries;
  error(key, "'" + std::string(key) + "': " + expected_found("a map of names", *node));
  return nullptr;
}

void MapReader::finish() {
  finished_ = true;
  if (node_ == nullptr) return;
  for (const MapEntry& entry : node_->entries) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    reading_->error(entry.key_where, "unknown key '" + printable(entry.key, 100) + "'" +
                                         did_you_mean(entry.key, asked_));
  }
}

std::vector<std::string> texts_of(const Node& node, Reading& reading) {
  if (node.kind == NodeKind::kText) return {node.text};
  if (node.kind != NodeKind::kList) {
    reading.error(node.where, expected_found("a list of names", node));
    return {};
  }
  std::vector<std::string> texts;
  for (const NodePtr& item : node.items) {
    if (item->kind == NodeKind::kText) {
      texts.push_back(item->text);
    } else {
      reading.error(item->where, expected_found("text", *item));
    }
  }
  return texts;
}

}  // namespace millrace::config
