#include "app/trial_journal.h"

#include <algorithm>
#include <utility>

#include "env/crash_point.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr int kVersion = 1;

std::string head_of(const std::string& key) {
  return json::to_line({{"tune", kVersion}, {"key", key}}) + "\n";
}

std::string line_of(const Trial& trial, const std::string& figure) {
  json::Value parameters = json::Value::object();
  for (const auto& [name, value] : trial.parameters) parameters[name] = value;
  return json::to_line(
             {{"params", std::move(parameters)}, {figure, trial.error}, {"folds", trial.folds}}) +
         "\n";
}

std::optional<Trial> trial_of(const json::Value& line, const std::string& figure) {
  Trial trial;
  const auto numbers = [](const json::Value& value) {
    return std::all_of(value.begin(), value.end(),
                       [](const json::Value& v) { return v.is_number(); });
  };
  if (!line.is_object() || !line.contains("params") || !line.contains(figure) ||
      !line.contains("folds")) {
    return std::nullopt;
  }
  const json::Value& parameters = line["params"];
  const json::Value& folds = line["folds"];
  if (!parameters.is_object() || !numbers(parameters) || !line[figure].is_number() ||
      !folds.is_array() || !numbers(folds)) {
    return std::nullopt;
  }
  for (const auto& [name, value] : parameters.items()) trial.parameters[name] = value.get<double>();
  trial.error = line[figure].get<double>();
  for (const json::Value& fold : folds) trial.folds.push_back(fold.get<double>());
  return trial;
}

Error unsound(const env::Path& path, std::size_t line, const std::string& why) {
  return {ErrorCode::kCorrupt, path.string() + ", line " + std::to_string(line) + ": " + why +
                                   "; remove the file to begin the search anew"};
}

}  // namespace

Result<TrialJournal> TrialJournal::open(const env::Path& path, const std::string& key,
                                        std::string_view figure) {
  MILLRACE_TRY(env::make_folders(path.parent_path()));
  MILLRACE_ASSIGN(env::FileLock lock, env::FileLock::acquire(path.string() + ".lock"));
  TrialJournal journal(path, std::move(lock), head_of(key), std::string(figure));
  auto found = env::read_file(path, kBytesMax);
  if (!found && found.error().code() == ErrorCode::kNoInput) return journal;
  if (!found) return found.error();
  std::size_t number = 0;
  for (std::size_t at = 0; at < found->size();) {
    const std::size_t end = std::min(found->find('\n', at), found->size());
    const std::string line = found->substr(at, end - at);
    at = end + 1;
    ++number;
    if (number == 1) {
      if (line + "\n" != journal.text_) return unsound(path, number, "this is another search");
      continue;
    }
    const auto parsed = json::parse(line, path.string());
    if (!parsed) return unsound(path, number, parsed.error().message());
    std::optional<Trial> trial = trial_of(*parsed, journal.figure_);
    if (!trial) return unsound(path, number, "this is no trial");
    journal.text_ += line + "\n";
    journal.trials_.push_back(std::move(*trial));
  }
  return journal;
}

const Trial* TrialJournal::find(const eval::Assignment& parameters) const {
  const auto found = std::find_if(trials_.begin(), trials_.end(), [&](const Trial& trial) {
    return trial.parameters == parameters;
  });
  return found == trials_.end() ? nullptr : &*found;
}

Status TrialJournal::add(Trial trial) {
  text_ += line_of(trial, figure_);
  trials_.push_back(std::move(trial));
  env::crash_point("tune.before_trial_kept");
  MILLRACE_TRY(env::write_file_atomic(path_, text_));
  env::crash_point("tune.after_trial_kept");
  return {};
}

}  // namespace millrace::app
