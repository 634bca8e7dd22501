#include "app/evaluation_page.h"

#include "app/version.h"
#include "base/human.h"
#include "codec/prediction_writer.h"
#include "report/model_html.h"
#include "report/summary_files.h"

namespace millrace::app {
namespace {

std::vector<std::pair<std::string, std::string>> facts_of(const spec::Pipeline& pipeline) {
  const model::TrainingParameters& p = pipeline.model;
  return {{"trees", std::to_string(p.trees)},
          {"depth", std::to_string(p.depth)},
          {"learning rate", human_number(p.learning_rate, 3)},
          {"rows a tree", human_percent(p.subsample)},
          {"columns a tree", human_percent(p.column_sample)},
          {"seed", std::to_string(p.seed)}};
}

}  // namespace

Result<env::Path> write_evaluation_page(Session& session, const spec::Pipeline& pipeline,
                                        const Evaluated& evaluated) {
  const data::Field& label = pipeline.schema.field(*pipeline.schema.label());
  report::ModelReport page;
  page.pipeline = pipeline.name;
  page.model_version = evaluated.model_version;
  page.rows_note = evaluated.rows_note;
  page.outcome = label.name + " = " + label.values.at(pipeline.positive_code());
  page.program = version_line();
  page.threshold = pipeline.model.threshold;
  page.probabilities = evaluated.probabilities;
  for (double& p : page.probabilities) {
    p = codec::round_to(p, pipeline.output.probability_decimals);
  }
  page.labels = evaluated.labels;
  page.importances = evaluated.importances;
  page.facts = facts_of(pipeline);

  MILLRACE_TRY(env::make_folders(session.reports_folder()));
  const Timestamp now = session.clock().now();
  const std::string html = report::model_to_html(page, now);
  for (int i = 1; i <= report::kSameSecondMax; ++i) {
    const std::string name =
        "evaluation_" + report::file_time(now) + (i == 1 ? "" : "-" + std::to_string(i)) + ".html";
    const env::Path path = session.reports_folder() / name;
    MILLRACE_ASSIGN(const bool ours, env::write_file_new(path, html));
    if (ours) return path;
  }
  return Error(ErrorCode::kLimitExceeded, "too many evaluations within one second");
}

}  // namespace millrace::app
