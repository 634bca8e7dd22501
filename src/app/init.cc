// millrace init NAME --data FILE --target COLUMN
#include <memory>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "ingest/profile.h"
#include "json/json.h"

namespace millrace::app {
namespace {

struct Options {
  std::string name;
  std::string data;
  std::string target;
};

Result<int> run(Session& session, const Options& options) {
  if (options.data.empty() || options.target.empty()) {
    return Error(ErrorCode::kUsage, "--data FILE and --target COLUMN are needed");
  }
  const env::Path folder = options.name;
  const env::Path file = folder / "pipeline.yaml";
  const std::string name = folder.filename().string();
  MILLRACE_ASSIGN(const std::string text,
                  ingest::starter_pipeline(name, options.data, options.target, session.stop()));
  MILLRACE_TRY(env::make_folders(folder));
  MILLRACE_ASSIGN(const bool written, env::write_file_new(file, text));
  if (!written) {
    return Error(ErrorCode::kUsage, "'" + file.string() + "' exists already and is left as it is");
  }
  // A folder named like a shipped pipeline needs a '/' to be told from it.
  const bool shipped = spec::shipped_file(folder.string(), "pipeline.yaml").has_value();
  const std::string argument = shipped ? "./" + folder.string() : folder.string();
  json::Value result;
  result["pipeline"] = name;
  result["file"] = file.string();
  MILLRACE_TRY(session.finish(
      result, "wrote " + file.string() + ". Look it over, then:\n  millrace train " + argument +
                  " --data " + options.data + "\n  millrace produce " + argument + " --data " +
                  options.data + "\n  millrace score " + argument + " --mode batch"));
  return 0;
}

}  // namespace

void register_init(CommandLine& line) {
  auto options = std::make_shared<Options>();
  line.command("init", "Write a starter pipeline from what a file holds",
               "millrace init accounts --data accounts.csv --target left\n"
               "millrace train accounts --data accounts.csv")
      .positional("name", &options->name, "Name of the pipeline and of the folder it is written to")
      .value("--data,--dataset-path", &options->data,
             "CSV, NDJSON or Parquet file with a header and the target")
      .value("--target", &options->target, "Column to predict; it has two levels")
      .runs([options](Session& session) { return run(session, *options); });
}

}  // namespace millrace::app
