#include "app/refused_words.h"

#include <algorithm>
#include <array>

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 11> kLaterCommands = {
    "analyze",        "completion", "data",  "log backup", "log restore", "model import",
    "model rollback", "pipeline",   "serve", "state",      "test"};

constexpr std::array<std::string_view, 6> kLaterFlags = {
    "--against-running", "--canary", "--explain", "--shadow", "--to", "--with-score"};

constexpr std::string_view kLater = " is not in this version yet";

}  // namespace

std::optional<std::string> refused_command(std::string_view path) {
  if (std::find(kLaterCommands.begin(), kLaterCommands.end(), path) == kLaterCommands.end()) {
    return std::nullopt;
  }
  return "'" + std::string(path) + "'" + std::string(kLater);
}

std::optional<std::string> refused_flag(std::string_view flag) {
  const std::string name(flag);
  if (flag == "--model-backend") {
    return name + " is gone: models are trained by 'millrace train' or named by --model-path";
  }
  if (flag == "--preprocessor-path") {
    return name + " is gone: the features are part of the model (--model-path)";
  }
  if (flag == "--prediction-schema") {
    return name + " is gone: the schema is part of the pipeline file (score --validate checks it)";
  }
  if (flag.size() > 9 && flag.starts_with("--") && flag.ends_with("-schema")) {
    return name + " is gone: the schema is part of the pipeline file (millrace validate PIPELINE)";
  }
  if (std::find(kLaterFlags.begin(), kLaterFlags.end(), flag) == kLaterFlags.end()) {
    return std::nullopt;
  }
  return name + std::string(kLater);
}

}  // namespace millrace::app
