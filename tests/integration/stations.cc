#include "integration/stations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "env/clock.h"
#include "env/random.h"

namespace millrace::integration {

std::string station_readings(int stations, int hours, std::uint64_t seed, int first, double shift) {
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kBegin = 1'078'941'600'000;  // 2004-03-10T18:00:00Z
  constexpr double kMissing = 0.05;
  env::Random random(seed);
  std::vector<double> level(static_cast<std::size_t>(stations), 0);
  std::vector<std::size_t> order(level.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::string out;
  for (int hour = first; hour < first + hours; ++hour) {
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1],
                order[static_cast<std::size_t>(random.uniform() * static_cast<double>(i))]);
    for (const std::size_t station : order) {
      level[station] = 0.9 * level[station] + 0.3 * random.normal();
      const double day = std::sin(2 * std::numbers::pi * hour / 24);
      json::Value row;
      row["station"] = "s" + std::to_string(station);
      row["event_ts"] = env::format_rfc3339(Timestamp(kBegin + hour * kHourMs));
      const double co = std::max(0.1, 2 + day + level[station]);
      row["CO"] = random.uniform() < kMissing ? -200 : co;
      row["NOx"] = 100 * co + 10 * random.normal() + 50;
      row["NO2"] = 50 + 20 * day + shift + 5 * random.normal();
      row["Benzene"] = random.uniform() < kMissing ? json::Value() : json::Value(4 * co);
      out += json::to_line(row) + "\n";
    }
  }
  return out;
}

std::vector<std::string> with(std::vector<std::string> words,
                              const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> small_model() {
  return {"--set", "model.trees=20", "--set", "model.depth=3", "--set", "drift.window=2d"};
}

Forecasts forecasts_in(const std::vector<json::Value>& messages) {
  Forecasts out;
  for (const json::Value& message : messages) {
    json::Value value = *json::parse(message["value"].get<std::string>(), "forecast");
    value.erase("processed_ts");
    value.erase("inference_latency_ms");
    const auto place =
        std::pair(value["station"].get<std::string>(), value["event_ts"].get<std::string>());
    EXPECT_TRUE(out.emplace(place, json::to_line(value)).second)
        << "two forecasts of " << place.first << " at " << place.second;
  }
  return out;
}

}  // namespace millrace::integration
