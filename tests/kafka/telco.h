// telco-churn on topics of its own, for tests that run the program against a broker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/random.h"
#include "integration/once_oracle.h"
#include "integration/program.h"
#include "json/json.h"

namespace millrace::kafka_testing {

// A working folder with a trained model, and names that no other test has.
class Telco {
 public:
  explicit Telco(const std::string& bootstrap) : log_("kafka://" + bootstrap) {
    place_.train_telco();
  }

  const integration::Workplace& place() const { return place_; }
  const std::string& log() const { return log_; }
  std::string topic(const std::string& name) const { return prefix_ + "." + name; }

  std::vector<std::string> command(std::vector<std::string> words) const;
  integration::Finished run(const std::vector<std::string>& words,
                            const integration::Environment& environment = {}) const {
    return place_.run(command(words), environment);
  }
  std::unique_ptr<integration::Process> start(const std::vector<std::string>& words) const {
    return place_.start(command(words));
  }
  // What stands on the topic `name` ("in", "out", "dead").
  std::vector<json::Value> dump(const std::string& name) const;
  std::size_t outputs() const { return dump("out").size() + dump("dead").size(); }
  // Makes the topics.
  void create() const;
  // `rows` customers onto the input topic, some of them broken. The seed makes them others.
  void produce(int rows, int seed = 42) const;
  void expect_each_once() const {
    integration::expect_each_once(dump("in"), dump("out"), dump("dead"));
  }

 private:
  std::string log_;
  std::string prefix_ = "t" + env::random_hex(6);
  integration::Workplace place_;
};

}  // namespace millrace::kafka_testing
