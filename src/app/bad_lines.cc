#include "app/bad_lines.h"

#include "base/human.h"
#include "base/text.h"
#include "json/json.h"

namespace millrace::app {
namespace {
constexpr std::size_t kShown = 20;
}

void say_bad_lines(Session& session, const std::vector<engine::BadLine>& lines,
                   std::uint64_t total) {
  for (std::size_t i = 0; i < lines.size() && i < kShown; ++i) {
    session.say("line " + std::to_string(lines[i].line) + ": " + printable(lines[i].message, 500));
  }
  if (total > kShown)
    session.say("... and " + human_count(total - kShown, "more bad row", "more bad rows"));
}

json::Value bad_lines_json(const std::vector<engine::BadLine>& lines) {
  json::Value list = json::Value::array();
  for (const engine::BadLine& line : lines)
    list.push_back({{"line", line.line}, {"message", line.message}});
  return list;
}

}  // namespace millrace::app
