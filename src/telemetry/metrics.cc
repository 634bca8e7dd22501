#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace millrace::telemetry {
namespace {

// prometheus-cpp's own objects behind the handles.
prometheus::Counter& counter_of(void* impl) { return *static_cast<prometheus::Counter*>(impl); }
prometheus::Gauge& gauge_of(void* impl) { return *static_cast<prometheus::Gauge*>(impl); }
prometheus::Histogram& histogram_of(void* impl) {
  return *static_cast<prometheus::Histogram*>(impl);
}

constexpr std::string_view kOther = "other";

// prometheus-cpp's summary keeps samples for quantiles, which ours has none of.
struct SummaryValues {
  std::atomic<std::uint64_t> count{0};
  std::atomic<double> sum{0};

  prometheus::MetricFamily collect(const MetricRow& row) const {
    prometheus::MetricFamily family{
        std::string(row.name), std::string(row.help), prometheus::MetricType::Summary, {}};
    family.metric.emplace_back();
    family.metric.back().summary.sample_count = count.load();
    family.metric.back().summary.sample_sum = sum.load();
    return family;
  }
};

prometheus::Labels labels_of(const MetricRow& row, const std::vector<std::string>& values) {
  prometheus::Labels labels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    labels.emplace(std::string(row.labels[i]), values[i]);
  }
  return labels;
}

bool before(const prometheus::ClientMetric& a, const prometheus::ClientMetric& b) {
  return std::lexicographical_compare(a.label.begin(), a.label.end(), b.label.begin(),
                                      b.label.end(), [](const auto& x, const auto& y) {
                                        return std::tie(x.name, x.value) <
                                               std::tie(y.name, y.value);
                                      });
}

}  // namespace

void Counter::add(double amount) const {
  if (impl_ != nullptr) counter_of(impl_).Increment(amount);
}

void Counter::raise_to(double total) const {
  if (impl_ == nullptr) return;
  const double missing = total - counter_of(impl_).Value();
  if (missing > 0) counter_of(impl_).Increment(missing);
}

double Counter::value() const { return impl_ == nullptr ? 0 : counter_of(impl_).Value(); }

void Gauge::set(double value) const {
  if (impl_ != nullptr) gauge_of(impl_).Set(value);
}

double Gauge::value() const { return impl_ == nullptr ? 0 : gauge_of(impl_).Value(); }

void Histogram::observe(double value, std::uint64_t times) const {
  if (impl_ == nullptr || times == 0) return;
  std::vector<double> counts(bounds_.size() + 1);
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts[static_cast<std::size_t>(bucket)] = static_cast<double>(times);
  histogram_of(impl_).ObserveMultiple(counts, value * static_cast<double>(times));
}

void Histogram::observe_counts(std::span<const std::uint64_t> counts, double sum) const {
  if (impl_ == nullptr) return;
  CHECK(counts.size() <= bounds_.size() + 1);
  std::vector<double> all(bounds_.size() + 1);
  for (std::size_t i = 0; i < counts.size(); ++i) all[i] = static_cast<double>(counts[i]);
  histogram_of(impl_).ObserveMultiple(all, sum);
}

void Summary::observe(double value, std::uint64_t times) const {
  if (impl_ == nullptr) return;
  auto& values = *static_cast<SummaryValues*>(impl_);
  values.count += times;
  const double more = value * static_cast<double>(times);
  double before = values.sum.load();
  while (!values.sum.compare_exchange_weak(before, before + more)) {
  }
}

struct MetricRegistry::State {
  // A metric with its series by label values.
  struct Entry {
    prometheus::Family<prometheus::Counter>* counters = nullptr;
    prometheus::Family<prometheus::Gauge>* gauges = nullptr;
    prometheus::Family<prometheus::Histogram>* histograms = nullptr;
    std::map<std::vector<std::string>, void*> series;
  };

  bool shows(const MetricRow& row) const {
    return std::find(shown.begin(), shown.end(), row.names) != shown.end();
  }
  // The series of these labels, made where it is missing; nullptr for a metric that is not shown.
  void* find(Metric metric, MetricKind kind, std::vector<std::string> labels);
  void* add(const MetricRow& row, const std::vector<std::string>& labels);
  void add_family(const MetricRow& row);

  std::vector<MetricNames> shown;
  prometheus::Registry registry;
  mutable std::mutex mutex;  // of entries and summaries
  std::map<Metric, Entry> entries;
  std::map<Metric, SummaryValues> summaries;  // made on first use
  std::mutex text_mutex;                      // of collect and of one text() at a time
  std::vector<std::function<void()>> collect;
};

void MetricRegistry::State::add_family(const MetricRow& row) {
  Entry& entry = entries[row.metric];
  const std::string name(row.name);
  const std::string help(row.help);
  switch (row.kind) {
    case MetricKind::kCounter:
      entry.counters = &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
      break;
    case MetricKind::kGauge:
      entry.gauges = &prometheus::BuildGauge().Name(name).Help(help).Register(registry);
      break;
    case MetricKind::kHistogram:
      entry.histograms = &prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
      break;
    case MetricKind::kSummary:
      break;
  }
}

void* MetricRegistry::State::add(const MetricRow& row, const std::vector<std::string>& labels) {
  Entry& entry = entries.at(row.metric);
  const prometheus::Labels named = labels_of(row, labels);
  if (entry.counters != nullptr) return &entry.counters->Add(named);
  if (entry.gauges != nullptr) return &entry.gauges->Add(named);
  return &entry.histograms->Add(
      named, prometheus::Histogram::BucketBoundaries(row.buckets.begin(), row.buckets.end()));
}

void* MetricRegistry::State::find(Metric metric, MetricKind kind, std::vector<std::string> labels) {
  const MetricRow& row = row_of(metric);
  CHECK(row.kind == kind && labels.size() == row.labels.size());
  if (!shows(row)) return nullptr;
  const std::lock_guard lock(mutex);
  auto& series = entries.at(metric).series;
  auto found = series.find(labels);
  if (found != series.end()) return found->second;
  if (!labels.empty() && series.size() + 1 >= row.series_max) {
    std::fill(labels.begin(), labels.end(), std::string(kOther));
    found = series.find(labels);
    if (found != series.end()) return found->second;
  }
  void* const made = add(row, labels);
  series.emplace(std::move(labels), made);
  return made;
}

MetricRegistry::MetricRegistry(std::vector<MetricNames> shown) : state_(std::make_unique<State>()) {
  state_->shown = std::move(shown);
  for (const MetricRow& row : metric_table()) {
    if (state_->shows(row)) state_->add_family(row);
  }
}

MetricRegistry::~MetricRegistry() = default;

Counter MetricRegistry::counter(Metric metric, const std::vector<std::string>& labels) {
  Counter counter;
  counter.impl_ = state_->find(metric, MetricKind::kCounter, labels);
  return counter;
}

Gauge MetricRegistry::gauge(Metric metric, const std::vector<std::string>& labels) {
  Gauge gauge;
  gauge.impl_ = state_->find(metric, MetricKind::kGauge, labels);
  return gauge;
}

Histogram MetricRegistry::histogram(Metric metric, const std::vector<std::string>& labels) {
  Histogram histogram;
  histogram.impl_ = state_->find(metric, MetricKind::kHistogram, labels);
  histogram.bounds_ = row_of(metric).buckets;
  return histogram;
}

Summary MetricRegistry::summary(Metric metric) {
  const MetricRow& row = row_of(metric);
  CHECK(row.kind == MetricKind::kSummary && row.labels.empty());
  Summary summary;
  if (!state_->shows(row)) return summary;
  const std::lock_guard lock(state_->mutex);
  summary.impl_ = &state_->summaries[metric];
  return summary;
}

void MetricRegistry::remove(Metric metric, const std::vector<std::string>& labels) {
  if (!state_->shows(row_of(metric))) return;
  const std::lock_guard lock(state_->mutex);
  State::Entry& entry = state_->entries.at(metric);
  const auto found = entry.series.find(labels);
  if (found == entry.series.end()) return;
  if (entry.counters != nullptr) entry.counters->Remove(&counter_of(found->second));
  if (entry.gauges != nullptr) entry.gauges->Remove(&gauge_of(found->second));
  if (entry.histograms != nullptr) entry.histograms->Remove(&histogram_of(found->second));
  entry.series.erase(found);
}

void MetricRegistry::before_text(std::function<void()> collect) {
  const std::lock_guard lock(state_->text_mutex);
  state_->collect.push_back(std::move(collect));
}

std::string MetricRegistry::text() const {
  const std::lock_guard lock(state_->text_mutex);
  for (const auto& collect : state_->collect) collect();
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  {
    const std::lock_guard entries(state_->mutex);
    for (const auto& [metric, values] : state_->summaries)
      families.push_back(values.collect(row_of(metric)));
  }
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families) std::sort(family.metric.begin(), family.metric.end(), before);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace millrace::telemetry
