// The page that `evaluate` leaves: how good a model is on rows with known labels.
#pragma once

#include <string>
#include <vector>

#include "app/session.h"
#include "spec/pipeline.h"

namespace millrace::app {

// How a model did on some rows.
struct Evaluated {
  std::vector<int> labels;                                  // 1 = the pipeline's positive level
  std::vector<double> probabilities;                        // of that level, beside labels
  std::string model_version;                                // "" for a model that was not kept
  std::string rows_note;                                    // which rows these are, for people
  std::vector<std::pair<std::string, double>> importances;  // share of all gain
};

// Writes reports/evaluation_<time>.html, never over another one; returns where. Errors: as
// env/file.h.
Result<env::Path> write_evaluation_page(Session& session, const spec::Pipeline& pipeline,
                                        const Evaluated& evaluated);

}  // namespace millrace::app
