#include "spec/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "env/file.h"
#include "spec/internal/sections.h"
#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

// Holds every section and operator, so that every key is asked for.
constexpr const char* kEverything = R"(version: 1
name: small
input: {event_time: t}
schema:
  a: {type: number}
  b: {type: number}
  c: {type: category, values: [x, y]}
  d: {type: category, values: [x, y]}
  e: {type: number}
  t: {type: timestamp}
  left: {type: category, values: ['No', 'Yes'], label: true}
features:
  - {numeric: [a]}
  - {impute: [b], with: constant, value: 1}
  - {one_hot: [c]}
  - {ordinal: [d]}
  - {standardize: [e]}
drift: {}
)";

// The same for what needs a target.
constexpr const char* kForecast = R"(version: 1
name: small
input: {event_time: t, key: s}
schema:
  s: {type: string}
  a: {type: number}
  b: {type: number}
  t: {type: timestamp}
target: {column: a}
series: {evict_after: 2d}
features:
  - {impute: [a], with: seasonal, season: 24, limit: 3}
  - {clip: [b], min: 0, max: 1}
  - {numeric: [a, b]}
  - {lag: [a], steps: [1]}
  - {difference: [a], steps: [1]}
  - {ema: [a], spans: [3]}
  - {rolling: [a], windows: [3], statistics: [mean]}
  - {slope: [a], windows: [3]}
  - {interact: [a, b]}
  - {min_max: [b], min: 0, max: 1}
  - {calendar: [hour]}
)";

// `schema.a.type` is `schema.FIELD.type`, `features[2].drop` is `features[].drop`.
std::string general(const std::string& path) {
  if (path.rfind("schema.", 0) == 0) return "schema.FIELD." + path.substr(path.rfind('.') + 1);
  if (path.rfind("features[", 0) == 0) return "features[]" + path.substr(path.find(']') + 1);
  return path;
}

std::set<std::string> asked_keys() {
  std::set<std::string> asked;
  for (const char* const file : {kEverything, kForecast}) {
    const auto root = config::load_yaml(file, "p.yaml");
    EXPECT_TRUE(root);
    Pipeline pipeline;
    config::Reading reading;
    internal::read_pipeline(**root, pipeline, reading);
    EXPECT_TRUE(reading.ok()) << reading.status().error().message();
    for (const std::string& path : reading.asked()) asked.insert(general(path));
  }
  // Sections are no keys of their own.
  std::set<std::string> sections;
  for (const std::string& path : asked) {
    for (std::size_t dot = path.find('.'); dot != std::string::npos;
         dot = path.find('.', dot + 1)) {
      sections.insert(path.substr(0, dot));
    }
  }
  for (const std::string& section : sections) asked.erase(section);
  asked.erase("features");
  return asked;
}

TEST(PipelineReference, ListsExactlyTheKeysThatAreRead) {
  std::set<std::string> listed;
  for (const KeyDoc& key : pipeline_keys()) {
    EXPECT_TRUE(listed.insert(std::string(key.path)).second) << key.path << " is listed twice";
    EXPECT_FALSE(key.type.empty() || key.meaning.empty()) << key.path;
  }
  std::set<std::string> read = asked_keys();
  read.insert("features[].standardise");  // the second spelling of one operator
  EXPECT_THAT(listed, ::testing::ContainerEq(read));
}

TEST(PipelineReference, DefaultsAreThoseOfAFileThatSaysNothing) {
  const auto loaded = parse_pipeline(kEverything, "p.yaml");
  ASSERT_TRUE(loaded) << loaded.error().message();
  std::map<std::string, std::string> defaults;
  for (const Provenance& row : loaded->provenance) {
    if (row.origin != "default" || general(row.path).find("features") == 0) continue;
    const bool from_name = row.value.rfind("small", 0) == 0;
    defaults[general(row.path)] = from_name ? "NAME" + row.value.substr(5) : row.value;
  }
  EXPECT_GT(defaults.size(), 50U);
  for (const KeyDoc& key : pipeline_keys()) {
    // Made from another value: the meaning says which.
    if (key.meaning.find("efault is") != std::string_view::npos) continue;
    const auto found = defaults.find(std::string(key.path));
    if (found == defaults.end()) {
      EXPECT_TRUE(key.fallback.empty() || key.fallback == "required") << key.path;
    } else {
      EXPECT_EQ(key.fallback, found->second) << key.path;
    }
  }
}

TEST(PipelineReference, ThePageIsMadeOfTheTable) {
  const char* root = std::getenv("MILLRACE_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "run through ctest, or set MILLRACE_SOURCE_DIR";
  const env::Path path = env::Path(root) / "docs/reference/pipeline.md";
  if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(env::make_folders(path.parent_path()));
    ASSERT_TRUE(env::write_file_atomic(path, pipeline_reference()));
  }
  const auto kept = env::read_file(path, 1 << 20);
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_EQ(*kept, pipeline_reference()) << "MILLRACE_UPDATE_GOLDEN=1 writes it anew";
}

}  // namespace
}  // namespace millrace::spec
