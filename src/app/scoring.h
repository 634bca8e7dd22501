// Setting up and running a score run: shared by `score` and `demo`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/monitoring.h"
#include "app/session.h"
#include "base/result.h"
#include "data/run_summary.h"
#include "engine/record_scorer.h"
#include "engine/score_run.h"
#include "model/registry.h"
#include "spec/pipeline.h"

namespace millrace::app {

struct ScoringOptions {
  engine::ScoreOptions::Mode mode = engine::ScoreOptions::Mode::kStreaming;
  std::optional<std::int64_t> messages_max;
  std::int64_t timeout_ms = 10'000;
  std::int64_t progress_every = 0;
  std::string group;
  std::string input_topic;
  std::string output_topic;
  std::string dead_letter_topic;
  std::string model;
  std::string model_path;
  std::string from = "earliest";
  std::string predictor;
  bool validate = false;
  bool no_create_topics = false;
  bool no_report = false;
  bool log_records = false;
  MonitoringOptions monitoring;
};

// Everything that can be wrong before the first record is read has been checked.
struct ScoringPlan {
  spec::Pipeline pipeline;  // with the flags' topics and group
  model::LoadedModel model;
  std::optional<engine::RecordScorer> scorer;  // set by plan_scoring()
  log::StartAt start = log::StartAt::kEarliest;
  Timestamp start_time;
};

struct ScoringOutcome {
  data::RunSummary summary;
  env::Path report_json;  // empty without a report
  env::Path report_html;
};

// Errors: what the pipeline, the model and the flags give (kConfig, kNoModel, kBadModel, kUsage).
Result<ScoringPlan> plan_scoring(Session& session, spec::Pipeline pipeline,
                                 const ScoringOptions& options);

// Opens the log, creates topics, runs to the end, writes the report of a window.
Result<ScoringOutcome> run_scoring(Session& session, ScoringPlan plan,
                                   const ScoringOptions& options);

// The summary as a few lines for people.
std::string describe(const ScoringOutcome& outcome);

}  // namespace millrace::app
