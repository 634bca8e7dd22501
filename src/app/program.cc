// run_program(): from the command line to an exit code.
#include <csignal>
#include <cstdio>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/session.h"
#include "app/version.h"
#include "base/text.h"
#include "json/json.h"

namespace millrace::app {
namespace {

constexpr std::int64_t kLogFileBytesMin = 4096;
constexpr std::int64_t kLogFileBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kLogFilesMax = 1000;

void declare_common(CommandLine& line, CommonFlags& flags, bool& version) {
  line.common()
      .value("--home", &flags.home, "Folder with the log, models, checkpoints and reports")
      .value("--log", &flags.log,
             "The log: sqlite:FILE, or kafka://HOST:PORT[,...] (default: log.db under --home)")
      .value("--broker,--bootstrap", &flags.broker, "Same as --log kafka://HOST:PORT[,...]")
      .value("--set", &flags.set,
             "Override a pipeline key, e.g. --set model.threshold=0.4 (repeatable)")
      .value("-X", &flags.properties, "librdkafka property=value (Kafka only; repeatable)")
      .choice("--log-level", &flags.log_level,
              {"debug", "info", "warning", "error", "critical", "off", "DEBUG", "INFO", "WARNING",
               "ERROR", "CRITICAL"},
              "Least severe log line to show")
      .choice("--log-format", &flags.log_format, {"text", "json"},
              "Log lines on stderr for people, or a JSON object a line")
      .value("--log-file", &flags.log_file,
             "Also write log lines, from info on, to this file as JSON; it rotates")
      .value("--log-file-bytes", &flags.log_file_bytes, "Size at which the log file rotates",
             kLogFileBytesMin, kLogFileBytesMax)
      .value("--log-files", &flags.log_files, "Files of the log that are kept, the newest included",
             1, kLogFilesMax)
      .flag("--json", &flags.json, "End with one JSON object on one line instead of text")
      .flag("-q,--quiet", &flags.quiet, "No messages and no progress")
      .flag("-v,--verbose", &flags.verbose, "Log what happens (same as --log-level info)")
      .flag("--version", &version, "Print the version");
}

// Of stderr. The command line has checked the word.
telemetry::Level level_of(const CommonFlags& flags) {
  if (flags.quiet) return telemetry::Level::kError;
  return telemetry::parse_level(flags.verbose ? "info" : flags.log_level)
      .value_or(telemetry::Level::kWarning);
}

// Level, format and file of log lines.
Status set_up(telemetry::Logger& logger, const CommonFlags& flags) {
  logger.set_level(level_of(flags));
  if (flags.log_format == "json") logger.set_format(telemetry::LineFormat::kJson);
  if (flags.log_file.empty()) return {};
  return logger.open_file(flags.log_file, {static_cast<std::uint64_t>(flags.log_file_bytes),
                                           static_cast<std::uint32_t>(flags.log_files)});
}

// Whether a message starts with file:line:column.
bool names_a_place(std::string_view message) {
  std::string_view place = message.substr(0, message.find(": "));
  for (int numbers = 0; numbers < 2; ++numbers) {
    const std::size_t colon = place.rfind(':');
    if (colon == std::string_view::npos || colon + 1 == place.size()) return false;
    if (place.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) return false;
    place = place.substr(0, colon);
  }
  return true;
}

// Whether stderr has the error already.
enum class Told { kNot, kAsJson };

// `signal`: what asked the program to stop, 0 for nothing. A job that it cut short tells it by its
// exit code.
int report(const CommandLine& line, const Error& error, const CommonFlags& flags,
           Told told = Told::kNot, int signal = 0) {
  const bool cut_short = error.code() == ErrorCode::kInterrupted && signal != 0;
  const int exit_code = cut_short ? 128 + signal : error.exit_code();
  // file:line:column first, as editors and scripts look for it.
  const char* const program = names_a_place(error.message()) ? "" : "millrace: ";
  if (told == Told::kNot) std::fprintf(stderr, "%s%s\n", program, error.message().c_str());
  if (flags.json && !line.prints_records()) {
    json::Value object;
    object["error"] = {
        {"code", to_string(error.code())}, {"message", error.message()}, {"exit", exit_code}};
    std::fprintf(stdout, "%s\n", json::to_line(object).c_str());
    std::fflush(stdout);
  }
  return exit_code;
}

}  // namespace

void register_commands(CommandLine& line) {
  register_demo(line);
  register_init(line);
  register_validate(line);
  register_explain(line);
  register_doctor(line);
  register_topics(line);
  register_produce(line);
  register_score(line);
  register_sink(line);
  register_train(line);
  register_evaluate(line);
  register_tune(line);
  register_predict(line);
  register_transform(line);
  register_model(line);
  register_dlq(line);
  register_groups(line);
  register_tap(line);
  register_top(line);
  register_trace(line);
  register_health(line);
  register_log(line);
  register_simulate(line);
  register_reference(line);
  register_version(line);
}

int run_program(int argc, const char* const* argv) {
  CommonFlags flags;
  bool version = false;
  CommandLine line;
  declare_common(line, flags, version);
  register_commands(line);
  const Result<bool> parsed = line.parse(argc, argv);
  if (version) {
    std::printf("%s\n", version_line().c_str());
    return 0;
  }
  if (!parsed) return report(line, parsed.error(), flags);
  if (!*parsed) return 0;
  telemetry::Logger logger;
  if (const Status ready = set_up(logger, flags); !ready) return report(line, ready.error(), flags);
  env::StopToken stop;
  stop.listen_to_signals();
  Session session(flags, env::real_clock(), stop, logger);
  const Result<int> exit = line.chosen()(session);
  if (!exit) {
    const Error& error = exit.error();
    logger.event(telemetry::Level::kError, "failed",
                 {{"code", to_string(error.code())}, {"message", error.message()}});
    const bool on_screen = level_of(flags) <= telemetry::Level::kError;
    const auto told = flags.log_format == "json" && on_screen ? Told::kAsJson : Told::kNot;
    return report(line, error, flags, told, stop.signal());
  }
  if (const Status flushed = session.flush(); !flushed) return report(line, flushed.error(), flags);
  return *exit;
}

}  // namespace millrace::app
