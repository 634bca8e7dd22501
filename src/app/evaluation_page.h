// The page that `evaluate` leaves: how good a model is on rows with known labels.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/session.h"
#include "engine/labelled_table.h"
#include "features/transform.h"
#include "model/tree_ensemble.h"

namespace millrace::app {

// What is evaluated on which rows. References must outlive the call.
struct Evaluated {
  const features::Transform& transform;
  const model::TreeEnsemble& ensemble;
  std::span<const std::size_t> rows;                        // of the table
  std::string model_version;                                // "" for a model that was not kept
  std::string rows_note;                                    // which rows these are, for people
  std::vector<std::pair<std::string, double>> importances;  // share of all gain
};

// Writes reports/evaluation_<time>.html, never over another one; returns where. Errors: as
// env/file.h, and what scoring the rows gives.
Result<env::Path> write_evaluation_page(Session& session, const spec::Pipeline& pipeline,
                                        const engine::LabelledTable& table,
                                        const Evaluated& evaluated);

}  // namespace millrace::app
