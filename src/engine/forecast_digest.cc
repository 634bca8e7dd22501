#include "engine/forecast_digest.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace millrace::engine {
namespace {

void add(data::ForecastScore& to, const data::ForecastScore& more) {
  to.compared += more.compared;
  to.absolute_error += more.absolute_error;
  to.error += more.error;
  to.covered += more.covered;
}

// Floored: times before 1970 as well.
std::int64_t span_of(Timestamp time, Milliseconds span) {
  const std::int64_t number = time.value() / span.count();
  return time.value() % span.count() < 0 ? number - 1 : number;
}

// A span and how often it goes into the next one: parts of a day, days, weeks, then doubled.
std::int64_t next_factor(Milliseconds span) {
  constexpr std::int64_t kDayMs = 86'400'000;
  if (span.count() == kDayMs) return 7;
  if (span.count() > kDayMs || kDayMs % span.count() != 0) return 2;
  const std::int64_t parts = kDayMs / span.count();
  std::int64_t factor = 2;
  while (parts % factor != 0) ++factor;
  return factor;
}

std::int64_t floored(std::int64_t number, std::int64_t factor) {
  return number >= 0 ? number / factor : (number - factor + 1) / factor;
}

}  // namespace

ForecastDigest::ForecastDigest(const spec::Pipeline& pipeline) {
  figures_.horizon = pipeline.forecast->horizon;
  figures_.step = pipeline.series.plan.step;
  figures_.coverage = pipeline.forecast->coverage;
  figures_.span = figures_.step;
}

std::uint32_t ForecastDigest::number_of(std::string_view key) {
  const auto found = numbers_.find(key);
  if (found != numbers_.end()) return found->second;
  if (names_.size() == kKeysMax) return kKeysMax;
  const auto number = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(key);
  numbers_.emplace(key, number);
  return number;
}

void ForecastDigest::on_scored(const log::TopicPartition& /*source*/,
                               std::span<const log::Record> /*records*/, const ScoredBatch& batch) {
  auto outcome = batch.compared.begin();
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    const ScoredRecord& record = batch.records[i];
    Event event;
    if (outcome != batch.compared.end() && outcome->record == i) {
      event.compared = true;
      event.outcome = *outcome++;
    }
    if (record.outcome != Outcome::kPredicted) continue;
    event.key = number_of(record.key_text);
    event.time = record.event_time;
    event.warming_up = !record.has_value;
    events_.push_back(event);
  }
}

void ForecastDigest::on_committed(const data::RunSummary& /*all*/, Nanoseconds /*took*/) {
  for (const Event& event : events_) fold(event);
  events_.clear();
}

void ForecastDigest::on_forgotten() { events_.clear(); }

void ForecastDigest::fold(const Event& event) {
  data::ForecastFigures& f = figures_;
  if (!f.first || event.time < *f.first) f.first = event.time;
  if (!f.last || *f.last < event.time) f.last = event.time;
  while (f.keys.size() <= event.key && f.keys.size() < kKeysMax) {
    f.keys.emplace_back();
    f.keys.back().key = names_[f.keys.size() - 1];
  }
  data::ForecastFigures::Key& key = event.key < kKeysMax ? f.keys[event.key] : f.others;
  ++key.readings;
  key.warming_up += event.warming_up ? 1 : 0;
  if (!event.compared) return;
  const ScoredBatch::Compared& o = event.outcome;
  add(key.score, {1, std::abs(o.error), o.error, o.covered ? 1U : 0U});
  fold_span(event);
  if (event.key != 0) return;
  const data::ForecastFigures::Point point{event.time, o.forecast, o.half_width,
                                           o.forecast - o.error};
  if (course_.size() < kCourseMax) {
    course_.push_back(point);
  } else {
    course_[course_at_] = point;
  }
  course_at_ = (course_at_ + 1) % kCourseMax;
}

void ForecastDigest::fold_span(const Event& event) {
  const ScoredBatch::Compared& o = event.outcome;
  add(by_span_[span_of(event.time, figures_.span)],
      {1, std::abs(o.error), o.error, o.covered ? 1U : 0U});
  while (by_span_.rbegin()->first - by_span_.begin()->first >=
         static_cast<std::int64_t>(kSpansMax)) {
    widen();
  }
}

void ForecastDigest::widen() {
  const std::int64_t factor = next_factor(figures_.span);
  figures_.span *= factor;
  std::map<std::int64_t, data::ForecastScore> wider;
  for (const auto& [number, score] : by_span_) add(wider[floored(number, factor)], score);
  by_span_ = std::move(wider);
}

data::ForecastFigures ForecastDigest::figures() const {
  data::ForecastFigures out = figures_;
  if (!by_span_.empty()) {
    const std::int64_t first = by_span_.begin()->first;
    out.spans_from = Timestamp(first * out.span.count());
    out.spans.resize(static_cast<std::size_t>(by_span_.rbegin()->first - first + 1));
    for (const auto& [number, score] : by_span_)
      out.spans[static_cast<std::size_t>(number - first)] = score;
  }
  if (!names_.empty()) out.course_key = names_.front();
  const std::size_t oldest = course_.size() < kCourseMax ? 0 : course_at_;
  for (std::size_t i = 0; i < course_.size(); ++i)
    out.course.push_back(course_[(oldest + i) % course_.size()]);
  std::stable_sort(out.course.begin(), out.course.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  return out;
}

}  // namespace millrace::engine
