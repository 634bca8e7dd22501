// A first pipeline for a file (`init`): types, categories, key, label and features as the file
// shows them.
#pragma once

#include <string>

#include "base/result.h"
#include "env/stop.h"

namespace millrace::ingest {

// A column with more different texts is no category.
inline constexpr std::size_t kCategoryLevelsMax = 50;

// The text of a pipeline.yaml named `name` for the data in `path` (CSV or NDJSON), with comments
// that say what was seen and what to look at. It trains, produces and scores without an edit. The
// whole file is read, in bounded memory; its dialect is found out here and stated in the pipeline,
// so that nothing is guessed later. Errors: kNoInput, kPermission; kUsage for a name that is no
// pipeline name or a target that is no column; kBadData for a file that is no table or a target
// with one level; kNotBuilt for a target with more than two levels or of numbers; kInterrupted.
Result<std::string> starter_pipeline(const std::string& name, const std::string& path,
                                     const std::string& target, const env::StopToken& stop);

}  // namespace millrace::ingest
