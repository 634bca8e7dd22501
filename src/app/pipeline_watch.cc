#include "app/pipeline_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/group_view.h"
#include "engine/dead_letter.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr const char* kOtherCodes = "(other)";

double seconds(SteadyTime::duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

void PipelineWatch::Window::add(double value) {
  if (!std::isfinite(value)) return;
  if (values_.size() == kValuesKept) values_.pop_front();
  values_.push_back(value);
}

std::optional<Quantiles> PipelineWatch::Window::quantiles() const {
  if (values_.empty()) return std::nullopt;
  std::vector<double> sorted(values_.begin(), values_.end());
  std::sort(sorted.begin(), sorted.end());
  const auto at = [&sorted](double share) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
  };
  return Quantiles{at(0.5), at(0.99)};
}

PipelineWatch::PipelineWatch(log::Log& log, const spec::Pipeline& pipeline, env::Clock& clock)
    : log_(&log),
      clock_(&clock),
      input_(pipeline.input.topic.name),
      group_(pipeline.group),
      probability_field_(pipeline.output.probability_field) {
  predictions_.topic = pipeline.output.topic.name;
  dead_letters_.topic = pipeline.dead_letter.topic.name;
}

Result<PipelineWatch> PipelineWatch::open(log::Log& log, const spec::Pipeline& pipeline,
                                          env::Clock& clock) {
  PipelineWatch watch(log, pipeline, clock);
  MILLRACE_TRY(log.admin().describe_topic(watch.input_));
  MILLRACE_TRY(watch.follow(watch.predictions_));
  MILLRACE_TRY(watch.follow(watch.dead_letters_));
  return watch;
}

Status PipelineWatch::follow(Followed& followed) {
  MILLRACE_ASSIGN(const log::TopicInfo topic, log_->admin().describe_topic(followed.topic));
  log::ReaderOptions reading;
  reading.topic = followed.topic;
  reading.follow = true;
  for (const log::PartitionInfo& partition : topic.partitions) {
    const Offset near_end(std::max(partition.begin.value(), partition.end.value() - kBackfill));
    reading.from[partition.partition] = near_end;
    followed.next[partition.partition] = near_end;
    followed.start[partition.partition] = partition.end;
  }
  MILLRACE_ASSIGN(followed.reader, log_->open_reader(reading));
  return {};
}

// Goes on near the end where the topic grows faster than it is read. What is skipped is counted by
// its offsets.
Status PipelineWatch::catch_up(Followed& followed) {
  MILLRACE_ASSIGN(const log::TopicInfo topic, log_->admin().describe_topic(followed.topic));
  std::int64_t behind = 0;
  for (const log::PartitionInfo& partition : topic.partitions) {
    const auto next = followed.next.find(partition.partition);
    if (next != followed.next.end()) behind += partition.end.value() - next->second.value();
  }
  if (behind <= kBehindMax) return {};
  followed.counted += static_cast<std::uint64_t>(behind);
  return follow(followed);
}

template <class Each>
Status PipelineWatch::take(Followed& followed, SteadyTime until, Each each) {
  while (true) {
    const SteadyTime now = clock_->steady();
    MILLRACE_ASSIGN(const std::optional<log::Batch> batch, followed.reader->next(now));
    if (!batch) return {};
    for (const log::Record& record : batch->records) {
      if (record.offset >= followed.start[batch->source.partition]) ++followed.counted;
      if (parsed_ >= kParsedMax) continue;
      ++parsed_;
      each(batch->source, record);
    }
    followed.next[batch->source.partition] = batch->next;
    if (now >= until) return {};
  }
}

Status PipelineWatch::read(SteadyTime until) {
  MILLRACE_TRY(take(
      predictions_, until,
      [this](const log::TopicPartition&, const log::Record& record) { add_prediction(record); }));
  return take(dead_letters_, until,
              [this](const log::TopicPartition& at, const log::Record& record) {
                add_dead_letter(at, record);
              });
}

void PipelineWatch::add_prediction(const log::Record& record) {
  if (!record.value) return;
  const auto message = json::parse(*record.value, "prediction");
  if (!message || !message->is_object()) return;
  const auto probability = json::get<double>(*message, probability_field_);
  if (probability) scores_.add(*probability);
  const auto latency = json::get<double>(*message, "inference_latency_ms");
  if (latency) inference_ms_.add(*latency);
  const auto version = json::get<std::string>(*message, "model_version");
  if (version) model_version_ = *version;
  const auto processed = json::get<std::string>(*message, "processed_ts");
  const auto time = processed ? env::parse_rfc3339(*processed) : processed.error();
  if (time && *time >= record.timestamp) {
    end_to_end_ms_.add(static_cast<double>(time->value() - record.timestamp.value()));
  }
}

void PipelineWatch::add_dead_letter(const log::TopicPartition& at, const log::Record& record) {
  std::string code = engine::read_dead_letter(at, record).code;
  if (by_code_.size() >= kCodesMax && !by_code_.contains(code)) code = kOtherCodes;
  ++by_code_[code.empty() ? "(none)" : code];
}

Status PipelineWatch::look_at_group(PipelineView& view, Counts& counts) {
  const auto group = log_->admin().describe_group(group_);
  if (!group && group.error().code() == ErrorCode::kNoInput) {
    view.group_state = "none";
    return {};
  }
  if (!group) return group.error();
  view.group_state = group->state;
  view.members = group->members;
  MILLRACE_ASSIGN(const Leaders leaders, leaders_of(*log_, *group));
  for (const log::GroupPosition& position : group->positions) {
    if (position.source.topic != input_) continue;
    const auto leader = leaders.find(position.source);
    view.partitions.push_back(
        {position, owner_of(*group, position.source),
         leader == leaders.end() ? std::nullopt : std::optional(leader->second)});
    view.consumer_lag += position.consumer_lag();
    counts.consumed += position.committed.value_or(position.begin).value();
  }
  return {};
}

std::optional<PipelineView::Rates> PipelineWatch::rates_since_last(const Counts& now) const {
  if (!last_ || now.at <= last_->at) return std::nullopt;
  const double span = seconds(now.at - last_->at);
  // A topic made anew, or a group set back, starts below what it was.
  const auto rate = [span](auto before, auto after) {
    return after > before ? static_cast<double>(after - before) / span : 0.0;
  };
  return PipelineView::Rates{rate(last_->in, now.in), rate(last_->consumed, now.consumed),
                             rate(last_->predicted, now.predicted),
                             rate(last_->dead_lettered, now.dead_lettered)};
}

Result<PipelineView> PipelineWatch::look() {
  parsed_ = 0;
  MILLRACE_TRY(catch_up(predictions_));
  MILLRACE_TRY(catch_up(dead_letters_));
  PipelineView view;
  Counts counts;
  MILLRACE_ASSIGN(const log::TopicInfo input, log_->admin().describe_topic(input_));
  for (const log::PartitionInfo& partition : input.partitions) counts.in += partition.end.value();
  MILLRACE_TRY(look_at_group(view, counts));
  counts.at = clock_->steady();
  counts.predicted = predictions_.counted;
  counts.dead_lettered = dead_letters_.counted;
  view.at = clock_->now();
  view.rates = rates_since_last(counts);
  last_ = counts;
  view.model_version = model_version_;
  view.scores = scores_.values().size();
  for (const double score : scores_.values()) {
    const double bin = std::clamp(score * static_cast<double>(PipelineView::kBins), 0.0,
                                  static_cast<double>(PipelineView::kBins - 1));
    ++view.histogram.at(static_cast<std::size_t>(bin));
  }
  view.inference_ms = inference_ms_.quantiles();
  view.end_to_end_ms = end_to_end_ms_.quantiles();
  view.dead_letters = by_code_;
  return view;
}

}  // namespace millrace::app
