// Gathers what the report says of forecasts while a run goes on: by key, over time, and the course
// of one key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/forecast_figures.h"
#include "engine/run_monitor.h"
#include "spec/pipeline.h"

namespace millrace::engine {

// Told of a run whose scorer compares each (RecordScorer::compare_each()). What was aborted is
// forgotten, so figures() are those of what is committed. Memory is bounded whatever comes: the
// first kKeysMax keys have figures of their own, spans of time become longer when they are too
// many. Not thread-safe.
class ForecastDigest final : public RunMonitor {
 public:
  static constexpr std::size_t kKeysMax = 1000;
  static constexpr std::size_t kSpansMax = 128;
  static constexpr std::size_t kCourseMax = 336;  // two weeks of hours

  explicit ForecastDigest(const spec::Pipeline& pipeline);

  void on_scored(const log::TopicPartition& source, std::span<const log::Record> records,
                 const ScoredBatch& batch) override;
  void on_committed(const data::RunSummary& all, Nanoseconds took) override;
  void on_forgotten() override;

  // Of what is committed. The course is that of the first key that came.
  data::ForecastFigures figures() const;

 private:
  // What was scored since the last commit, in flat memory.
  struct Event {
    std::uint32_t key = 0;  // its number; kKeysMax for all others
    Timestamp time;
    bool warming_up = false;
    bool compared = false;
    ScoredBatch::Compared outcome;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::uint32_t number_of(std::string_view key);
  void fold(const Event& event);
  void fold_span(const Event& event);
  void widen();

  data::ForecastFigures figures_;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> numbers_;
  std::vector<std::string> names_;                       // by number
  std::map<std::int64_t, data::ForecastScore> by_span_;  // by number of the span since 1970
  std::vector<data::ForecastFigures::Point> course_;     // a ring
  std::size_t course_at_ = 0;
  std::vector<Event> events_;
};

}  // namespace millrace::engine
