// A command that serves metrics while it runs, and what it has served.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/testing/raw_client.h"
#include "integration/exposition.h"
#include "integration/program.h"

namespace millrace::integration {

// The command with --metrics-port 0, and its port.
class Watched {
 public:
  Watched(const Workplace& place, std::vector<std::string> arguments,
          const Environment& environment = {});

  Process& process() { return *process_; }
  std::uint16_t port() const { return port_; }
  http::testing::Answer get(const std::string& path) const {
    return http::testing::get(port_, path);
  }
  bool ready() const { return get("/ready").status == 200; }
  // The body of /health, with its status as http_status.
  json::Value health() const;
  Exposition metrics();
  // The different sums that metrics() has seen of each family.
  const std::map<std::string, std::set<double>>& seen() const { return seen_; }

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
  std::map<std::string, std::set<double>> seen_;
};

}  // namespace millrace::integration
