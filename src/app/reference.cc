// millrace reference: the pages of docs/reference, made of the tables the program runs on.
#include "spec/reference.h"

#include <functional>
#include <map>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "base/text.h"
#include "data/record_error.h"
#include "json/json.h"

namespace millrace::app {
namespace {

std::string_view word(Disposition disposition) {
  switch (disposition) {
    case Disposition::kRetry:
      return "tries again";
    case Disposition::kSkipRecord:
      return "sets the record aside";
    case Disposition::kAbortBatch:
      return "takes the batch back";
    case Disposition::kFatal:
      return "stops";
  }
  return "";
}

std::string errors_page() {
  std::string out =
      "# Error codes\n\nMade by `make docs` from the program's own tables.\n\n"
      "## Of a run\n\nWhat `--json` calls `error.code`, and the exit code of the process.\n\n"
      "| code | exit code | the record's path |\n|---|---|---|\n";
#define MILLRACE_ROW(name, text, disposition, origin, exit)                    \
  out += std::string("| `") + (text) + "` | " + std::to_string(exit) + " | " + \
         std::string(word(Disposition::disposition)) + " |\n";
  MILLRACE_ERROR_CODES(MILLRACE_ROW)
#undef MILLRACE_ROW
  out +=
      "\n## Of a record\n\nWhy a record became a dead letter: the header "
      "`__millrace.errors.code`, with its `__millrace.errors.type`.\n\n"
      "| code | type |\n|---|---|\n";
#define MILLRACE_ROW(name, text, type)                                                           \
  out += std::string("| `") + (text) + "` | `" + std::string(to_string(data::ErrorType::type)) + \
         "` |\n";
  MILLRACE_RECORD_CODES(MILLRACE_ROW)
#undef MILLRACE_ROW
  return out;
}

using Pages = std::map<std::string, std::function<std::string()>>;

Result<int> print(Session& session, const Pages& pages, const std::string& name) {
  if (name.empty()) {
    for (const auto& [page, make] : pages) MILLRACE_TRY(session.write(page + "\n"));
    return 0;
  }
  const auto page = pages.find(name);
  if (page == pages.end()) {
    return Error(ErrorCode::kUsage, "there is no reference page '" + printable(name) +
                                        "'; millrace reference lists them");
  }
  MILLRACE_TRY(session.write(page->second()));
  return 0;
}

}  // namespace

void register_reference(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  const CommandLine* commands = &line;
  const Pages pages = {
      {"cli",
       [commands] {
         return "# Commands\n\nMade by `make docs` from `millrace COMMAND --help`.\n" +
                commands->markdown();
       }},
      {"errors", errors_page},
      {"pipeline", spec::pipeline_reference},
  };
  line.command("reference",
               "Print a reference page (commands, error codes, pipeline keys) as Markdown",
               "millrace reference\nmillrace reference pipeline")
      .positional("page", name.get(), "Without it: the names of the pages", Presence::kOptional)
      .runs([name, pages](Session& session) { return print(session, pages, *name); });
}

}  // namespace millrace::app
