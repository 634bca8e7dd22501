// Fits of ARIMA for check_arima.py and bench/peers/arima, which compare them with statsmodels'.
//   arima_fits TASKS.json ROUNDS > RESULTS.json
// TASKS: [{"name", "order": [p, d, q], "mean": bool, "series": [numbers, null = missing],
// "given": {"ar", "ma", "variance", "mean" or null}}, ...]. RESULTS: for each task our fit, what
// the filter says at our parameters and at the given ones, and the CPU time of a fit, ROUNDS times.
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "env/clock.h"
#include "env/file.h"
#include "json/json.h"
#include "series/arima.h"

namespace millrace::series {
namespace {

constexpr std::uint64_t kTasksBytesMax = 64 << 20;
constexpr int kSteps = 6;

std::vector<double> series_of(const json::Value& task) {
  std::vector<double> series;
  for (const json::Value& value : task["series"]) {
    series.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                     : value.get<double>());
  }
  return series;
}

ArimaParameters parameters_of(const json::Value& given) {
  ArimaParameters parameters{given["ar"], given["ma"], given["variance"], {}};
  if (!given["mean"].is_null()) parameters.mean = given["mean"].get<double>();
  return parameters;
}

json::Value to_json(const ArimaParameters& parameters) {
  json::Value out = {{"ar", parameters.ar}, {"ma", parameters.ma}};
  out["variance"] = parameters.variance;
  out["mean"] = parameters.mean ? json::Value(*parameters.mean) : json::Value();
  return out;
}

// Likelihood of the series at the parameters, and what comes next.
Result<json::Value> filtered(const ArimaOrder& order, const ArimaParameters& parameters,
                             const std::vector<double>& series) {
  MILLRACE_ASSIGN(ArimaFilter filter, ArimaFilter::make(order, parameters));
  filter.update(series);
  json::Value out = {{"log_likelihood", filter.log_likelihood()}};
  for (int step = 1; step <= kSteps; ++step) {
    const auto forecast = filter.forecast(step);
    if (!forecast) return Error(ErrorCode::kBadData, "the series is too short to forecast");
    out["forecasts"].push_back(forecast->mean);
    out["variances"].push_back(forecast->variance);
  }
  return out;
}

Result<json::Value> done(const json::Value& task, int rounds) {
  const std::vector<double> series = series_of(task);
  const ArimaOrder order{task["order"][0], task["order"][1], task["order"][2]};
  const ArimaMean mean = task["mean"].get<bool>() ? ArimaMean::kEstimate : ArimaMean::kNone;
  json::Value out = {{"name", task["name"]}};
  for (int round = 0; round < rounds; ++round) {
    const auto before = env::thread_cpu_time();
    MILLRACE_ASSIGN(const ArimaFit fit, fit_arima(series, order, mean));
    const auto spent = env::thread_cpu_time() - before;
    out["fit_ns"].push_back(spent.count());
    out["parameters"] = to_json(fit.parameters);
    out["evaluations"] = fit.evaluations;
    out["log_likelihood"] = fit.log_likelihood;
    MILLRACE_ASSIGN(out["fitted"], filtered(order, fit.parameters, series));
  }
  MILLRACE_ASSIGN(out["given"], filtered(order, parameters_of(task["given"]), series));
  return out;
}

Result<json::Value> run(const std::string& path, int rounds) {
  MILLRACE_ASSIGN(const std::string text, env::read_file(path, kTasksBytesMax));
  MILLRACE_ASSIGN(const json::Value tasks, json::parse(text, path));
  json::Value results = json::Value::array();
  for (const json::Value& task : tasks) {
    auto result = done(task, rounds);
    if (!result) return result.error().with_context(task["name"].get<std::string>());
    results.push_back(std::move(*result));
  }
  return results;
}

}  // namespace
}  // namespace millrace::series

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: arima_fits TASKS.json ROUNDS\n", stderr);
    return 2;
  }
  const auto results = millrace::series::run(argv[1], std::atoi(argv[2]));
  if (results) {
    std::puts(millrace::json::to_line(*results).c_str());
    return 0;
  }
  std::fprintf(stderr, "arima_fits: %s\n", results.error().message().c_str());
  return results.error().exit_code();
}
