// What `top` shows of a pipeline.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "app/pipeline_watch.h"
#include "app/terminal/screen.h"
#include "json/fwd.h"

namespace millrace::app {

// What stays the same or is kept between looks.
struct TopContext {
  static constexpr std::size_t kHistoryMax = 240;
  std::string pipeline;
  std::string log;  // URL, secrets masked
  std::string group;
  std::deque<double> predicted;        // predictions a second, the latest last
  std::optional<std::string> problem;  // why the look is an old one
};

// Lines for a screen: never wider, and no more of them than it has rows. On no terminal everything
// is shown.
std::vector<std::string> top_lines(const PipelineView& view, const TopContext& context,
                                   const Screen& screen);

json::Value to_json(const PipelineView& view, const TopContext& context);

}  // namespace millrace::app
