// to_yaml(): a tree back to text that loads as the same tree.
#include <algorithm>

#include "config/yaml.h"

namespace millrace::config {
namespace {

bool is_plain_safe(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (text == "null" || text == "Null" || text == "NULL" || text == "~" || text == "<<" ||
      text.substr(0, 3) == "---" || text.substr(0, 3) == "...") {
    return false;
  }
  constexpr std::string_view kRefused = ":#,[]{}&*!|>'\"%@`\\?";
  if (text.front() == '-' && (text.size() == 1 || text[1] == ' ')) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && kRefused.find(c) == std::string_view::npos;
  });
}

void emit_scalar(const Node& node, std::string& out) {
  if (node.kind == NodeKind::kNull) {
    out += "null";
    return;
  }
  if (!node.quoted && is_plain_safe(node.text)) {
    out += node.text;
    return;
  }
  const bool single = std::all_of(node.text.begin(), node.text.end(),
                                  [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (single) {
    out += '\'';
    for (const char c : node.text) out += c == '\'' ? "''" : std::string(1, c);
    out += '\'';
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : node.text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void emit_key(const std::string& key, std::string& out) {
  Node text;
  text.kind = NodeKind::kText;
  text.text = key;
  emit_scalar(text, out);
  out += ':';
}

bool is_leaf(const Node& node) {
  return node.kind == NodeKind::kNull || node.kind == NodeKind::kText;
}

// Whether the node goes on one line: scalars, empty collections, and collections of scalars.
bool is_inline(const Node& node) {
  if (node.kind == NodeKind::kList) {
    return std::all_of(node.items.begin(), node.items.end(),
                       [](const NodePtr& item) { return is_leaf(*item); });
  }
  return is_leaf(node) || node.entries.empty();
}

void emit_inline(const Node& node, std::string& out) {
  if (node.kind == NodeKind::kMap) {
    out += "{}";
  } else if (node.kind == NodeKind::kList) {
    out += '[';
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      if (i > 0) out += ", ";
      emit_scalar(*node.items[i], out);
    }
    out += ']';
  } else {
    emit_scalar(node, out);
  }
}

// Writes the lines of a node; the first one goes on where the caller's line stands.
void emit(const Node& node, std::size_t indent, std::string& out) {
  if (is_inline(node)) {
    emit_inline(node, out);
    out += '\n';
    return;
  }
  const bool is_map = node.kind == NodeKind::kMap;
  const std::size_t count = is_map ? node.entries.size() : node.items.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out.append(indent, ' ');
    const Node& child = is_map ? *node.entries[i].value : *node.items[i];
    if (!is_map) {
      out += "- ";
      emit(child, indent + 2, out);
      continue;
    }
    emit_key(node.entries[i].key, out);
    if (is_inline(child)) {
      out += ' ';
    } else {
      out += '\n';
      out.append(indent + 2, ' ');
    }
    emit(child, indent + 2, out);
  }
}

}  // namespace

std::string to_yaml(const Node& node) {
  std::string out;
  emit(node, 0, out);
  if (is_inline(node)) out.pop_back();
  return out;
}

}  // namespace millrace::config
