#include "exposition.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>
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
    if (found != types.end() && found->second == "histogram") return found->first;
  }
  return "";
}

}  // namespace

double Exposition::value(const std::string& series) const {
  const auto found = samples.find(series);
  return found == samples.end() ? 0 : found->second;
}

double Exposition::sum(const std::string& family) const {
  const auto type = types.find(family);
  const bool histogram = type != types.end() && type->second == "histogram";
  const std::string name = histogram ? family + "_count" : family;
  double sum = 0;
  for (const auto& [series, value] : samples) {
    if (name_of(series) == name) sum += value;
  }
  return sum;
}

Exposition parse_exposition(const std::string& text) {
  static const std::regex kSample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*")*\})? (\S+))re");
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
    std::smatch parts;
    if (!std::regex_match(line, parts, kSample)) {
      ADD_FAILURE() << "no sample: " << line;
      continue;
    }
    const std::string series = parts[1].str() + parts[2].str();
    char* end = nullptr;
    const double value = std::strtod(parts[3].str().c_str(), &end);
    EXPECT_EQ(family_of(parts[1].str(), exposition.types), family) << line;
    EXPECT_TRUE(exposition.samples.emplace(series, value).second) << "twice: " << series;
    if (parts[1].str().ends_with("_bucket")) {
      EXPECT_GE(value, last_bucket) << line;
      last_bucket = series.find("le=\"+Inf\"") == std::string::npos ? value : 0;
    }
  }
  return exposition;
}

}  // namespace millrace::integration
