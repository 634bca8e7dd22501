// Counters, gauges and histograms in Prometheus' text format, made from telemetry/metric_table.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/metric_table.h"

namespace millrace::telemetry {

// The handles below are small values that live as long as their registry. One that was never given
// by a registry, or names a metric the registry does not show, does nothing. Thread-safe.

// Only grows. One atomic addition.
class Counter {
 public:
  void add(double amount = 1) const;
  // Adds what is missing to `total`, of something counted elsewhere. One thread a counter.
  void raise_to(double total) const;
  double value() const;

 private:
  friend class MetricRegistry;
  void* impl_ = nullptr;
};

// One atomic store.
class Gauge {
 public:
  void set(double value) const;
  double value() const;

 private:
  friend class MetricRegistry;
  void* impl_ = nullptr;
};

// A lock held for some ten nanoseconds: for once a batch, never once a record.
class Histogram {
 public:
  void observe(double value) const { observe(value, 1); }
  // The same value `times` times.
  void observe(double value, std::uint64_t times) const;
  // Counts by bucket, the open one above the last bound included or left away, and the sum of the
  // values.
  void observe_counts(std::span<const std::uint64_t> counts, double sum) const;

 private:
  friend class MetricRegistry;
  void* impl_ = nullptr;
  std::span<const double> bounds_;
};

// Count and sum, without quantiles, as Prometheus' clients for Python make it. Two atomic
// additions.
class Summary {
 public:
  // The same value `times` times.
  void observe(double value, std::uint64_t times) const;

 private:
  friend class MetricRegistry;
  void* impl_ = nullptr;
};

// The metrics of one process. Thread-safe. A label that would make more series than the table
// allows becomes "other".
class MetricRegistry {
 public:
  // Only metrics with these names are kept and shown.
  explicit MetricRegistry(std::vector<MetricNames> shown);
  ~MetricRegistry();
  MetricRegistry(const MetricRegistry&) = delete;
  MetricRegistry& operator=(const MetricRegistry&) = delete;

  // Values of the labels in the order of the table; a wrong number or kind is a CHECK failure. The
  // same values give the same series. Looks up under a lock: keep the handle.
  Counter counter(Metric metric, const std::vector<std::string>& labels = {});
  Gauge gauge(Metric metric, const std::vector<std::string>& labels = {});
  Histogram histogram(Metric metric, const std::vector<std::string>& labels = {});
  // Has no labels: a CHECK failure otherwise.
  Summary summary(Metric metric);
  // Takes the series out of the text; its handles must not be used any more.
  void remove(Metric metric, const std::vector<std::string>& labels);

  // Called, one at a time, before each text(): for values that are read rather than counted.
  void before_text(std::function<void()> collect);
  // Prometheus' text format 0.0.4, sorted by name and labels.
  std::string text() const;

  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Sets the process_* metrics (CPU, memory, descriptors, threads) at each text(). `started` is in
// seconds since 1970.
void watch_process(MetricRegistry& registry, double started);

}  // namespace millrace::telemetry
