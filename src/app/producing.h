// Setting up and running `produce`: shared by `produce` and `demo`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/monitoring.h"
#include "app/session.h"
#include "base/result.h"
#include "ingest/produce.h"
#include "json/fwd.h"

namespace millrace::app {

struct ProducingOptions {
  std::string data;
  std::string topic;
  std::string mode = "batch";
  std::optional<double> events_per_sec;
  std::int64_t batch_size = 10'000;
  std::optional<std::int64_t> count;
  std::string checkpoint_file;
  std::string key;
  std::int64_t seed = 42;
  std::optional<double> poison_rate;
  std::optional<std::int64_t> drift_after;
  std::optional<double> drift_sigma;
  std::vector<std::string> drift_fields;
  std::optional<std::int64_t> stations;
  bool restart = false;
  bool validate = false;
  bool allow_invalid = false;
  bool raw = false;
  bool dry_run = false;
  bool print = false;
  bool no_create_topics = false;
  MonitoringOptions monitoring;
};

// Errors: usage, and what ingest::produce() returns.
Result<ingest::ProduceSummary> run_producing(Session& session, const spec::Pipeline& pipeline,
                                             const ProducingOptions& given);

json::Value to_json(const ingest::ProduceSummary& summary);
std::string describe(const ingest::ProduceSummary& summary);

// Lists the bad rows on stderr, the first twenty.
void say_bad_rows(Session& session, const ingest::ProduceSummary& summary);

}  // namespace millrace::app
