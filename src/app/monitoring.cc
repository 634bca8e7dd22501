#include "app/monitoring.h"

#include <unistd.h>

#include <utility>

#include "app/version.h"
#include "env/clock.h"
#include "json/json.h"

namespace millrace::app {
namespace {

using telemetry::Metric;
using telemetry::MetricNames;

std::vector<MetricNames> shown_by(const MonitoringOptions& options) {
  if (!options.port) return {};
  if (options.names == "reference") return {MetricNames::kReference};
  if (options.names == "both") return {MetricNames::kMillrace, MetricNames::kReference};
  return {MetricNames::kMillrace};
}

constexpr double kMsPerSecond = 1000;

http::Response json_response(int status, const json::Value& value) {
  return {status, "application/json", json::to_line(value) + "\n", {}};
}

bool passes(const std::vector<Readiness::Check>& checks, std::string_view name) {
  for (const Readiness::Check& check : checks) {
    if (check.name == name) return check.state == "pass";
  }
  return false;
}

}  // namespace

void declare_monitoring(Command& command, MonitoringOptions& options) {
  constexpr std::int64_t kPortMax = 65'535;
  command
      .value("--metrics-port", &options.port,
             "Serve /metrics, /health, /live and /ready on this port of 127.0.0.1 (0 = a free one, "
             "said on stderr)",
             0, kPortMax)
      .choice("--metrics-names", &options.names, {"millrace", "reference", "both"},
              "Names of the metrics: ours, or those of the reference's dashboards and alerts");
}

// ----------------------------------------------------------------------------------------------
// readiness

std::vector<log::ClientStatistics> Readiness::client_statistics() const {
  const std::lock_guard lock(mutex_);
  return log_ == nullptr ? std::vector<log::ClientStatistics>() : log_->statistics();
}

void Readiness::watch_log(const log::Log* log) {
  const std::lock_guard lock(mutex_);
  log_ = log;
}

void Readiness::watch_model(env::Path folder) {
  const std::lock_guard lock(mutex_);
  model_folder_ = std::move(folder);
}

void Readiness::starting(const Error& trouble) {
  const std::lock_guard lock(mutex_);
  starting_ = trouble;
}

void Readiness::started() {
  const std::lock_guard lock(mutex_);
  started_ = true;
  starting_.reset();
}

void Readiness::waiting(const Error& trouble) {
  const std::lock_guard lock(mutex_);
  waiting_ = trouble;
}

void Readiness::going_on() {
  const std::lock_guard lock(mutex_);
  waiting_.reset();
}

Readiness::Check Readiness::running() const {
  if (stop_->requested()) return {"running", "fail", "it is stopping"};
  if (starting_) return {"running", "fail", "it has not started yet: " + starting_->message()};
  if (!started_) return {"running", "fail", "it has not started yet"};
  if (waiting_) return {"running", "fail", "it waits: " + waiting_->message()};
  return {"running", "pass", ""};
}

Readiness::Check Readiness::broker() const {
  constexpr const char* kName = "broker_connection";
  if (log_ == nullptr) return {kName, "not_initialized", "the log is not open yet"};
  const Status reachable = log_->reachable();
  if (reachable || reachable.error().code() == ErrorCode::kDiskFull) return {kName, "pass", ""};
  return {kName, "fail", reachable.error().message()};
}

Readiness::Check Readiness::disk() const {
  if (log_ != nullptr) {
    const Status reachable = log_->reachable();
    if (!reachable && reachable.error().code() == ErrorCode::kDiskFull) {
      return {"disk", "fail", reachable.error().message()};
    }
  }
  for (const auto& trouble : {starting_, waiting_}) {
    if (trouble && trouble->code() == ErrorCode::kDiskFull) {
      return {"disk", "fail", trouble->message()};
    }
  }
  return {"disk", "pass", ""};
}

// The model stays in memory; without its folder the next start would fail, and somebody should
// know.
Readiness::Check Readiness::model() const {
  for (const char* name : {"manifest.json", "model.json"}) {
    const env::Path file = model_folder_ / name;
    if (::access(file.c_str(), R_OK) == 0) continue;
    return {"model_loaded", "fail", "the model's file '" + file.string() + "' cannot be read"};
  }
  return {"model_loaded", "pass", ""};
}

std::vector<Readiness::Check> Readiness::look() const {
  const std::lock_guard lock(mutex_);
  std::vector<Check> checks = {running(), broker(), disk()};
  if (!model_folder_.empty()) checks.push_back(model());
  return checks;
}

std::optional<std::string> Readiness::trouble_of(const std::vector<Check>& checks) {
  for (const Check& check : checks) {
    if (check.state != "pass") return check.reason;
  }
  return std::nullopt;
}

// ----------------------------------------------------------------------------------------------
// serving

Monitoring::Monitoring(Session& session, const MonitoringOptions& options, Monitored what)
    : session_(session),
      what_(std::move(what)),
      metrics_(shown_by(options)),
      readiness_(session.stop()) {}

Result<std::unique_ptr<Monitoring>> Monitoring::start(Session& session,
                                                      const MonitoringOptions& options,
                                                      Monitored what) {
  std::unique_ptr<Monitoring> monitoring(new Monitoring(session, options, std::move(what)));
  if (options.port) MILLRACE_TRY(monitoring->serve(static_cast<std::uint16_t>(*options.port)));
  return monitoring;
}

Status Monitoring::serve(std::uint16_t port) {
  const double now = static_cast<double>(session_.clock().now().value()) / kMsPerSecond;
  telemetry::watch_process(metrics_, now);
  metrics_.gauge(Metric::kBuildInfo, {kVersion}).set(1);
  metrics_.before_text([this] { collect(); });
  http::Router router;
  router
      .add(http::Method::kGet, "/metrics",
           [this](const http::Request&) {
             return http::Response{
                 200, std::string(telemetry::MetricRegistry::kContentType), metrics_.text(), {}};
           })
      .add(http::Method::kGet, "/health", [this](const http::Request&) { return health(); })
      .add(http::Method::kGet, "/ready", [this](const http::Request&) { return ready(); })
      .add(http::Method::kGet, "/live", [](const http::Request&) {
        return json_response(200, {{"status", "live"}});
      });
  http::ServerOptions options;
  options.port = port;
  options.on_answer = [this](const http::Answered& answered) { count_answer(answered); };
  auto server = http::Server::start(std::move(options), std::move(router), session_.clock());
  if (!server) return server.error().with_context("--metrics-port");
  server_ = std::move(*server);
  serving_ = server_.get();
  session_.say("metrics on " + server_->url() + "/metrics");
  return {};
}

// On the server's thread.
void Monitoring::collect() {
  const std::vector<Readiness::Check> checks = readiness_.look();
  const bool connected = passes(checks, "broker_connection") && passes(checks, "disk");
  metrics_.gauge(Metric::kReady).set(Readiness::trouble_of(checks) ? 0 : 1);
  metrics_.gauge(Metric::kLogReachable).set(connected ? 1 : 0);
  metrics_.gauge(Metric::kReferenceBrokerConnected).set(connected ? 1 : 0);
  if (!what_.model_backend.empty()) {
    const double loaded = passes(checks, "model_loaded") ? 1 : 0;
    metrics_.gauge(Metric::kModelLoaded).set(loaded);
    metrics_.gauge(Metric::kReferenceModelLoaded).set(loaded);
  }
  collect_clients();
  if (const http::Server* server = serving_; server != nullptr) {
    metrics_.gauge(Metric::kHttpConnections).set(static_cast<double>(server->connections()));
    metrics_.counter(Metric::kHttpConnectionsRefused)
        .raise_to(static_cast<double>(server->refused()));
  }
}

void Monitoring::collect_clients() {
  for (const log::ClientStatistics& now : readiness_.client_statistics()) {
    const std::string& client = now.client;
    const auto raise = [&](Metric metric, std::uint64_t count) {
      metrics_.counter(metric, {client}).raise_to(static_cast<double>(count));
    };
    raise(Metric::kClientRequests, now.requests);
    raise(Metric::kClientRequestTimeouts, now.request_timeouts);
    raise(Metric::kClientSentBytes, now.bytes_sent);
    raise(Metric::kClientReceivedBytes, now.bytes_received);
    metrics_.gauge(Metric::kClientQueued, {client}).set(static_cast<double>(now.queued_messages));
    for (const auto& [broker, took] : now.round_trips) {
      const std::string id = std::to_string(broker);
      metrics_.gauge(Metric::kClientRoundTrip, {client, id, "0.5"}).set(took.median_s);
      metrics_.gauge(Metric::kClientRoundTrip, {client, id, "0.99"}).set(took.p99_s);
    }
  }
}

void Monitoring::count_answer(const http::Answered& answered) {
  const std::string route(answered.route);
  metrics_
      .counter(Metric::kHttpRequests, {route, std::string(http::to_string(answered.method)),
                                       std::to_string(answered.status)})
      .add();
  metrics_.histogram(Metric::kHttpRequestDuration, {route})
      .observe(std::chrono::duration<double>(answered.took).count());
}

http::Response Monitoring::health() const {
  const std::vector<Readiness::Check> checks = readiness_.look();
  const std::optional<std::string> trouble = Readiness::trouble_of(checks);
  json::Value answer;
  answer["status"] = trouble ? "unhealthy" : "healthy";
  answer["timestamp"] = env::format_rfc3339(session_.clock().now());
  for (const Readiness::Check& check : checks) answer["checks"][check.name] = check.state;
  answer["error"] = trouble ? json::Value(*trouble) : json::Value();
  return json_response(trouble ? 503 : 200, answer);
}

http::Response Monitoring::ready() const {
  const std::optional<std::string> trouble = Readiness::trouble_of(readiness_.look());
  if (!trouble) return json_response(200, {{"status", "ready"}});
  return json_response(503, {{"status", "not ready"}, {"reason", *trouble}});
}

Monitoring::LogWatch::LogWatch(Monitoring& monitoring, const log::Log& log)
    : monitoring_(monitoring) {
  monitoring.readiness_.watch_log(&log);
  const Monitored& what = monitoring.what_;
  monitoring.metrics_
      .gauge(Metric::kRunInfo, {what.command, what.pipeline, what.mode, what.group, log.url()})
      .set(1);
  monitoring.metrics_
      .gauge(Metric::kReferenceInfo,
             {kVersion, what.mode, log.url(), what.group, what.model_backend})
      .set(1);
}

Monitoring::LogWatch::~LogWatch() { monitoring_.readiness_.watch_log(nullptr); }

}  // namespace millrace::app
