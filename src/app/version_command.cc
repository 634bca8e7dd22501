// millrace version
#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/version.h"
#include "json/json.h"

namespace millrace::app {

void register_version(CommandLine& line) {
  line.command("version", "Print the version", "millrace version\nmillrace version --json")
      .runs([](Session& session) -> Result<int> {
        json::Value result;
        result["version"] = kVersion;
        result["logs"] = {"sqlite", "kafka"};
        result["shipped_pipelines"] = spec::shipped_pipelines();
        MILLRACE_TRY(session.finish(result, version_line()));
        return 0;
      });
}

}  // namespace millrace::app
