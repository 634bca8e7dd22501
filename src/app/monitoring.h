// What a long-running command serves while it runs (--metrics-port): /metrics, /health, /live and
// /ready.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/command_line.h"
#include "app/session.h"
#include "base/result.h"
#include "http/server.h"
#include "log/log.h"
#include "telemetry/metrics.h"

namespace millrace::app {

// The flags, as given.
struct MonitoringOptions {
  std::optional<std::int64_t> port;  // 0: a free one; nothing: no monitoring
  std::string names = "millrace";    // or reference, or both
};
void declare_monitoring(Command& command, MonitoringOptions& options);

// What runs, for the labels of the info metrics.
struct Monitored {
  std::string command;
  std::string pipeline;
  std::string mode;
  std::string group;          // "" without one
  std::string model_backend;  // algorithm of the model, "" without one
};

// Whether the command can do its work just now, and why not. Thread-safe.
class Readiness {
 public:
  explicit Readiness(const env::StopToken& stop) : stop_(&stop) {}

  // What is looked at from now on; a log must be forgotten (nullptr) before it is closed.
  void watch_log(const log::Log* log);
  // A folder with a model's files.
  void watch_model(env::Path folder);
  // Why the start-up takes its time; told away by started().
  void starting(const Error& trouble);
  void started();
  // The work waits for this to pass; told away by going_on().
  void waiting(const Error& trouble);
  void going_on();

  struct Check {
    std::string name;    // running, broker_connection, disk, model_loaded
    std::string state;   // pass, fail, not_initialized
    std::string reason;  // where it does not pass
  };
  // Looks at once, without waiting for anything.
  std::vector<Check> look() const;
  // Of the log that is watched.
  std::vector<log::ClientStatistics> client_statistics() const;
  // The first reason of a look, nothing when everything passes.
  static std::optional<std::string> trouble_of(const std::vector<Check>& checks);

 private:
  Check running() const;
  Check broker() const;
  Check disk() const;
  Check model() const;

  const env::StopToken* stop_;
  mutable std::mutex mutex_;
  const log::Log* log_ = nullptr;
  env::Path model_folder_;
  bool started_ = false;
  std::optional<Error> starting_;
  std::optional<Error> waiting_;
};

// Serves from start() to its end. Without --metrics-port nothing is served, the metrics count
// nothing, and everything else may be called all the same.
class Monitoring {
 public:
  // Says the address on stderr. Errors: as http::Server::start().
  static Result<std::unique_ptr<Monitoring>> start(Session& session,
                                                   const MonitoringOptions& options,
                                                   Monitored what);
  Monitoring(const Monitoring&) = delete;
  Monitoring& operator=(const Monitoring&) = delete;

  bool enabled() const { return server_ != nullptr; }
  telemetry::MetricRegistry& metrics() { return metrics_; }
  Readiness& readiness() { return readiness_; }

  // The log is open; looked at until this goes out of scope.
  class LogWatch {
   public:
    LogWatch(Monitoring& monitoring, const log::Log& log);
    ~LogWatch();
    LogWatch(const LogWatch&) = delete;
    LogWatch& operator=(const LogWatch&) = delete;

   private:
    Monitoring& monitoring_;
  };

 private:
  Monitoring(Session& session, const MonitoringOptions& options, Monitored what);
  Status serve(std::uint16_t port);
  void collect();
  void collect_clients();
  void count_answer(const http::Answered& answered);
  http::Response health() const;
  http::Response ready() const;

  Session& session_;
  const Monitored what_;
  telemetry::MetricRegistry metrics_;
  Readiness readiness_;
  // The server below, once it is there: requests may come before that.
  std::atomic<const http::Server*> serving_{nullptr};
  std::unique_ptr<http::Server> server_;  // stops first
};

}  // namespace millrace::app
