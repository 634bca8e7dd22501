// What training reads from a file and what the stream makes of the same readings, bit for bit,
// whatever becomes of the state on the way.
#include "engine/forecast_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "codec/record_decoder.h"
#include "engine/series_table.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/random.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::engine {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr int kKeys = 7;
constexpr int kHours = 300;

constexpr const char* kPipeline = R"(
version: 1
name: air
input: {topic: in, partitions: 3, key: station, event_time: at}
output: {topic: out}
dead_letter: {topic: dead}
schema:
  station: {type: string}
  at: {type: timestamp}
  CO: {type: number, null: missing}
  NOx: {type: number, null: missing}
target: {column: CO, horizon: 2}
series: {step: 1h, evict_after: 5d}
features:
  - {impute: [CO, NOx], with: carry_forward}
  - {lag: [CO, NOx], steps: [0, 1, 24]}
  - {difference: [CO], steps: [1]}
  - {rolling: [CO, NOx], windows: [3, 24], statistics: [mean, std, min, max]}
  - {ema: [CO, NOx], spans: [3, 12]}
  - {slope: [CO], windows: [6]}
  - {interact: [CO_lag_1, NOx_lag_1]}
  - {calendar: [hour, hour_sin]}
model: {objective: regression}
)";

struct Row {
  std::string key;
  std::int64_t time_ms = 0;
  std::string line;
  using Place = std::pair<std::string, std::int64_t>;
  Place place() const { return {key, time_ms}; }
};

// Each key's hours in order; the keys of an hour in any. Values missing, hours missing, and now and
// then a silence that is longer than a key is remembered for.
std::vector<Row> random_rows(env::Random& random) {
  std::vector<Row> rows;
  std::map<int, int> silent_until;
  for (int hour = 0; hour < kHours; ++hour) {
    std::vector<int> keys;
    for (int key = 0; key < kKeys; ++key) {
      if (random.below(200) == 0) silent_until[key] = hour + static_cast<int>(random.below(200));
      if (hour >= silent_until[key] && random.below(10) > 0) keys.push_back(key);
    }
    for (std::size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[random.below(i)]);
    for (const int key : keys) {
      Row row;
      row.key = "s" + std::to_string(key);
      row.time_ms = hour * kHour;
      json::Value value = {{"station", row.key},
                           {"at", env::format_rfc3339(Timestamp(row.time_ms))},
                           {"CO", nullptr},
                           {"NOx", nullptr}};
      if (random.below(8) > 0) value["CO"] = random.uniform() * 10;
      if (random.below(8) > 0) value["NOx"] = random.uniform() * 300;
      row.line = json::to_line(value);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

using Bits = std::vector<std::uint64_t>;
using Features = std::map<Row::Place, Bits>;

// NaN is equal to itself here.
Bits bits_of(std::span<const double> values) {
  Bits out;
  for (const double each : values) out.push_back(std::bit_cast<std::uint64_t>(each));
  return out;
}

class World {
 public:
  World() : pipeline_(spec::parse_pipeline(kPipeline, "test.yaml", {})->pipeline) {
    const auto transform = features::SeriesTransform::make(pipeline_.series.plan, pipeline_.schema);
    EXPECT_TRUE(transform);
    model_.manifest.feature_fingerprint = transform->fingerprint();
    model_.manifest.forecast = {{"target", "CO"},   {"horizon", 2},
                                {"step_ms", kHour}, {"predict", "change"},
                                {"coverage", 0.9},  {"interval_half_width", 1.0}};
    model::TreeEnsemble ensemble;
    ensemble.features = transform->columns();
    model_.ensemble = std::make_shared<const model::TreeEnsemble>(ensemble);
    auto path = ForecastPath::make(pipeline_, model_);
    EXPECT_TRUE(path) << path.error().message();
    path_ = std::make_unique<ForecastPath>(std::move(*path));
  }

  Features of_file(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) text += row.line + "\n";
    const env::Path file = folder_.path() / "rows.ndjson";
    EXPECT_TRUE(env::write_file_atomic(file, text));
    env::StopToken stop;
    const auto table = read_series_table(pipeline_, path_->transform(), file.string(), stop);
    EXPECT_TRUE(table) << table.error().message();
    EXPECT_EQ(table->rows(), rows.size());
    Features out;
    for (std::size_t i = 0; i < rows.size(); ++i)
      out[rows[i].place()] = bits_of(table->features.row(i));
    return out;
  }

  // Rows in commits of random size on random partitions. A commit may be aborted and done again,
  // its batch ahead with it; a partition may be read anew by another process, from what was kept.
  Features of_stream(const std::vector<Row>& rows, env::Random& random) {
    std::map<std::string, std::size_t> partition_of;
    for (int key = 0; key < kKeys; ++key) partition_of["s" + std::to_string(key)] = random.below(3);
    std::vector<KeyedState> partitions(3, empty());
    Features out;
    std::size_t at = 0;
    while (at < rows.size()) {
      const std::size_t end = std::min(rows.size(), at + 1 + random.below(60));
      take(rows, at, end, partition_of, partitions, out);
      for (KeyedState& state : partitions) state.freeze();
      const std::size_t ahead = std::min(rows.size(), end + random.below(20));
      Features not_committed;
      take(rows, end, ahead, partition_of, partitions, not_committed);
      if (random.below(4) == 0) {
        for (KeyedState& state : partitions) state.roll_back();
        continue;  // the same rows again
      }
      for (KeyedState& state : partitions) {
        state.roll_back_ahead();
        state.settle();
        state.evict();
        if (random.below(5) == 0) state = moved(state);
      }
      at = end;
    }
    return out;
  }

 private:
  KeyedState empty() const {
    return {path_->state_doubles(), {pipeline_.series.keys_max, pipeline_.series.evict_after}};
  }

  KeyedState moved(const KeyedState& from) const {
    KeyedState to = empty();
    from.every([&](const KeyedState::Entry& entry) { to.load(entry); });
    to.loaded();
    return to;
  }

  void take(const std::vector<Row>& rows, std::size_t begin, std::size_t end,
            const std::map<std::string, std::size_t>& partition_of,
            std::vector<KeyedState>& partitions, Features& out) {
    auto decoder = codec::RecordDecoder::make(pipeline_.schema, codec::Purpose::kScoring,
                                              pipeline_.input.decode_limits());
    ASSERT_TRUE(decoder);
    std::vector<data::Cell> cells(pipeline_.schema.size());
    std::vector<double> row(path_->transform().columns());
    for (std::size_t i = begin; i < end; ++i) {
      data::RecordErrors errors;
      ASSERT_TRUE(decoder->decode(rows[i].line, cells, errors)) << rows[i].line;
      log::Record record;
      record.offset = Offset(static_cast<std::int64_t>(i));
      record.key = rows[i].key;
      Reading reading;
      ASSERT_TRUE(path_->take(record, cells, partitions[partition_of.at(rows[i].key)], row, reading,
                              errors))
          << errors.front().message();
      (void)path_->forecast(reading, 0.5F, partitions[partition_of.at(rows[i].key)]);
      out[rows[i].place()] = bits_of(row);
    }
  }

  env::TemporaryFolder folder_ = *env::TemporaryFolder::make("forecast-path");
  spec::Pipeline pipeline_;
  model::LoadedModel model_;
  std::unique_ptr<ForecastPath> path_;
};

TEST(ForecastPath, TheStreamMakesTheFeaturesOfTheFileToTheBit) {
  World world;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    env::Random random(seed);
    const std::vector<Row> rows = random_rows(random);
    const Features file = world.of_file(rows);
    const Features stream = world.of_stream(rows, random);
    ASSERT_EQ(file.size(), rows.size());
    ASSERT_EQ(stream.size(), rows.size());
    for (const auto& [place, features] : file)
      ASSERT_EQ(features, stream.at(place))
          << "seed " << seed << ", " << place.first << " at hour " << place.second / kHour;
  }
}

}  // namespace
}  // namespace millrace::engine
