#include "kafka/telco.h"

#include <gtest/gtest.h>

namespace millrace::kafka_testing {

std::vector<std::string> Telco::command(std::vector<std::string> words) const {
  words.insert(words.end(),
               {"--log", log_, "--set", "input.topic=" + topic("in"), "--set",
                "output.topic=" + topic("out"), "--set", "dead_letter.topic=" + topic("dead"),
                "--set", "group=" + topic("group")});
  return words;
}

std::vector<json::Value> Telco::dump(const std::string& name) const {
  const integration::Finished dumped = place_.run({"topics", "dump", topic(name), "--log", log_});
  EXPECT_EQ(dumped.exit_code, 0) << dumped.err;
  return dumped.json_lines();
}

void Telco::create() const {
  const integration::Finished created = run({"topics", "create", "telco-churn"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
}

void Telco::produce(int rows, int seed) const {
  const std::string file = "in" + std::to_string(seed) + ".ndjson";
  place_.write(file,
               place_.simulate(rows, {"--poison-rate", "0.02", "--seed", std::to_string(seed)}));
  const integration::Finished produced =
      run({"produce", "telco-churn", "--data", file, "--allow-invalid"});
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
}

}  // namespace millrace::kafka_testing
