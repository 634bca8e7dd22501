#include "app/tuning.h"

#include <algorithm>
#include <utility>

#include "app/terminal/progress.h"
#include "app/trial_journal.h"
#include "app/tuning_subject.h"
#include "app/version.h"
#include "config/scalars.h"
#include "env/digest.h"

namespace millrace::app {
namespace {

constexpr std::size_t kKeyDigits = 16;  // of a digest, in a file's name

json::Value json_of(const eval::Assignment& parameters) {
  json::Value out = json::Value::object();
  for (const auto& [name, value] : parameters) {
    // Whole numbers without a point, as people write them.
    if (value == static_cast<double>(static_cast<std::int64_t>(value))) {
      out[name] = static_cast<std::int64_t>(value);
    } else {
      out[name] = value;
    }
  }
  return out;
}

json::Value json_of(const Trial& trial, const std::string& figure) {
  return {{"params", json_of(trial.parameters)}, {figure, trial.error}, {"folds", trial.folds}};
}

bool is_order(std::string_view name) { return name == "p" || name == "d" || name == "q"; }

// "[2, 1, 2]", where the parameters are an ARIMA's.
std::optional<std::string> order_text(const eval::Assignment& parameters) {
  if (parameters.find("p") == parameters.end()) return std::nullopt;
  std::string out;
  for (const char* name : {"p", "d", "q"})
    out += (out.empty() ? "[" : ", ") + config::format_number(parameters.at(name));
  return out + "]";
}

std::vector<std::string> set_of(const eval::Assignment& parameters) {
  if (const auto order = order_text(parameters)) return {"target.arima=" + *order};
  std::vector<std::string> out;
  for (const auto& [name, value] : parameters)
    out.push_back("model." + name + "=" + config::format_number(value));
  return out;
}

// Of the space in the pipeline what its algorithm has; where that is nothing, the space that is
// its algorithm's by default.
eval::SearchSpace space_of(const spec::Pipeline& pipeline) {
  const bool arima = pipeline.model.algorithm == model::Algorithm::kArima;
  eval::SearchSpace space;
  for (const eval::Dimension& dimension : pipeline.tune)
    if (is_order(dimension.name) == arima) space.push_back(dimension);
  if (!space.empty()) return space;
  return arima ? default_arima_space() : default_tune_space();
}

Result<std::vector<eval::Assignment>> candidates_of(const eval::SearchSpace& space,
                                                    const TuneOptions& options) {
  if (options.search == TuneOptions::Search::kGrid) return eval::grid(space);
  return eval::random_search(space, options.trials, options.seed);
}

// The pipeline's present values of what is searched.
Result<eval::Assignment> present_of(const spec::LoadedPipeline& loaded,
                                    const eval::SearchSpace& space) {
  eval::Assignment out;
  if (is_order(space.front().name)) {
    const series::ArimaOrder& order = loaded.pipeline.forecast->arima;
    return eval::Assignment{{"p", order.p}, {"d", order.d}, {"q", order.q}};
  }
  for (const eval::Dimension& dimension : space) {
    for (const spec::Provenance& row : loaded.provenance) {
      if (row.path != "model." + dimension.name) continue;
      MILLRACE_ASSIGN(out[dimension.name], config::parse_number(row.value));
    }
  }
  return out;
}

// One search, from its file to its report.
class Tuning {
 public:
  Tuning(Session& session, const TuneOptions& options, spec::LoadedPipeline loaded,
         TuningSubject& subject)
      : session_(session), options_(options), loaded_(std::move(loaded)), subject_(subject) {}

  Result<json::Value> run() {
    const spec::Pipeline& pipeline = loaded_.pipeline;
    const eval::SearchSpace space = space_of(pipeline);
    MILLRACE_ASSIGN(std::vector<eval::Assignment> candidates, candidates_of(space, options_));
    MILLRACE_ASSIGN(const eval::Assignment present, present_of(loaded_, space));
    // An order is always whole: what the space leaves out is the present one's.
    for (eval::Assignment& candidate : candidates)
      if (is_arima()) candidate.insert(present.begin(), present.end());
    candidates.erase(std::remove(candidates.begin(), candidates.end(), present), candidates.end());
    candidates.insert(candidates.begin(), present);
    MILLRACE_ASSIGN(const std::string key, search_key());
    const env::Path file = session_.reports_folder() /
                           ("tune_" + pipeline.name + "_" + key.substr(0, kKeyDigits) + ".ndjson");
    MILLRACE_ASSIGN(TrialJournal journal, TrialJournal::open(file, key, subject_.figure()));
    MILLRACE_ASSIGN(std::vector<Trial> trials, run_trials(journal, candidates));
    const Trial now = trials.front();
    std::stable_sort(trials.begin(), trials.end(),
                     [](const Trial& a, const Trial& b) { return a.error < b.error; });
    return report(trials, now, file);
  }

 private:
  bool is_arima() const { return loaded_.pipeline.model.algorithm == model::Algorithm::kArima; }

  // All that a trial's figure depends on but its parameters.
  Result<std::string> search_key() const {
    MILLRACE_ASSIGN(const std::string data, env::sha256_file(options_.data));
    // Without what is searched: a larger space takes over the trials of a smaller one.
    std::vector<std::string> set = options_.set;
    set.emplace_back("tune={}");
    MILLRACE_ASSIGN(const spec::LoadedPipeline plain,
                    session_.load_pipeline(options_.pipeline, set));
    return env::sha256_hex(plain.pipeline.text + "\n" + data + "\n" + version_line() + "\n" +
                           std::to_string(options_.folds));
  }

  Result<std::vector<Trial>> run_trials(TrialJournal& journal,
                                        const std::vector<eval::Assignment>& candidates) {
    Progress progress(session_.clock(),
                      session_.flags().quiet ? Progress::Sink::kNone : Progress::Sink::kTerminal,
                      "tuning", candidates.size() * kParts);
    progress.step_aside_for(session_.logger());
    std::vector<Trial> trials;
    for (const eval::Assignment& candidate : candidates) {
      const std::uint64_t before = trials.size() * kParts;
      progress.update(before);
      if (const Trial* known = journal.find(candidate)) {
        trials.push_back(*known);
        ++from_before_;
        continue;
      }
      Result<Trial> trial = measured(candidate, [&](double share) {
        progress.update(before + static_cast<std::uint64_t>(share * kParts));
      });
      if (!trial && trial.error().code() == ErrorCode::kInterrupted) {
        return Error(ErrorCode::kInterrupted, "stopped after " + std::to_string(trials.size()) +
                                                  " of " + std::to_string(candidates.size()) +
                                                  " trials; the same command goes on from there");
      }
      if (!trial) return trial.error();
      trials.push_back(*trial);
      MILLRACE_TRY(journal.add(std::move(*trial)));
    }
    return trials;
  }

  template <class Shown>
  Result<Trial> measured(const eval::Assignment& candidate, const Shown& shown) const {
    MILLRACE_ASSIGN(const spec::LoadedPipeline with, with_parameters(candidate));
    Trial trial;
    trial.parameters = candidate;
    MILLRACE_ASSIGN(trial.folds, subject_.folds_of(with.pipeline, shown));
    for (const double fold : trial.folds)
      trial.error += fold / static_cast<double>(trial.folds.size());
    return trial;
  }

  // The pipeline file's own check of every value.
  Result<spec::LoadedPipeline> with_parameters(const eval::Assignment& parameters) const {
    std::vector<std::string> set = options_.set;
    for (std::string& pair : set_of(parameters)) set.push_back(std::move(pair));
    return session_.load_pipeline(options_.pipeline, set);
  }

  Result<json::Value> report(const std::vector<Trial>& trials, const Trial& now,
                             const env::Path& journal) {
    const Trial& best = trials.front();
    MILLRACE_ASSIGN(const spec::LoadedPipeline with, with_parameters(best.parameters));
    MILLRACE_ASSIGN(const json::Value held_out, subject_.held_out(with.pipeline));
    const std::string figure(subject_.figure());
    const bool grid = options_.search == TuneOptions::Search::kGrid;
    json::Value out = {{"pipeline", loaded_.pipeline.name},
                       {"figure", figure},
                       {"best_params", json_of(best.parameters)},
                       {figure, best.error},
                       {"n_splits", options_.folds},
                       {"search", grid ? "grid" : "random"},
                       {"present", {{"params", json_of(now.parameters)}, {figure, now.error}}},
                       {"trials_from_before", from_before_},
                       {"set", set_flags_of(best.parameters)},
                       {"snippet", snippet_of(best.parameters)},
                       {"bad_rows", subject_.bad_rows()},
                       {"journal", journal.string()}};
    out.update(held_out);
    out["trials"] = json::Value::array();
    for (const Trial& trial : trials) out["trials"].push_back(json_of(trial, figure));
    const env::Path folder =
        options_.folder.empty() ? session_.reports_folder() : env::Path(options_.folder);
    MILLRACE_TRY(env::make_folders(folder));
    const env::Path file = folder / ("tune_report_" + subject_.name() + ".json");
    out["report"] = file.string();
    MILLRACE_TRY(env::write_file_atomic(file, json::to_pretty(out)));
    return out;
  }

  static constexpr std::uint64_t kParts = 1000;  // of a trial, on the progress bar

  Session& session_;
  const TuneOptions& options_;
  spec::LoadedPipeline loaded_;
  TuningSubject& subject_;
  std::size_t from_before_ = 0;
};

}  // namespace

eval::SearchSpace default_tune_space() {
  return {{"depth", eval::Choices{{3, 6, 9}}},
          {"learning_rate", eval::Choices{{0.01, 0.05, 0.1, 0.2}}},
          {"subsample", eval::Choices{{0.6, 0.8, 1}}},
          {"column_sample", eval::Choices{{0.6, 0.8, 1}}}};
}

eval::SearchSpace default_arima_space() {
  return {{"p", eval::Choices{{0, 1, 2, 3}}},
          {"d", eval::Choices{{0, 1}}},
          {"q", eval::Choices{{0, 1, 2}}}};
}

std::string set_flags_of(const eval::Assignment& parameters) {
  std::string out;
  for (const std::string& pair : set_of(parameters)) {
    const bool quoted = pair.find(' ') != std::string::npos;
    out += (out.empty() ? "--set " : " --set ") + (quoted ? "'" + pair + "'" : pair);
  }
  return out;
}

std::string snippet_of(const eval::Assignment& parameters) {
  if (const auto order = order_text(parameters)) return "target:\n  arima: " + *order + "\n";
  std::string out = "model:\n";
  for (const auto& [name, value] : parameters)
    out += "  " + name + ": " + config::format_number(value) + "\n";
  return out;
}

Result<json::Value> tune(Session& session, const TuneOptions& options) {
  MILLRACE_ASSIGN(spec::LoadedPipeline loaded,
                  session.load_pipeline(options.pipeline, options.set));
  const spec::Pipeline& pipeline = loaded.pipeline;
  if (options.data == "-") {
    return Error(ErrorCode::kUsage,
                 "'tune' needs a file that is still the same when it goes on: --data FILE");
  }
  auto subject = pipeline.forecast
                     ? forecast_subject(session, pipeline, options.data, options.folds)
                     : label_subject(session, pipeline, options.data, options.folds);
  if (!subject) return subject.error();
  return Tuning(session, options, std::move(loaded), **subject).run();
}

}  // namespace millrace::app
