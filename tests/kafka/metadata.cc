#include "kafka/metadata.h"

#include <array>
#include <cstdio>

#include "json/json.h"

namespace millrace::kafka_testing {

std::set<int> brokers_seen_from(const std::string& bootstrap, const std::string& more) {
  const std::string command = "kcat -L -J -m 5 -b " + bootstrap + " " + more + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "re");
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  if (::pclose(pipe) != 0) return {};
  std::set<int> ids;
  const auto parsed = json::parse(output, "kcat");
  if (!parsed) return ids;
  for (const json::Value& broker : parsed->at("brokers")) ids.insert(broker.at("id").get<int>());
  return ids;
}

}  // namespace millrace::kafka_testing
