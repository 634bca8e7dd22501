#include "engine/forecast_digest.h"

#include <gtest/gtest.h>

#include <cmath>

namespace millrace::engine {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;
constexpr const char* kPipeline = R"(
version: 1
name: air
input: {topic: in, key: station, event_time: at}
output: {topic: out, key: station}
dead_letter: {topic: dead}
schema:
  station: {type: string}
  at: {type: timestamp}
  CO: {type: number}
target: {column: CO, horizon: 2, coverage: 0.8}
series: {step: 1h}
features:
  - {lag: [CO], steps: [0, 1]}
)";

class Digest : public testing::Test {
 protected:
  Digest() : digest_(pipeline()) {}

  static spec::Pipeline pipeline() {
    auto loaded = spec::parse_pipeline(kPipeline, "test.yaml", {});
    EXPECT_TRUE(loaded) << loaded.error().message();
    return std::move(loaded->pipeline);
  }

  // One reading; with an error where an earlier forecast is held against it.
  void read(const std::string& key, std::int64_t time, std::optional<double> error = {},
            bool has_value = true) {
    ScoredBatch batch;
    batch.records.resize(1);
    ScoredRecord& record = batch.records[0];
    record.outcome = Outcome::kPredicted;
    record.key_text = key;
    record.event_time = Timestamp(time);
    record.has_value = has_value;
    if (error) batch.compared.push_back({0, 5, 1, *error, std::abs(*error) <= 1});
    digest_.on_scored({}, {}, batch);
  }
  data::ForecastFigures committed() {
    digest_.on_committed({}, {});
    return digest_.figures();
  }

  ForecastDigest digest_;
};

TEST_F(Digest, CountsByKeyAndOverTime) {
  read("a", 0, {}, false);
  read("a", kHour, 0.5);
  read("b", kHour, -2);
  read("a", 5 * kHour, 1.5);
  const data::ForecastFigures f = committed();
  EXPECT_EQ(f.horizon, 2U);
  EXPECT_EQ(f.coverage, 0.8);
  EXPECT_EQ(f.first, Timestamp(0));
  EXPECT_EQ(f.last, Timestamp(5 * kHour));
  ASSERT_EQ(f.keys.size(), 2U);
  EXPECT_EQ(f.keys[0].key, "a");
  EXPECT_EQ(f.keys[0].readings, 3U);
  EXPECT_EQ(f.keys[0].warming_up, 1U);
  EXPECT_EQ(f.keys[0].score.mae(), 1.0);
  EXPECT_EQ(f.keys[0].score.bias(), 1.0);
  EXPECT_EQ(f.keys[0].score.coverage(), 0.5);
  EXPECT_EQ(f.keys[1].score.bias(), -2);
  ASSERT_EQ(f.spans.size(), 5U);
  EXPECT_EQ(f.spans_from, Timestamp(kHour));
  EXPECT_EQ(f.spans[0].compared, 2U);
  EXPECT_EQ(f.spans[1].compared, 0U);
  EXPECT_EQ(f.spans[4].mae(), 1.5);
  ASSERT_EQ(f.course.size(), 2U);
  EXPECT_EQ(f.course_key, "a");
  EXPECT_EQ(f.course[0].measured, 4.5);
}

TEST_F(Digest, WhatWasAbortedIsNotCounted) {
  read("a", 0, 1);
  EXPECT_EQ(committed().keys[0].readings, 1U);
  read("b", kHour, 1);
  digest_.on_forgotten();
  EXPECT_EQ(digest_.figures().keys.size(), 1U);
  read("b", kHour, 1);
  EXPECT_EQ(committed().keys[1].readings, 1U);
}

TEST_F(Digest, MemoryIsBoundedWhateverComes) {
  constexpr int kMany = 3000;
  for (int i = 0; i < kMany; ++i) {
    read("k" + std::to_string(i), i * kDay, 0.25);
    read("k0", i * kDay + kHour, 0.25);
    digest_.on_committed({}, {});
  }
  const data::ForecastFigures f = digest_.figures();
  EXPECT_EQ(f.keys.size(), ForecastDigest::kKeysMax);
  EXPECT_EQ(f.others.readings, kMany - ForecastDigest::kKeysMax);
  EXPECT_LE(f.spans.size(), ForecastDigest::kSpansMax);
  EXPECT_GT(f.spans.size(), 16U);
  EXPECT_EQ(f.span.count() % (7 * kDay), 0);
  EXPECT_EQ(f.course.size(), ForecastDigest::kCourseMax);
  EXPECT_EQ(f.course.back().time, Timestamp((kMany - 1) * kDay + kHour));
  EXPECT_LT(f.course.front().time, f.course.back().time);
  std::uint64_t compared = 0;
  for (const data::ForecastScore& score : f.spans) compared += score.compared;
  EXPECT_EQ(compared, 2U * kMany);
}

TEST_F(Digest, TimesBefore1970AreSpansLikeOthers) {
  for (int i = -400; i < 400; ++i) read("a", i * kHour, 0);
  const data::ForecastFigures f = committed();
  EXPECT_LE(f.spans_from, Timestamp(-400 * kHour));
  std::uint64_t compared = 0;
  for (const data::ForecastScore& score : f.spans) compared += score.compared;
  EXPECT_EQ(compared, 800U);
}

}  // namespace
}  // namespace millrace::engine
