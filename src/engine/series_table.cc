#include "engine/series_table.h"

#include <cmath>
#include <limits>
#include <unordered_map>

#include "codec/record_decoder.h"
#include "engine/file_rows.h"
#include "engine/keyed_state.h"

namespace millrace::engine {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Series {
  std::uint32_t number = 0;
  double last_observed = kNaN;
  std::unordered_map<std::int64_t, double> observed;  // of the target, by the step's beginning
};

// Takes one file in, row by row.
class Builder {
 public:
  Builder(const spec::Pipeline& pipeline, const features::SeriesTransform& transform)
      : pipeline_(pipeline),
        transform_(transform),
        track_(transform.track_of(pipeline.forecast->target)),
        key_field_(*pipeline.schema.find(pipeline.input.key)),
        time_field_(*pipeline.schema.find(*pipeline.input.event_time)),
        state_(transform.state_size(), {pipeline.series.keys_max, pipeline.series.evict_after}),
        table_(transform.columns()) {}

  void add_bad(std::int64_t line, const data::RecordErrors& errors) {
    BadLines{table_.bad, table_.bad_rows}.add(line, errors);
  }

  void add(std::int64_t line, std::span<const data::Cell> cells) {
    const data::Cell& time = cells[time_field_];
    if (time.state != data::CellState::kText) {
      add_bad(line, {{data::RecordCode::kMissingField, *pipeline_.input.event_time,
                      "a reading needs its time"}});
      return;
    }
    const std::string_view key = cells[key_field_].text;
    Series& series = series_of(key);
    // As on the stream: a key that was silent for too long begins anew.
    const std::span<double> state = state_.touch(key, Offset(line), Timestamp(time.time_ms));
    const bool begins = transform_.steps_seen(state) == 0;
    using Taken = features::SeriesTransform::Taken;
    const Taken taken = transform_.take(cells, Timestamp(time.time_ms), state);
    if (taken == Taken::kTooLarge) {
      add_bad(line, {{data::RecordCode::kNonFinite, "",
                      "a value is not a finite number in the model's precision"}});
      return;
    }
    if (taken == Taken::kLate) {
      add_bad(line, {{data::RecordCode::kLate, *pipeline_.input.event_time,
                      "the reading is older than the one before it of the same key"}});
      return;
    }
    transform_.features(state, table_.features.add_row());
    const Timestamp step = transform_.current_step(state);
    const double seen = transform_.observed_value(state, track_);
    if (!std::isnan(seen)) {
      series.last_observed = seen;
      series.observed[step.value()] = seen;
    }
    table_.observed.push_back(seen);
    table_.present.push_back(transform_.current_value(state, track_));
    table_.last_observed.push_back(series.last_observed);
    table_.begins.push_back(begins ? 1 : 0);
    table_.read_at.push_back(step);
    table_.forecast_for.emplace_back(step.value() + pipeline_.series.plan.step.count() *
                                                        std::int64_t{pipeline_.forecast->horizon});
    table_.key.push_back(series.number);
  }

  SeriesTable finish() {
    std::vector<const Series*> by_number(series_.size());
    table_.key_names.resize(series_.size());
    for (const auto& [key, series] : series_) {
      by_number[series.number] = &series;
      table_.key_names[series.number] = key;
    }
    for (std::size_t i = 0; i < table_.key.size(); ++i) {
      const auto& observed = by_number[table_.key[i]]->observed;
      const auto found = observed.find(table_.forecast_for[i].value());
      table_.target.push_back(found == observed.end() ? kNaN : found->second);
    }
    table_.keys = static_cast<std::uint32_t>(series_.size());
    return std::move(table_);
  }

 private:
  Series& series_of(std::string_view key) {
    const auto [found, is_new] = series_.try_emplace(std::string(key));
    if (is_new) found->second.number = static_cast<std::uint32_t>(series_.size() - 1);
    return found->second;
  }

  const spec::Pipeline& pipeline_;
  const features::SeriesTransform& transform_;
  std::size_t track_;
  std::size_t key_field_;
  std::size_t time_field_;
  KeyedState state_;
  std::unordered_map<std::string, Series> series_;
  SeriesTable table_;
};

}  // namespace

Result<SeriesTable> read_series_table(const spec::Pipeline& pipeline,
                                      const features::SeriesTransform& transform,
                                      const std::string& path, env::StopToken& stop) {
  MILLRACE_ASSIGN(FileRows rows, FileRows::open(pipeline, path, stop));
  MILLRACE_ASSIGN(codec::RecordDecoder decoder,
                  codec::RecordDecoder::make(pipeline.schema, codec::Purpose::kTraining,
                                             pipeline.input.decode_limits()));
  Builder builder(pipeline, transform);
  std::vector<data::Cell> cells(pipeline.schema.size());
  data::RecordErrors errors;
  while (true) {
    if (stop.requested()) return Error(ErrorCode::kInterrupted, "stopped while reading " + path);
    MILLRACE_ASSIGN(const std::optional<FileRows::Row> row, rows.next());
    if (!row) break;
    errors.clear();
    if (row->errors != nullptr) {
      builder.add_bad(row->line, *row->errors);
    } else if (!decoder.decode(row->message, cells, errors)) {
      builder.add_bad(row->line, errors);
    } else {
      builder.add(row->line, cells);
    }
  }
  SeriesTable table = builder.finish();
  if (table.rows() == 0) return no_good_row(path, table.bad);
  return table;
}

}  // namespace millrace::engine
