// millrace simulate PIPELINE: made-up records as NDJSON, without a log.
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "ingest/simulator.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string pipeline;
  std::int64_t count = 1000;
  std::int64_t seed = 42;
  std::optional<double> poison_rate;
  std::optional<std::int64_t> drift_after;
  std::optional<double> drift_sigma;
  std::vector<std::string> drift_fields;
  std::optional<std::int64_t> stations;
};

Result<int> run(Session& session, const Options& options) {
  MILLRACE_ASSIGN(const spec::LoadedPipeline loaded, session.load_pipeline(options.pipeline));
  const spec::Pipeline& p = loaded.pipeline;
  if (p.simulator.empty()) {
    return Error(ErrorCode::kNoInput, "pipeline '" + p.name + "' has no simulator.yaml beside it");
  }
  ingest::SimulatorOptions simulation;
  simulation.poison_rate = options.poison_rate.value_or(0);
  if (options.drift_after)
    simulation.drift_after = static_cast<std::uint64_t>(*options.drift_after);
  simulation.drift_sigma = options.drift_sigma;
  simulation.drift_fields = options.drift_fields;
  if (options.stations) simulation.stations = static_cast<std::uint64_t>(*options.stations);
  MILLRACE_ASSIGN(ingest::Simulator simulator,
                  ingest::Simulator::make(p.schema, p.simulator, "simulator.yaml", p.input.key,
                                          static_cast<std::uint64_t>(options.seed), simulation));
  std::string record;
  std::string key;
  std::int64_t made = 0;
  for (; made < options.count && !session.output_closed() && !session.stop().requested(); ++made) {
    simulator.next(record, key);
    MILLRACE_TRY(session.write(record + "\n"));
  }
  return session.stop().signal() != 0 ? 128 + session.stop().signal() : 0;
}

}  // namespace

void register_simulate(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("simulate", "Print made-up records as NDJSON, the same for the same seed",
               "millrace simulate telco-churn --count 5\n"
               "millrace simulate telco-churn --count 100000 --seed 7 > customers.ndjson\n"
               "millrace simulate air-quality --stations 5 --count 600          120 hours of five "
               "stations\n"
               "millrace simulate air-quality --count 1000 --drift-after 500 --drift-fields CO")
      .positional("pipeline", &options->pipeline, "Shipped name, folder, or file")
      .value("--count", &options->count, "Records", 0, INT64_MAX)
      .value("--seed", &options->seed, "Seed", 0, INT64_MAX)
      .value("--poison-rate", &options->poison_rate, "Share of broken records, 0 to 1")
      .value("--drift-after", &options->drift_after, "Records before the distribution moves", 0,
             INT64_MAX)
      .value(
          "--drift-sigma", &options->drift_sigma,
          "How far numbers move then, in standard deviations (default: what the simulator's file "
          "says, else 1)")
      .value("--drift-fields", &options->drift_fields,
             "Fields that move then, repeatable (default: all)")
      .value("--stations", &options->stations, "Of a series: how many stations", 1, 100'000)
      .prints_records()
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
