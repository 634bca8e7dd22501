// millrace reference [PAGE]: the reference pages of docs/, made from the program's own tables.
#include "spec/reference.h"

#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/errors_page.h"
#include "app/session.h"
#include "telemetry/metric_table.h"

namespace millrace::app {
namespace {

const std::string kCliPreface = R"(# Command line

Made from the program (`millrace reference cli`); a test holds the two together.

Exit codes and the codes of errors: [errors](errors.md).
)";

Result<std::string> page(const std::string& name, const CommandLine& line) {
  if (name == "pipeline") return spec::pipeline_reference();
  if (name == "cli") return kCliPreface + line.markdown();
  if (name == "errors") return errors_reference();
  if (name == "metrics") return telemetry::metrics_reference();
  return Error(ErrorCode::kUsage,
               "no page '" + name + "': choose cli, errors, metrics or pipeline");
}

}  // namespace

void register_reference(CommandLine& line) {
  auto name = std::make_shared<std::string>();
  line.command("reference", "Print a reference page: cli, errors, metrics or pipeline",
               "millrace reference\nmillrace reference pipeline | less")
      .positional("page", name.get(), "cli, errors, metrics or pipeline (default: list them)",
                  Presence::kOptional)
      .runs([name, &line](Session& session) -> Result<int> {
        if (name->empty()) {
          MILLRACE_TRY(session.write("cli\nerrors\nmetrics\npipeline\n"));
          return 0;
        }
        MILLRACE_ASSIGN(const std::string text, page(*name, line));
        MILLRACE_TRY(session.write(text));
        return 0;
      });
}

}  // namespace millrace::app
