// YAML text as a tree of nodes that remember where they stand and how they were written. Nothing is
// guessed from a value's looks: `no` is the text "no" until a reader asks for a boolean. yaml-cpp
// scans and parses; limits, duplicate keys and tags are ours. Nodes are immutable and shared
// (an alias is the anchored node itself), so a tree may be read by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace millrace::config {

struct YamlLimits {
  std::size_t bytes_max = std::size_t{1} << 20;
  std::size_t nodes_max = 100'000;  // counted with every alias written out
  std::size_t depth_max = 64;
  std::size_t line_bytes_max = std::size_t{64} << 10;
};

// A place in a file; line and column count from 1. Line 0: the file (or "--set") as a whole.
struct Position {
  std::shared_ptr<const std::string> file;
  std::int32_t line = 0;
  std::int32_t column = 0;

  // "telco.yaml:4:11", or "telco.yaml" without a line.
  std::string to_string() const;
};

enum class NodeKind { kNull, kText, kList, kMap };

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct MapEntry {
  std::string key;
  Position key_where;
  NodePtr value;
};

struct Node {
  NodeKind kind = NodeKind::kNull;
  std::string text;     // of kText, as written, quotes and escapes resolved
  bool quoted = false;  // of kText: in quotes or a block; never a number then
  Position where;
  std::vector<NodePtr> items;     // of kList
  std::vector<MapEntry> entries;  // of kMap, in file order; keys are distinct
  std::size_t weight = 1;         // this node and all below it, aliases written out
  std::size_t height = 1;         // levels of nesting, this node included

  const MapEntry* find(std::string_view key) const;
};

// One document. `file` stands in positions and messages. Errors: kConfig with file:line:col for
// text that is not YAML, above a limit, or uses tags, merge keys, duplicate keys, keys that are not
// text, tabs as indentation, or a second document. An empty text is a kNull node.
Result<NodePtr> load_yaml(std::string_view text, std::string_view file,
                          const YamlLimits& limits = {});

// The node as YAML text: scalars, empty collections and lists of scalars on one line.
std::string to_yaml(const Node& node);

}  // namespace millrace::config
