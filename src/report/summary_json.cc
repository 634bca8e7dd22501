#include "report/summary_json.h"

#include <cmath>

#include "env/clock.h"
#include "json/json.h"

namespace millrace::report {
namespace {

using data::RunSummary;
using json::Value;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Measured times and rates: digits beyond the sixth are noise.
double rounded(double value) { return std::round(value * 1e6) / 1e6; }

std::uint64_t positives(const RunSummary& s) {
  const auto found = s.by_label.find(s.positive_label);
  return found == s.by_label.end() ? 0 : found->second;
}

Value counts(const std::map<std::string, std::uint64_t>& by_name) {
  Value object = Value::object();
  for (const auto& [name, count] : by_name) object[name] = count;
  return object;
}

Value latency(const data::Histogram& h) {
  const auto at = [&h](double q) {
    return h.count() == 0 ? Value() : Value(rounded(h.quantile(q)));
  };
  return Value{{"count", h.count()},
               {"mean", h.count() == 0 ? Value() : Value(rounded(h.mean()))},
               {"p50", at(0.5)},
               {"p90", at(0.9)},
               {"p95", at(0.95)},
               {"p99", at(0.99)},
               {"max", h.count() == 0 ? Value() : Value(rounded(h.max()))}};
}

Value segments(const RunSummary& s) {
  Value fields = Value::object();
  for (const std::string& field : s.segment_fields) {
    Value levels = Value::object();
    if (const auto found = s.segments.find(field); found != s.segments.end()) {
      for (const auto& [level, count] : found->second) {
        const double mean =
            count.total == 0 ? 0 : count.probability_sum / static_cast<double>(count.total);
        levels[level] = Value{{"total", count.total},
                              {"positive", count.positive},
                              {"rate", share(count.positive, count.total)},
                              {"mean_probability", mean}};
      }
    }
    fields[field] = std::move(levels);
  }
  return fields;
}

Value top_risk(const RunSummary& s) {
  Value rows = Value::array();
  for (const data::RiskRow& row : s.top_risk) {
    Value values = Value::object();
    for (std::size_t i = 0; i < s.risk_fields.size() && i < row.values.size(); ++i) {
      values[s.risk_fields[i]] = row.values[i];
    }
    rows.push_back(
        Value{{"key", row.key}, {"probability", row.probability}, {"fields", std::move(values)}});
  }
  return rows;
}

Value histogram(const RunSummary& s) {
  const double width = 1.0 / static_cast<double>(s.probability_histogram.size());
  Value bins = Value::array();
  for (std::size_t i = 0; i < s.probability_histogram.size(); ++i) {
    bins.push_back(Value{{"from", rounded(static_cast<double>(i) * width)},
                         {"to", rounded(static_cast<double>(i + 1) * width)},
                         {"count", s.probability_histogram.at(i)}});
  }
  return bins;
}

Value pipeline_metrics(const RunSummary& s) {
  return Value{{"messages_sent", s.consumed},
               {"messages_processed", s.predicted},
               {"processing_duration_sec", rounded(s.duration_s)},
               {"throughput_msg_per_sec", rounded(s.rate_per_s())},
               {"success_rate", share(s.predicted, s.consumed)}};
}

// Every run counts both labels, also a label that no record got.
std::map<std::string, std::uint64_t> labels(const RunSummary& s) {
  std::map<std::string, std::uint64_t> by_label = s.by_label;
  by_label.try_emplace(s.positive_label, 0);
  return by_label;
}

// How forecasts did whose hour came while the run was on; null where none did.
void add_forecasts(const RunSummary& s, Value& out) {
  const RunSummary::Forecasts& f = s.forecasts;
  const auto compared = static_cast<double>(f.compared);
  out["target"] = *s.forecast_target;
  out["forecasts"] = s.predicted - f.warming_up;
  out["warming_up"] = f.warming_up;
  out["forecasts_compared"] = f.compared;
  out["live_mae"] = f.compared == 0 ? Value() : Value(f.absolute_error / compared);
  out["live_coverage"] =
      f.compared == 0 ? Value() : Value(static_cast<double>(f.covered) / compared);
}

Value score_json(const data::ForecastScore& score) {
  const bool any = score.compared > 0;
  return Value{{"compared", score.compared},
               {"mae", any ? Value(score.mae()) : Value()},
               {"bias", any ? Value(score.bias()) : Value()},
               {"coverage", any ? Value(score.coverage()) : Value()}};
}

Value key_json(const data::ForecastFigures::Key& key) {
  Value out = Value{{"readings", key.readings}, {"warming_up", key.warming_up}};
  out.update(score_json(key.score));
  return out;
}

Value figures_json(const data::ForecastFigures& f) {
  const auto time = [](const std::optional<Timestamp>& at) {
    return at ? Value(env::format_rfc3339(*at)) : Value();
  };
  Value out = Value{{"horizon", f.horizon},
                    {"step_ms", f.step.count()},
                    {"interval_coverage", f.coverage},
                    {"first_event_ts", time(f.first)},
                    {"last_event_ts", time(f.last)}};
  Value keys = Value::object();
  for (const auto& key : f.keys)
    if (key.readings > 0) keys[key.key] = key_json(key);
  out["by_key"] = std::move(keys);
  out["other_keys"] = f.others.readings == 0 ? Value() : key_json(f.others);
  Value spans = Value::array();
  for (std::size_t i = 0; i < f.spans.size(); ++i) {
    const auto from = f.spans_from.value() + static_cast<std::int64_t>(i) * f.span.count();
    Value span = Value{{"from", env::format_rfc3339(Timestamp(from))},
                       {"to", env::format_rfc3339(Timestamp(from + f.span.count()))}};
    span.update(score_json(f.spans[i]));
    spans.push_back(std::move(span));
  }
  out["over_time"] = std::move(spans);
  return out;
}

Value alerts_json(const data::AlertRows& alerts) {
  Value rows = Value::array();
  for (const data::AlertRow& row : alerts.rows) {
    rows.push_back(Value{{"state", row.state},
                         {"feature", row.feature},
                         {"statistic", row.statistic},
                         {"value", row.value},
                         {"threshold", row.threshold},
                         {"window_start", env::format_rfc3339(row.window_start)},
                         {"window_end", env::format_rfc3339(row.window_end)}});
  }
  return Value{{"count", alerts.count}, {"first", std::move(rows)}};
}

// The names under which the reference system's reports hold the same figures.
void add_reference_names(const RunSummary& s, Value& out) {
  std::map<std::string, std::uint64_t> by_label = labels(s);
  by_label.try_emplace("No", 0);
  out["churn_predictions"] = counts(by_label);
  out["churn_rate"] = share(positives(s), s.predicted);
  out["average_churn_probability"] = s.mean_probability();
  out["high_risk_customers"] = top_risk(s);
}

// What only pipelines that predict a label have.
void add_labels(const RunSummary& s, Value& out) {
  out["label_field"] = s.label_field;
  out["positive_label"] = s.positive_label;
  out["threshold"] = s.threshold;
  out["predictions_by_label"] = counts(labels(s));
  out["positive_rate"] = share(positives(s), s.predicted);
  out["mean_probability"] = s.mean_probability();
  if (s.positive_label == "Yes") add_reference_names(s, out);
}

}  // namespace

Value summary_to_json(const RunSummary& s, Timestamp written) {
  Value out = Value::object();
  out["pipeline"] = s.pipeline;
  out["model_version"] = s.model_version;
  out["timestamp"] = env::format_rfc3339(written);
  out["started"] = env::format_rfc3339(s.started);
  out["stop_reason"] = s.stop_reason;
  if (s.predicted == 0) {
    out["warning"] = s.consumed == 0 ? "No predictions: the run read no messages."
                                     : "No predictions: every message read was set aside.";
  }
  out["total_predictions"] = s.predicted;
  if (s.forecast_target) {
    add_forecasts(s, out);
    if (s.figures) out.update(figures_json(*s.figures));
  } else {
    add_labels(s, out);
  }
  out["pipeline_metrics"] = pipeline_metrics(s);
  if (!s.forecast_target) {
    out["segments"] = segments(s);
    out["top_risk"] = top_risk(s);
  }
  out["dead_letters"] = s.dead_lettered;
  out["skipped_by_retention"] = s.skipped_by_retention;
  out["dead_letters_by_code"] = counts(s.dead_letters_by_code);
  out["dead_letters_by_field"] = counts(s.dead_letters_by_field);
  out["latency_ms"] = latency(s.latency_ms);
  if (!s.forecast_target) out["probability_histogram"] = histogram(s);
  if (s.alerts) out["drift_alerts"] = alerts_json(*s.alerts);
  out["commits"] = s.commits;
  out["rebalances"] = s.rebalances;
  return out;
}

Value score_result_json(const RunSummary& s) {
  Value out = Value::object();
  out["pipeline"] = s.pipeline;
  out["consumed"] = s.consumed;
  out["predicted"] = s.predicted;
  out["dead_lettered"] = s.dead_lettered;
  out["skipped_by_retention"] = s.skipped_by_retention;
  out["duration_s"] = rounded(s.duration_s);
  out["rate_per_s"] = rounded(s.rate_per_s());
  if (s.forecast_target) {
    add_forecasts(s, out);
  } else {
    out["mean_probability"] = s.mean_probability();
    out["positive_rate"] = share(positives(s), s.predicted);
    out["predictions_by_label"] = counts(labels(s));
    out["threshold"] = s.threshold;
  }
  out["model_version"] = s.model_version;
  out["stop_reason"] = s.stop_reason;
  out["commits"] = s.commits;
  out["rebalances"] = s.rebalances;
  out["dead_letters_by_code"] = counts(s.dead_letters_by_code);
  out["latency_ms"] = latency(s.latency_ms);
  Value cpu = Value::object();
  for (const auto& [stage, ns] : s.stage_cpu_ns) cpu[stage] = ns;
  out["stage_cpu_ns"] = std::move(cpu);
  return out;
}

}  // namespace millrace::report
