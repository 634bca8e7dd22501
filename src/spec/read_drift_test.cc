#include <gtest/gtest.h>

#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

constexpr const char* kHead = R"(version: 1
name: small
input: {event_time: at}
schema:
  a: {type: number}
  at: {type: timestamp}
  left: {type: category, values: ['No', 'Yes'], label: true}
features:
  - {numeric: [a]}
)";

Result<LoadedPipeline> parse(const std::string& drift) {
  return parse_pipeline(kHead + drift, "p.yaml");
}

TEST(DriftSection, IsOptional) {
  const auto loaded = parse("");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_FALSE(loaded->pipeline.drift.has_value());
}

TEST(DriftSection, HasDefaults) {
  const auto loaded = parse("drift: {}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const DriftSpec& drift = loaded->pipeline.drift.value();
  EXPECT_EQ(to_string(drift.window), "7d");
  EXPECT_TRUE(drift.features.empty());
  EXPECT_EQ(drift.score, DriftSpec::Score::kWatched);
  EXPECT_EQ(drift.monitor.raise_after, 1U);
  EXPECT_EQ(drift.monitor.clear_after, 2U);
  for (const bool asked : drift.monitor.statistics) EXPECT_TRUE(asked);
}

TEST(DriftSection, IsReadAsWritten) {
  const auto loaded = parse(
      "drift: {window_records: 500, features: a, statistics: [psi, relation_shift], score: false,"
      " lateness: 2h, raise_after: 3, clear_after: 4}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const DriftSpec& drift = loaded->pipeline.drift.value();
  EXPECT_EQ(to_string(drift.window), "500 records");
  EXPECT_EQ(drift.features, std::vector<std::string>{"a"});
  EXPECT_EQ(drift.score, DriftSpec::Score::kIgnored);
  EXPECT_EQ(drift.monitor.statistics,
            (std::array<bool, drift::kStatistics>{true, false, false, false, false, true}));
  EXPECT_EQ(drift.monitor.lateness, Milliseconds(7'200'000));
  EXPECT_EQ(drift.monitor.raise_after, 3U);
  EXPECT_EQ(drift.monitor.clear_after, 4U);
}

TEST(DriftSection, AllMeansAll) {
  const auto loaded = parse("drift: {features: all, statistics: all}\n");
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_TRUE(loaded->pipeline.drift->features.empty());
  EXPECT_TRUE(loaded->pipeline.drift->monitor.statistics.at(0));
}

TEST(DriftSection, SaysWhatIsWrong) {
  const auto problem = [](const std::string& drift) {
    const auto loaded = parse(drift);
    EXPECT_FALSE(loaded) << drift;
    return loaded ? std::string() : loaded.error().message();
  };
  EXPECT_NE(problem("drift: {statistics: [kss]}\n").find("did you mean 'ks'"), std::string::npos);
  EXPECT_NE(problem("drift: {window: 1d, window_records: 50}\n").find("not both"),
            std::string::npos);
  EXPECT_NE(problem("drift: {windw: 1d}\n").find("did you mean 'window'"), std::string::npos);
  EXPECT_NE(problem("drift: {raise_after: 0}\n").find("raise_after"), std::string::npos);
  const auto timeless = parse_pipeline(
      "version: 1\nname: small\nschema:\n  a: {type: number}\n"
      "  left: {type: category, values: ['No', 'Yes'], label: true}\n"
      "features:\n  - {numeric: [a]}\ndrift: {}\n",
      "p.yaml");
  ASSERT_FALSE(timeless);
  EXPECT_NE(timeless.error().message().find("drift.window_records"), std::string::npos);
}

}  // namespace
}  // namespace millrace::spec
