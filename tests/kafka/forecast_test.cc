// Forecasts on a real broker: the state of keys is on a compacted topic, in the transaction of
// outputs and positions.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "env/random.h"
#include "integration/program.h"
#include "integration/stations.h"
#include "kafka/cluster.h"

namespace millrace::kafka_testing {
namespace {

using integration::Finished;

constexpr int kStations = 5;
constexpr int kHours = 300;

class Readings {
 public:
  explicit Readings(const std::string& bootstrap) : log_("kafka://" + bootstrap) {
    place_.write("readings.ndjson", integration::station_readings(kStations, kHours, 1));
    EXPECT_EQ(run({"train", "air-quality", "--data", "readings.ndjson"}).exit_code, 0);
    const Finished produced = run({"produce", "air-quality", "--data", "readings.ndjson"});
    EXPECT_EQ(produced.exit_code, 0) << produced.err;
  }
  Finished run(std::vector<std::string> words, const integration::Environment& more = {}) const {
    return place_.run(command(std::move(words)), more);
  }
  std::unique_ptr<integration::Process> start(std::vector<std::string> words) const {
    return place_.start(command(std::move(words)));
  }
  std::vector<std::string> score(const std::string& name) const {
    return {"score",
            "air-quality",
            "--mode",
            "batch",
            "--json",
            "--set",
            "commit.records=90",
            "--consumer-group",
            prefix_ + name,
            "--output-topic",
            prefix_ + name + "-out"};
  }
  integration::Forecasts forecasts(const std::string& name) const {
    const Finished dumped = run({"topics", "dump", prefix_ + name + "-out"});
    EXPECT_EQ(dumped.exit_code, 0) << dumped.err;
    return integration::forecasts_in(dumped.json_lines());
  }

 private:
  std::vector<std::string> command(std::vector<std::string> words) const {
    for (const std::string& word : integration::small_model()) words.push_back(word);
    words.insert(words.end(), {"--log", log_, "--set", "input.topic=" + prefix_ + "in", "--set",
                               "dead_letter.topic=" + prefix_ + "dead"});
    return words;
  }

  std::string log_;
  std::string prefix_ = "f" + env::random_hex(6);
  integration::Workplace place_;
};

TEST(Forecast, KilledAtEveryPointItGivesTheForecastsOfAnUninterruptedRun) {
  const auto cluster = Cluster::shared();
  const Readings readings(cluster->bootstrap());
  const Finished whole = readings.run(readings.score("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const auto run = [&](const integration::Environment& environment) {
    return readings.run(readings.score("killed"), environment);
  };
  std::vector<std::string> points = integration::kScoringPoints;
  points.insert(points.end(), {"log.before_positions", "log.after_positions"});
  EXPECT_GE(integration::kill_at(points, {2}, run), 5);
  const Finished last = run({});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  const auto forecasts = readings.forecasts("killed");
  EXPECT_EQ(forecasts.size(), static_cast<std::size_t>(kStations * kHours));
  EXPECT_EQ(forecasts, readings.forecasts("whole"));
}

TEST(Forecast, PartitionsThatMoveTakeTheirStateAlong) {
  const auto cluster = Cluster::shared();
  const Readings readings(cluster->bootstrap());
  ASSERT_EQ(readings.run(readings.score("whole")).exit_code, 0);
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<std::string> some = readings.score("moved");
    some.insert(some.end(), {"--max-messages", "300"});
    const auto one = readings.start(some);
    const auto two = readings.start(some);
    EXPECT_EQ(one->wait(120).exit_code, 0);
    EXPECT_EQ(two->wait(120).exit_code, 0);
  }
  // A window ends with the partitions it was given; a member that ended keeps its own for a while.
  EXPECT_TRUE(integration::eventually(
      [&] {
        const Finished last = readings.run(readings.score("moved"));
        EXPECT_EQ(last.exit_code, 0) << last.err;
        return readings.forecasts("moved").size() == static_cast<std::size_t>(kStations * kHours);
      },
      90));
  EXPECT_EQ(readings.forecasts("moved"), readings.forecasts("whole"));
}

}  // namespace
}  // namespace millrace::kafka_testing
