// What checks find: `doctor` and `health` are lists of these.
#pragma once

#include <string>
#include <vector>

#include "app/session.h"
#include "base/result.h"
#include "json/fwd.h"
#include "log/log.h"
#include "spec/pipeline.h"

namespace millrace::app {

enum class Verdict { kGood, kWarning, kBad };

struct Finding {
  std::string what;  // "log", "model"
  Verdict verdict = Verdict::kGood;
  std::string text;
  int exit = 0;  // of the program, when bad
};

Finding good(const std::string& what, std::string text);
Finding warning(const std::string& what, std::string text);
Finding bad(const std::string& what, const Error& error);

// Exit code of the first bad one, 0 without any.
int exit_of(const std::vector<Finding>& findings);
std::string to_text(const std::vector<Finding>& findings);
// [{check, verdict, text}].
json::Value to_json(const std::vector<Finding>& findings);

// The current model loads, gives its canary rows' answers, and is one for the pipeline.
Finding check_model(Session& session, const spec::Pipeline& pipeline);

// A topic as it is against what the pipeline says of it: partitions, leaders.
Finding check_topic(log::Log& log, const spec::TopicSpec& topic);

}  // namespace millrace::app
