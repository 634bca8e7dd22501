#include "exposition.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <sstream>

namespace millrace::integration {
namespace {

std::string name_of(const std::string& series) { return series.substr(0, series.find('{')); }

// The family that a sample's name belongs to.
std::string family_of(const std::string& name, const std::map<std::string, std::string>& types) {
  if (types.contains(name)) return name;
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const auto found = types.find(name.substr(0, name.size() - suffix.size()));
    if (found != types.end() && (found->second == "histogram" || found->second == "summary")) {
      return found->first;
    }
  }
  return "";
}

struct Sample {
  std::string name;
  std::string series;  // with its labels
  double value = 0;
};

bool is_name(const std::string& text) {
  return !text.empty() && (text[0] < '0' || text[0] > '9') &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789") ==
             std::string::npos;
}

// The end of the labels that begin at `at` with '{', nothing where they are malformed.
std::optional<std::size_t> end_of_labels(const std::string& line, std::size_t at) {
  while (line[at] != '}') {
    ++at;  // '{' or ','
    const std::size_t equals = line.find("=\"", at);
    if (equals == std::string::npos || !is_name(line.substr(at, equals - at))) return std::nullopt;
    at = equals + 2;
    while (at < line.size() && line[at] != '"') at += line[at] == '\\' ? 2 : 1;
    ++at;
    if (at >= line.size() || (line[at] != ',' && line[at] != '}')) return std::nullopt;
  }
  return at + 1;
}

// "name{labels} value".
std::optional<Sample> parse_sample(const std::string& line) {
  Sample sample;
  std::size_t at = line.find_first_of("{ ");
  if (at == std::string::npos) return std::nullopt;
  sample.name = line.substr(0, at);
  if (!is_name(sample.name)) return std::nullopt;
  if (line[at] == '{') {
    const auto end = end_of_labels(line, at);
    if (!end) return std::nullopt;
    at = *end;
  }
  sample.series = line.substr(0, at);
  if (at + 1 >= line.size() || line[at] != ' ') return std::nullopt;
  char* end = nullptr;
  sample.value = std::strtod(line.c_str() + at + 1, &end);
  return *end == '\0' ? std::optional(sample) : std::nullopt;
}

}  // namespace

double Exposition::value(const std::string& series) const {
  const auto found = samples.find(series);
  return found == samples.end() ? 0 : found->second;
}

double Exposition::sum(const std::string& family) const {
  const auto type = types.find(family);
  const bool counted =
      type != types.end() && (type->second == "histogram" || type->second == "summary");
  const std::string name = counted ? family + "_count" : family;
  double sum = 0;
  for (const auto& [series, value] : samples) {
    if (name_of(series) == name) sum += value;
  }
  return sum;
}

Exposition parse_exposition(const std::string& text) {
  Exposition exposition;
  std::istringstream lines(text);
  std::string family;
  double last_bucket = 0;
  EXPECT_TRUE(text.ends_with('\n'));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) continue;
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(std::string("# TYPE ").size()));
      std::string type;
      words >> family >> type;
      EXPECT_TRUE(exposition.types.emplace(family, type).second) << family << " in pieces";
      EXPECT_EQ(type == "counter", family.ends_with("_total")) << family;
      continue;
    }
    const auto sample = parse_sample(line);
    if (!sample) {
      ADD_FAILURE() << "no sample: " << line;
      continue;
    }
    const auto& [name, series, value] = *sample;
    EXPECT_EQ(family_of(name, exposition.types), family) << line;
    EXPECT_TRUE(exposition.samples.emplace(series, value).second) << "twice: " << series;
    if (name.ends_with("_bucket")) {
      EXPECT_GE(value, last_bucket) << line;
      last_bucket = series.find("le=\"+Inf\"") == std::string::npos ? value : 0;
    }
  }
  return exposition;
}

}  // namespace millrace::integration
