#include "integration/watched.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "telemetry/metric_table.h"

namespace millrace::integration {

Watched::Watched(const Workplace& place, std::vector<std::string> arguments,
                 const Environment& environment) {
  arguments.insert(arguments.end(), {"--metrics-port", "0"});
  process_ = place.start(arguments, environment);
  const std::string words = "metrics on http://127.0.0.1:";
  const bool told = eventually([this, &words] {
    const std::string err = process_->err_so_far();
    const std::size_t at = err.find(words);
    if (at == std::string::npos || err.find('\n', at) == std::string::npos) return false;
    port_ = static_cast<std::uint16_t>(std::atoi(err.c_str() + at + words.size()));
    return true;
  });
  EXPECT_TRUE(told) << process_->err_so_far();
}

json::Value Watched::health() const {
  const auto answer = get("/health");
  auto body = json::parse(answer.body, "health").value_or(json::Value());
  body["http_status"] = answer.status;
  return body;
}

Exposition Watched::metrics() {
  const auto answer = get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  Exposition now = parse_exposition(answer.body);
  for (const auto& row : telemetry::metric_table()) {
    const std::string name(row.name);
    if (now.types.contains(name)) seen_[name].insert(now.sum(name));
  }
  return now;
}

}  // namespace millrace::integration
