#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include "base/text.h"

namespace millrace::config {
namespace {

// Thrown by the handler through yaml-cpp and caught in load_yaml().
struct Stop {
  Position where;
  std::string message;
};

// Builds the tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const std::string> file, std::string_view text,
              const YamlLimits& limits)
      : file_(std::move(file)), source_(text), limits_(limits) {}

  NodePtr take_root() { return root_ ? std::move(root_) : std::make_shared<const Node>(); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = leaf(NodeKind::kNull, mark);
    if (waiting_for_key()) {
      // Nobody means "nothing" by the key `null:`.
      for (const std::string_view word : {"null", "Null", "NULL"}) {
        if (source_.substr(static_cast<std::size_t>(mark.pos), word.size()) != word) continue;
        node->kind = NodeKind::kText;
        node->text = word;
      }
    }
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{at(mark), "an alias inside the very value it names"};
    }
    last_ = at(mark);
    count(found->second->weight);
    add(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    auto node = leaf(NodeKind::kText, mark);
    node->text = value;
    node->quoted = tag == "!";
    if (node->quoted) refuse_open_quote(mark);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(NodeKind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A collection whose end has not come yet.
  struct Open {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor = 0;
    bool key_pending = false;  // of a map: entries.back() has its key and waits for its value
    std::unordered_map<std::string, Position> keys;
  };

  Position at(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  std::shared_ptr<Node> leaf(NodeKind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->where = last_ = at(mark);
    count(1);
    return node;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{at(mark), "the tag '" + printable(tag) + "' is refused; values need no tags here"};
  }

  // yaml-cpp takes the end of the file for the end of a quoted text.
  void refuse_open_quote(const YAML::Mark& mark) const {
    std::size_t i = static_cast<std::size_t>(mark.pos);
    if (i >= source_.size() || (source_[i] != '"' && source_[i] != '\'')) return;
    const char quote = source_[i];
    for (++i; i < source_.size(); ++i) {
      // A doubled single quote reads as an end and a new beginning, which comes to the same.
      if (source_[i] == quote) return;
      if (source_[i] == '\\' && quote == '"') ++i;
    }
    throw Stop{at(mark), "a quoted text that never ends"};
  }

  void open(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    if (waiting_for_key()) throw Stop{at(mark), "a key must be text (is a bracket not closed?)"};
    if (open_.size() >= limits_.depth_max) throw Stop{at(mark), too_deep()};
    open_.push_back(Open{leaf(kind, mark), anchor, false, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  bool waiting_for_key() const {
    return !open_.empty() && open_.back().node->kind == NodeKind::kMap && !open_.back().key_pending;
  }

  void count(std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes_max) {
      throw Stop{last_,
                 "more than " + std::to_string(limits_.nodes_max) + " values, aliases written out"};
    }
  }

  // Puts a finished node where it belongs: the root, an item, a key or a value.
  void add(NodePtr node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (waiting_for_key()) return add_key(*node);
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    parent.node->weight += node->weight;
    parent.node->height = std::max(parent.node->height, node->height + 1);
    if (open_.size() + node->height > limits_.depth_max + 1) throw Stop{last_, too_deep()};
    if (parent.node->kind == NodeKind::kList) {
      parent.node->items.push_back(std::move(node));
    } else {
      parent.node->entries.back().value = std::move(node);
      parent.key_pending = false;
    }
  }

  void add_key(const Node& key) {
    Open& map = open_.back();
    if (key.kind != NodeKind::kText) throw Stop{last_, "a key must be text"};
    if (key.text == "<<" && !key.quoted) {
      throw Stop{last_, "merge keys (<<) are not supported; write the keys out"};
    }
    const auto [found, is_new] = map.keys.emplace(key.text, last_);
    if (!is_new) {
      throw Stop{last_, "the key '" + printable(key.text) + "' is already given at " +
                            found->second.to_string()};
    }
    map.node->entries.push_back(MapEntry{key.text, last_, nullptr});
    map.key_pending = true;
  }

  std::string too_deep() const {
    return "nested deeper than " + std::to_string(limits_.depth_max) + " levels";
  }

  std::shared_ptr<const std::string> file_;
  std::string_view source_;
  YamlLimits limits_;
  NodePtr root_;
  Position last_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, NodePtr> anchors_;
  std::size_t nodes_ = 0;
};

// Where a byte of `text` stands.
Position position_of(const std::shared_ptr<const std::string>& file, std::string_view text,
                     std::size_t byte) {
  Position where{file, 1, 1};
  for (std::size_t i = 0; i < byte; ++i) {
    if (text[i] == '\n') {
      ++where.line;
      where.column = 1;
    } else {
      ++where.column;
    }
  }
  return where;
}

Error error_at(const Position& where, const std::string& message) {
  return {ErrorCode::kConfig, where.to_string() + ": " + message};
}

// What is refused before yaml-cpp sees the text.
Status check_text(std::string_view text, const std::shared_ptr<const std::string>& file,
                  const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return error_at({file, 0, 0}, "the file has " + std::to_string(text.size()) +
                                      " bytes; at most " + std::to_string(limits.bytes_max) +
                                      " are read");
  }
  // yaml-cpp reads a whole bracket ahead before it says a word, at 100 bytes and more an item; far
  // more of them than is legal are stopped here. Those in texts and comments count as well.
  constexpr std::int64_t kOpenBracketsMax = 5000;
  std::int64_t open_brackets = 0;
  std::size_t commas = 0;
  bool indentation = true;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n') {
      indentation = true;
      line_start = ++i;
      continue;
    }
    if (i - line_start >= limits.line_bytes_max) {
      return error_at(position_of(file, text, line_start),
                      "a line longer than " + std::to_string(limits.line_bytes_max) + " bytes");
    }
    if (c == '\t' && indentation) {
      return error_at(position_of(file, text, i), "a tab as indentation; use spaces");
    }
    indentation = indentation && c == ' ';
    if (c == '[' || c == '{') ++open_brackets;
    if (c == ']' || c == '}') --open_brackets;
    if (c == ',' && ++commas > limits.nodes_max) {
      return error_at(position_of(file, text, i),
                      "more than " + std::to_string(limits.nodes_max) + " values");
    }
    if (open_brackets > kOpenBracketsMax) {
      return error_at(position_of(file, text, i),
                      "more than " + std::to_string(kOpenBracketsMax) + " brackets open at once");
    }
    const std::size_t length = utf8_length(text.substr(i, 4));
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r';
    if (length == 0 || control) {
      return error_at(position_of(file, text, i),
                      length == 0 ? "a byte that is not UTF-8" : "a control character");
    }
    i += length;
  }
  return {};
}

}  // namespace

std::string Position::to_string() const {
  std::string out = file ? *file : "";
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  return out;
}

const MapEntry* Node::find(std::string_view key) const {
  for (const MapEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Result<NodePtr> load_yaml(std::string_view text, std::string_view file, const YamlLimits& limits) {
  const auto name = std::make_shared<const std::string>(file);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, 3) == kByteOrderMark) text.remove_prefix(3);
  MILLRACE_TRY(check_text(text, name, limits));
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(name, text, limits);
    parser.HandleNextDocument(builder);
    NodePtr root = builder.take_root();
    TreeBuilder second(name, text, limits);
    if (parser.HandleNextDocument(second)) {
      return error_at(second.take_root()->where, "a second document (---); one is expected");
    }
    return root;
  } catch (const Stop& stop) {
    return error_at(stop.where, stop.message);
  } catch (const YAML::Exception& error) {
    const Position where{name, error.mark.line + 1, error.mark.column + 1};
    return error_at(where, "not YAML: " + error.msg);
  }
}

}  // namespace millrace::config
