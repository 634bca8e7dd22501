#include "config/overlay.h"

#include <charconv>
#include <optional>

namespace millrace::config {
namespace {

constexpr std::size_t kAssignmentsMax = 1000;
constexpr std::size_t kPathDepthMax = 32;

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t dot = path.find('.', begin);
    parts.emplace_back(path.substr(begin, dot - begin));
    if (dot == std::string_view::npos) return parts;
    begin = dot + 1;
  }
}

Error refuse(std::string_view assignment, const std::string& why) {
  return {ErrorCode::kUsage, "--set " + std::string(assignment) + ": " + why};
}

std::optional<std::size_t> index_of(const std::string& part, std::size_t size) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size() || index >= size) {
    return std::nullopt;
  }
  return index;
}

// How many of parts[depth...], joined by dots, are `key`; 0 where none are. Keys may hold dots.
std::size_t parts_of_key(const std::string& key, const std::vector<std::string>& parts,
                         std::size_t depth) {
  std::string joined;
  for (std::size_t i = depth; i < parts.size() && joined.size() < key.size(); ++i) {
    joined += (i == depth ? "" : ".") + parts[i];
    if (joined == key) return i - depth + 1;
  }
  return 0;
}

// A copy of `node` with `value` at parts[depth...].
Result<NodePtr> replaced(const NodePtr& node, const std::vector<std::string>& parts,
                         std::size_t depth, const NodePtr& value, std::string_view assignment) {
  if (depth == parts.size()) return value;
  const std::string& part = parts[depth];
  auto copy = node ? std::make_shared<Node>(*node) : std::make_shared<Node>();
  if (!node) copy->where = value->where;
  if (copy->kind == NodeKind::kNull) copy->kind = NodeKind::kMap;
  if (copy->kind == NodeKind::kText) {
    return refuse(assignment, "'" + part + "' lies below a value that is no map");
  }
  if (copy->kind == NodeKind::kList) {
    const auto index = index_of(part, copy->items.size());
    if (!index) {
      return refuse(assignment, "the list has no item '" + part + "' (it has " +
                                    std::to_string(copy->items.size()) + ", from 0)");
    }
    NodePtr& item = copy->items[*index];
    MILLRACE_ASSIGN(item, replaced(item, parts, depth + 1, value, assignment));
    return NodePtr(std::move(copy));
  }
  std::size_t most = 0;
  MapEntry* nearest = nullptr;
  for (MapEntry& entry : copy->entries) {
    const std::size_t count = parts_of_key(entry.key, parts, depth);
    if (count <= most) continue;
    most = count;
    nearest = &entry;
  }
  if (nearest != nullptr) {
    MILLRACE_ASSIGN(nearest->value,
                    replaced(nearest->value, parts, depth + most, value, assignment));
    return NodePtr(std::move(copy));
  }
  MILLRACE_ASSIGN(NodePtr child, replaced(nullptr, parts, depth + 1, value, assignment));
  copy->entries.push_back(MapEntry{part, value->where, std::move(child)});
  return NodePtr(std::move(copy));
}

// Values of --set have no line: what they came from is the origin.
NodePtr without_lines(const NodePtr& node) {
  auto copy = std::make_shared<Node>(*node);
  copy->where.line = 0;
  for (NodePtr& item : copy->items) item = without_lines(item);
  for (MapEntry& entry : copy->entries) {
    entry.key_where.line = 0;
    entry.value = without_lines(entry.value);
  }
  return copy;
}

// Texts that YAML wants quoted, though nothing else could be meant on a command line: a time format
// that begins with '%', a separator of one character.
bool is_plainly_text(std::string_view value) {
  if (value.empty()) return true;
  const char first = value.front();
  const bool letter_or_digit = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                               (first >= '0' && first <= '9');
  if (value.size() == 1) return !letter_or_digit && first != '~';
  return std::string_view(",%@`").find(first) != std::string_view::npos;
}

NodePtr text_node(const std::string& text) {
  auto node = std::make_shared<Node>();
  node->kind = NodeKind::kText;
  node->quoted = true;
  node->text = text;
  node->where.file = std::make_shared<const std::string>(kSetOrigin);
  return node;
}

// The value of an assignment. Errors: kUsage.
Result<NodePtr> value_of(const std::string& assignment, const std::string& text) {
  if (is_plainly_text(text)) return text_node(text);
  auto value = load_yaml(text, kSetOrigin);
  if (!value) return refuse(assignment, "the value is not YAML: " + value.error().message());
  return without_lines(*value);
}

}  // namespace

Result<NodePtr> apply_set(const NodePtr& root, std::span<const std::string> assignments) {
  if (assignments.size() > kAssignmentsMax) {
    return Error(ErrorCode::kUsage, "--set is given more than 1000 times");
  }
  NodePtr tree = root;
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      return refuse(assignment, "expected key=value, for example --set model.trees=200");
    }
    const std::vector<std::string> parts =
        split_path(std::string_view(assignment).substr(0, equals));
    if (parts.size() > kPathDepthMax) return refuse(assignment, "the path is too deep");
    for (const std::string& part : parts) {
      if (part.empty()) return refuse(assignment, "a key between dots is empty");
    }
    const std::string text = assignment.substr(equals + 1);
    MILLRACE_ASSIGN(const NodePtr node, value_of(assignment, text));
    MILLRACE_ASSIGN(tree, replaced(tree, parts, 0, node, assignment));
  }
  return tree;
}

}  // namespace millrace::config
