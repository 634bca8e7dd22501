#include "engine/drift_watch.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "drift/reference_builder.h"
#include "env/clock.h"
#include "env/digest.h"
#include "json/json.h"

namespace millrace::engine {
namespace {

// The field a column was made from: the longest name of a field that the column's name begins with
// ("plan=basic", "CO_lag_1"); "" where there is none, as of calendar columns.
std::string field_of(const std::string& column, const data::Schema& schema) {
  std::string longest;
  for (const data::Field& field : schema.fields()) {
    const std::string& name = field.name;
    const bool begins = column.compare(0, name.size(), name) == 0;
    const bool ends =
        begins && (column.size() == name.size() ||
                   std::isalnum(static_cast<unsigned char>(column[name.size()])) == 0);
    if (ends && name.size() > longest.size()) longest = name;
  }
  return longest;
}

// Adds the columns that a name of `drift.features` stands for.
Status add_named(const std::string& name, const std::vector<std::string>& columns,
                 const data::Schema& schema, std::vector<std::size_t>& out) {
  const auto exact = std::find(columns.begin(), columns.end(), name);
  if (exact != columns.end()) {
    out.push_back(static_cast<std::size_t>(exact - columns.begin()));
    return {};
  }
  const std::size_t before = out.size();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (field_of(columns[i], schema) == name) out.push_back(i);
  }
  if (out.size() > before) return {};
  std::vector<std::string> known = columns;
  for (const data::Field& field : schema.fields()) known.push_back(field.name);
  return Error(ErrorCode::kConfig,
               "'drift.features': no column of the model is named '" + printable(name, 100) +
                   "' or made from a field of that name" + did_you_mean(name, known));
}

// Places of the watched columns among the model's, each once, in the model's order.
Result<std::vector<std::size_t>> watched_columns(const spec::Pipeline& pipeline,
                                                 const std::vector<std::string>& columns) {
  std::vector<std::size_t> out;
  for (const std::string& name : pipeline.drift->features) {
    MILLRACE_TRY(add_named(name, columns, pipeline.schema, out));
  }
  if (pipeline.drift->features.empty()) {
    for (std::size_t i = 0; i < columns.size(); ++i) out.push_back(i);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() >= drift::kColumnsMax) {
    return Error(ErrorCode::kConfig, "'drift.features': " + std::to_string(out.size()) +
                                         " columns are too many to watch (" +
                                         std::to_string(drift::kColumnsMax - 1) +
                                         "); name those that matter");
  }
  return out;
}

bool has_scores(std::span<const double> scores) {
  return std::any_of(scores.begin(), scores.end(), [](double s) { return std::isfinite(s); });
}

Error not_of_this_model(const std::string& what) {
  return Error(ErrorCode::kBadModel, "drift cannot be watched: the model " + what +
                                         "; train it again, or leave 'drift' out of the pipeline");
}

}  // namespace

Result<json::Value> drift_reference(const spec::Pipeline& pipeline, const DriftTraining& training) {
  if (!pipeline.drift) return json::Value(nullptr);
  const spec::DriftSpec& spec = *pipeline.drift;
  MILLRACE_ASSIGN(const std::vector<std::size_t> watched,
                  watched_columns(pipeline, training.columns));
  const std::size_t rows = training.rows.rows();
  const bool by_time = spec.window.kind == drift::WindowSpec::Kind::kTime;
  CHECK(training.event_times.size() == rows || (training.event_times.empty() && !by_time));
  CHECK(training.scores.empty() || training.scores.size() == rows);
  const bool scored = spec.score == spec::DriftSpec::Score::kWatched && has_scores(training.scores);
  if (watched.empty() && !scored) return Error(ErrorCode::kConfig, "'drift': nothing to watch");

  std::vector<drift::ColumnSpec> columns;
  for (const std::size_t column : watched) {
    const std::string& name = training.columns[column];
    columns.push_back({name, field_of(name, pipeline.schema), {}});
  }
  drift::ReferenceOptions options;
  options.window = spec.window;
  if (scored) {
    columns.push_back({std::string(drift::kScoreColumn), "", {}});
    options.score = drift::ReferenceOptions::Score::kLastColumn;
  }
  drift::ReferenceBuilder builder(std::move(columns), options);
  std::vector<double> row;
  for (std::size_t i = 0; i < rows; ++i) {
    row.clear();
    for (const std::size_t column : watched) row.push_back(training.rows.row(i)[column]);
    if (scored) row.push_back(training.scores[i]);
    builder.add(training.event_times.empty() ? Timestamp(0) : training.event_times[i], row);
  }
  MILLRACE_ASSIGN(const drift::Reference reference, builder.build());
  return reference.to_json();
}

Result<std::optional<DriftWatch>> DriftWatch::make(const spec::Pipeline& pipeline,
                                                   const model::Manifest& manifest) {
  if (!pipeline.drift) return std::optional<DriftWatch>();
  if (manifest.drift_reference.is_null()) {
    return not_of_this_model("was trained without 'drift'");
  }
  auto read = drift::Reference::from_json(manifest.drift_reference);
  if (!read)
    return not_of_this_model("has an unsound drift reference (" + read.error().message() + ")");
  if (read->window != pipeline.drift->window) {
    return not_of_this_model("was trained with windows of " + to_string(read->window) +
                             ", the pipeline says " + to_string(pipeline.drift->window));
  }
  MILLRACE_ASSIGN(std::vector<std::size_t> watched, watched_columns(pipeline, manifest.features));
  bool same = read->columns.size() == watched.size() + (read->has_score ? 1 : 0);
  for (std::size_t i = 0; same && i < watched.size(); ++i) {
    same = read->columns[i].profile.column.name == manifest.features[watched[i]];
  }
  if (!same) return not_of_this_model("was trained with other 'drift.features'");
  auto reference = std::make_shared<const drift::Reference>(std::move(*read));
  DriftWatch watch(drift::DriftMonitor(std::move(reference), pipeline.drift->monitor),
                   std::move(watched));
  watch.pipeline_ = pipeline.name;
  watch.model_version_ = manifest.version;
  watch.source_topic_ = pipeline.input.topic.name.value();
  watch.fingerprint_ = env::sha256_hex(json::to_line(manifest.drift_reference)).substr(0, 16);
  return std::optional<DriftWatch>(std::move(watch));
}

void DriftWatch::pick(std::span<const double> features, std::vector<double>& watched) const {
  watched.clear();
  for (const std::size_t column : columns_) watched.push_back(features[column]);
}

void DriftWatch::observe(PartitionId partition, Offset offset, Timestamp event_time,
                         std::span<const double> watched, double score) {
  observed_ = true;
  std::vector<drift::Alert> alerts =
      monitor_.observe({event_time, partition, offset, watched, score});
  waiting_.insert(waiting_.end(), std::make_move_iterator(alerts.begin()),
                  std::make_move_iterator(alerts.end()));
}

Status DriftWatch::append_alerts(log::Appender& appender, log::TopicHandle alerts, Timestamp now) {
  std::size_t done = 0;
  Status result;
  for (; result && done < waiting_.size(); ++done) {
    const std::string text = message(waiting_[done]);
    result = appender.append(alerts, {waiting_[done].feature, text, {}, now, std::nullopt});
    if (!result) break;
  }
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(done);
  appended_.insert(appended_.end(), waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return result;
}

bool DriftWatch::committed() {
  told_count_ += appended_.size();
  const std::size_t room = kAlertsKeptMax - told_.size();
  told_.insert(told_.end(), appended_.begin(),
               appended_.begin() + static_cast<std::ptrdiff_t>(std::min(room, appended_.size())));
  appended_.clear();
  if (!observed_) return false;
  const bool judged = monitor_.counts().windows != kept_.counts().windows;
  monitor_.settle();
  kept_ = monitor_;
  observed_ = false;
  return judged;
}

void DriftWatch::aborted() {
  waiting_.clear();
  appended_.clear();
  if (!observed_) return;
  monitor_ = kept_;
  observed_ = false;
}

std::string DriftWatch::save() const { return fingerprint_ + monitor_.save(); }

Status DriftWatch::restore(std::string_view saved) {
  if (!saved.starts_with(fingerprint_)) {
    return Error(ErrorCode::kBadData, "the drift state is of another model");
  }
  MILLRACE_TRY(monitor_.restore(saved.substr(fingerprint_.size())));
  kept_ = monitor_;
  observed_ = false;
  waiting_.clear();
  return {};
}

std::string DriftWatch::message(const drift::Alert& alert) const {
  json::Value offsets = json::Value::array();
  for (const drift::OffsetRange& range : alert.offsets) {
    offsets.push_back({{"partition", range.partition.value()},
                       {"first_offset", range.first.value()},
                       {"last_offset", range.last.value()}});
  }
  return json::to_line({{"alert", "drift"},
                        {"state", std::string(to_string(alert.state))},
                        {"pipeline", pipeline_},
                        {"model_version", model_version_},
                        {"feature", alert.feature},
                        {"statistic", std::string(to_string(alert.statistic))},
                        {"value", alert.value},
                        {"threshold", alert.threshold},
                        {"window_start", env::format_rfc3339(alert.window_start)},
                        {"window_end", env::format_rfc3339(alert.window_end)},
                        {"event_ts", env::format_rfc3339(alert.window_end)},
                        {"records", alert.records},
                        {"source_topic", source_topic_},
                        {"offsets", std::move(offsets)}});
}

}  // namespace millrace::engine
