#include "app/findings.h"

#include "app/terminal/table.h"
#include "engine/record_scorer.h"
#include "json/json.h"

namespace millrace::app {
namespace {

const char* word_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kBad:
      break;
  }
  return "BAD";
}

// "leaders 1, 2" or what is wrong with them, as a bad finding.
Result<std::string> leaders_text(const log::TopicInfo& topic) {
  std::string leaders;
  for (const log::PartitionInfo& partition : topic.partitions) {
    if (!partition.leader) {
      return Error(ErrorCode::kUnavailable, "topic '" + topic.name.value() + "': partition " +
                                                std::to_string(partition.partition.value()) +
                                                " has no leader; a broker is down");
    }
    leaders += (leaders.empty() ? "" : ",") + std::to_string(*partition.leader);
  }
  return ", leaders " + leaders;
}

}  // namespace

Finding good(const std::string& what, std::string text) {
  return {what, Verdict::kGood, std::move(text), 0};
}

Finding warning(const std::string& what, std::string text) {
  return {what, Verdict::kWarning, std::move(text), 0};
}

Finding bad(const std::string& what, const Error& error) {
  return {what, Verdict::kBad, error.message(), error.exit_code()};
}

int exit_of(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (finding.exit != 0) return finding.exit;
  }
  return 0;
}

std::string to_text(const std::vector<Finding>& findings) {
  Table table({{"check"}, {""}, {""}});
  for (const Finding& finding : findings) {
    table.add_row({finding.what, word_of(finding.verdict), finding.text});
  }
  return table.to_string();
}

json::Value to_json(const std::vector<Finding>& findings) {
  json::Value list = json::Value::array();
  for (const Finding& finding : findings) {
    list.push_back(
        {{"check", finding.what}, {"verdict", word_of(finding.verdict)}, {"text", finding.text}});
  }
  return list;
}

Finding check_model(Session& session, const spec::Pipeline& pipeline) {
  const auto model = session.registry().load(pipeline.name);
  if (!model) return bad("model", model.error());
  const auto scorer = engine::RecordScorer::make(pipeline, *model, session.clock());
  if (!scorer) return bad("model", scorer.error());
  return good("model", model->manifest.version + " loads, its canary rows agree, predictor " +
                           std::string(scorer->predictor()));
}

Finding check_topic(log::Log& log, const spec::TopicSpec& topic) {
  const auto found = log.admin().describe_topic(topic.name);
  if (!found) return bad("topic", found.error());
  const auto partitions = static_cast<std::int32_t>(found->partitions.size());
  std::string text = topic.name.value() + ": " + std::to_string(partitions) +
                     (partitions == 1 ? " partition" : " partitions");
  if (log.capabilities().brokers) {
    const auto leaders = leaders_text(*found);
    if (!leaders) return bad("topic", leaders.error());
    text += *leaders;
  }
  if (partitions == topic.config.partitions) return good("topic", text);
  return warning("topic",
                 text + ", where the pipeline says " + std::to_string(topic.config.partitions));
}

}  // namespace millrace::app
