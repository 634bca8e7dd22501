// `make chaos`: the whole plan, with tables on standard output. Exit code 1 when a promise was
// broken.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "kafka/chaos/chaos.h"

namespace {

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

int main() {
  using millrace::kafka_testing::Chaos;
  using millrace::kafka_testing::long_plan;
  const auto seed = std::stoull(environment("CHAOS_SEED", "1"));
  auto plan = long_plan(seed, std::stoi(environment("CHAOS_MESSAGES", "100000")));
  plan.version = environment("CHAOS_KAFKA", plan.version);
  const std::string only = environment("CHAOS_ONLY", "");
  std::erase_if(plan.phases,
                [&](const auto& phase) { return phase.name.find(only) == std::string::npos; });
  std::fprintf(stderr, "chaos: seed %llu, %d rows, Kafka %s\n", seed, plan.rows(),
               plan.version.c_str());
  Chaos chaos(plan);
  const auto report = chaos.run();
  std::fputs(report.text().c_str(), stdout);
  return report.good() ? 0 : 1;
}
