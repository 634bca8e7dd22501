// Strict typed reading of a YAML tree. Every get names its key once; finish() then reports every
// key nobody asked for. All errors of a document are collected in one Reading, and so is where each
// value came from, defaults included.
//
//   Reading reading;
//   MapReader top(root.get(), "", reading);
//   const std::string name = top.required_text("name");
//   MapReader commit = top.map("commit");
//   const Milliseconds interval = commit.duration("interval", Milliseconds(100), {...});
//   commit.finish();
//   top.finish();
//   MILLRACE_TRY(reading.status());
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/yaml.h"

namespace millrace::config {

// A value as resolved, for `explain`.
struct Resolved {
  std::string path;    // "input.topic"
  std::string value;   // as YAML
  std::string origin;  // "telco.yaml:4:11", "default", "--set"
};

// What reading one document found: its errors and where its values came from. Not thread-safe.
class Reading {
 public:
  static constexpr std::size_t kErrorsMax = 50;

  void error(const Position& where, const std::string& message);
  void resolved(const std::string& path, std::string value, const Position& where);
  void resolved_default(const std::string& path, std::string value);

  bool ok() const { return errors_total_ == 0; }
  std::size_t errors() const { return errors_total_; }
  // kConfig with all errors, in the order of the file, one a line; the first 50 and a count of the
  // rest.
  Status status() const;

  const std::vector<Resolved>& values() const { return values_; }
  // Every path that was asked for, given or not: what a file of this kind may hold.
  const std::set<std::string>& asked() const { return asked_; }
  // Whether the document itself holds `path`.
  bool is_given(std::string_view path) const { return positions_.find(path) != positions_.end(); }
  // Where the value of `path` stands; for a default, the nearest parent that is in the file.
  Position where(std::string_view path) const;

 private:
  friend class MapReader;
  struct Finding {
    Position where;
    std::string message;
  };
  std::vector<Finding> findings_;
  std::size_t errors_total_ = 0;
  std::vector<Resolved> values_;
  std::set<std::string> asked_;
  std::map<std::string, Position, std::less<>> positions_;
};

// Closed ranges; `open_min` leaves the minimum itself out.
struct NumberRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  enum class Min { kIncluded, kExcluded } at_min = Min::kIncluded;
};
struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct DurationRange {
  Milliseconds min{0};
  Milliseconds max{std::int64_t{3650} * 86'400'000};
};
struct BytesRange {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

// A name in a file and the value it stands for.
template <class E>
struct Choice {
  std::string_view name;
  E value;
};

// One map of the tree. A null node is a map left out: every get yields its default. finish() must
// be called (or the reader moved from) before destruction. Not thread-safe; the nodes and the
// Reading must outlive it.
class MapReader {
 public:
  // `path` is "" for the whole document, "input" for what stands under that key.
  MapReader(const Node* node, std::string path, Reading& reading);
  MapReader(MapReader&& other) noexcept;
  MapReader& operator=(MapReader&&) = delete;
  MapReader(const MapReader&) = delete;
  ~MapReader();

  bool has(std::string_view key);
  // Whether the map is there at all.
  bool is_present() const { return node_ != nullptr; }

  // With a default.
  std::string text(std::string_view key, std::string_view fallback);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, const IntegerRange& range = {});
  double number(std::string_view key, double fallback, const NumberRange& range = {});
  Milliseconds duration(std::string_view key, Milliseconds fallback,
                        const DurationRange& range = {});
  std::uint64_t bytes(std::string_view key, std::uint64_t fallback, const BytesRange& range = {});
  std::vector<std::string> texts(std::string_view key);  // none by default

  // Left out: nullopt, and nothing is recorded.
  std::optional<std::string> optional_text(std::string_view key);
  std::optional<std::int64_t> optional_integer(std::string_view key,
                                               const IntegerRange& range = {});
  std::optional<double> optional_number(std::string_view key, const NumberRange& range = {});
  std::optional<bool> optional_boolean(std::string_view key);
  std::optional<Milliseconds> optional_duration(std::string_view key,
                                                const DurationRange& range = {});
  std::optional<std::uint64_t> optional_bytes(std::string_view key, const BytesRange& range = {});

  // Left out: an error, and an empty value.
  std::string required_text(std::string_view key);
  std::vector<std::string> required_texts(std::string_view key);
  std::vector<double> numbers(std::string_view key);  // none by default

  // One of several names; a wrong one is reported with the nearest and all that are legal.
  template <class E, std::size_t N>
  E choice(std::string_view key, E fallback, const std::array<Choice<E>, N>& choices) {
    std::array<std::string_view, N> names;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < N; ++i) {
      names[i] = choices[i].name;
      if (choices[i].value == fallback) chosen = i;
    }
    return choices[choice_index(key, chosen, names)].value;
  }

  // What stands below a key.
  MapReader map(std::string_view key);
  std::vector<NodePtr> items(std::string_view key);            // of a list
  const std::vector<MapEntry>* entries(std::string_view key);  // of a map; nullptr when left out

  // Any value as it stands; nullptr when left out. Nothing is recorded but that the key is known.
  const Node* raw(std::string_view key);

  // Where the value of `key` stands; where the map does when the key is left out.
  Position where(std::string_view key) const;
  Position where() const;
  const std::string& path() const { return path_; }
  Reading& reading() { return *reading_; }

  // Reports an error at the value of `key`.
  void error(std::string_view key, const std::string& message);

  // Takes the key as known without reading it (it is reported elsewhere).
  void known(std::string_view key);

  // Reports every key that no get named, with the nearest that one did.
  void finish();

 private:
  const Node* lookup(std::string_view key);
  const Node* scalar(std::string_view key, std::string_view expected);
  std::string path_of(std::string_view key) const;
  void keep(std::string_view key, std::string value, const Node& node);
  void keep_default(std::string_view key, std::string value);
  std::size_t choice_index(std::string_view key, std::size_t fallback,
                           std::span<const std::string_view> names);
  template <class T>
  std::optional<T> parsed(std::string_view key, std::string_view expected,
                          Result<T> (*parse)(std::string_view));

  const Node* node_;
  std::string path_;
  Reading* reading_;
  std::vector<std::string> asked_;
  bool finished_ = false;
};

// Texts of a list of scalars; a single text counts as a list of one. Errors go to the reading.
std::vector<std::string> texts_of(const Node& node, Reading& reading);

}  // namespace millrace::config
