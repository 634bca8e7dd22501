// `trace` where the pipeline forecasts: an answer comes of the readings before it, so the partition
// is gone through from its beginning, as the scorer did; and what was forecast is held against what
// was measured later.
#pragma once

#include <cstdint>
#include <string>

#include "app/session.h"
#include "app/trace_text.h"
#include "base/result.h"
#include "log/log.h"
#include "spec/pipeline.h"

namespace millrace::app {

struct ForecastTraceOptions {
  std::string model;          // "": the current one
  bool all_features = false;  // of one reading, for people
  std::int64_t limit = 24;    // of a key: so many of its last readings
};

// One reading, step by step. Errors: of the model and the log; kInterrupted.
Result<int> trace_reading(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                          const Place& place, Found found, const ForecastTraceOptions& options);

// The last readings of a key on `topic`, a line each. Errors: as above; kNoInput where the topic
// has no record with that key.
Result<int> trace_key(Session& session, log::Log& log, const spec::Pipeline& pipeline,
                      const TopicName& topic, const std::string& key,
                      const ForecastTraceOptions& options);

}  // namespace millrace::app
