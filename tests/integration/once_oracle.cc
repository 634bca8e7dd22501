#include "integration/once_oracle.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace millrace::integration {

void expect_each_once(const std::vector<json::Value>& inputs,
                      const std::vector<json::Value>& predictions,
                      const std::vector<json::Value>& dead_letters) {
  ASSERT_EQ(predictions.size() + dead_letters.size(), inputs.size());
  std::set<std::string> seen;
  for (const json::Value& letter : dead_letters) {
    std::string source;
    for (const json::Value& header : letter["headers"]) {
      if (header[0] == "__millrace.errors.partition" || header[0] == "__millrace.errors.offset") {
        source += header[1].get<std::string>() + "/";
      }
    }
    EXPECT_TRUE(seen.insert(source).second) << "dead letter twice: " << source;
  }
  // Order per key: keys of a partition come out as they went in.
  std::map<int, std::vector<std::string>> in_order;
  std::map<int, std::vector<std::string>> out_order;
  std::set<std::string> predicted;
  for (const json::Value& message : predictions) {
    const auto key = message["key"].get<std::string>();
    EXPECT_TRUE(predicted.insert(key).second) << "predicted twice: " << key;
    out_order[message["partition"].get<int>()].push_back(key);
  }
  for (const json::Value& message : inputs) {
    if (message["key"].is_string() && predicted.contains(message["key"].get<std::string>())) {
      in_order[message["partition"].get<int>()].push_back(message["key"].get<std::string>());
    }
  }
  EXPECT_EQ(out_order, in_order);
}

}  // namespace millrace::integration
