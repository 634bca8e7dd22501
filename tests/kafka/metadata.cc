#include "kafka/metadata.h"

#include "json/json.h"
#include "kafka/command.h"

namespace millrace::kafka_testing {

std::set<int> brokers_seen_from(const std::string& bootstrap, const std::string& more) {
  // What it says of brokers that are away is no part of the answer.
  const std::string command = "kcat -L -J -m 5 -b " + bootstrap + " " + more + " 2>/dev/null";
  const CommandResult result = run_command(command);
  if (result.exit_code != 0) return {};
  std::set<int> ids;
  const auto parsed = json::parse(result.output, "kcat");
  if (!parsed) return ids;
  for (const json::Value& broker : parsed->at("brokers")) ids.insert(broker.at("id").get<int>());
  return ids;
}

bool sees_brokers(const std::string& bootstrap, const std::set<int>& ids, const std::string& more) {
  constexpr int kLooks = 12;
  for (int look = 0; look < kLooks; ++look) {
    if (brokers_seen_from(bootstrap, more) == ids) return true;
  }
  return false;
}

}  // namespace millrace::kafka_testing
