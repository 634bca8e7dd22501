// The command line as data: commands, flags, help with examples first. Keeps CLI11 out of every
// other file.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace millrace::app {

class Session;

// What a command does; the value is the exit code.
using Run = std::function<Result<int>(Session&)>;

enum class Presence { kRequired, kOptional };

// One command (or group of commands). Flags are named as on the command line: "--data",
// "-f,--follow". Every long flag can also come from the environment: --batch-size from
// MILLRACE_BATCH_SIZE. Targets must outlive parsing; a target keeps its value when the flag is not
// given, and that value is shown as the default.
class Command {
 public:
  struct Action {
    Run run;
    std::function<bool()> prints_records;  // none: never
  };
  using Runs = std::map<const CLI::App*, Action>;
  Command(CLI::App* app, Runs* runs) : app_(app), runs_(runs) {}

  Command& positional(const std::string& name, std::string* target, const std::string& help,
                      Presence presence = Presence::kRequired);
  Command& positional(const std::string& name, std::vector<std::string>* target,
                      const std::string& help);
  Command& flag(const std::string& names, bool* target, const std::string& help);
  Command& value(const std::string& names, std::string* target, const std::string& help);
  Command& value(const std::string& names, std::optional<std::string>* target,
                 const std::string& help);
  Command& value(const std::string& names, std::vector<std::string>* target,
                 const std::string& help);
  // Whole numbers within [min, max].
  Command& value(const std::string& names, std::int64_t* target, const std::string& help,
                 std::int64_t min, std::int64_t max);
  Command& value(const std::string& names, std::optional<std::int64_t>* target,
                 const std::string& help, std::int64_t min, std::int64_t max);
  Command& value(const std::string& names, std::optional<double>* target, const std::string& help);
  // One of `choices`.
  Command& choice(const std::string& names, std::string* target,
                  const std::vector<std::string>& choices, const std::string& help);
  // A flag that exits 2 with the words of app/refused_words.h, whatever its value.
  Command& refused(const std::string& name);
  // Exactly one of its sub-commands must follow.
  Command subcommand(const std::string& name, const std::string& summary,
                     const std::string& examples);
  Command& runs(Run run);
  // With --json its output is records and nothing else, also when it fails; `when`: by its flags.
  Command& prints_records(std::function<bool()> when = [] { return true; });

 private:
  CLI::App* app_;
  Runs* runs_;
};

// What a flag can be set by, for `doctor` and the reference page.
struct FlagRow {
  std::string command;
  std::string flag;
  std::string environment;
  std::string help;
};

// A common flag as it came out, and from where.
struct SettingRow {
  std::string flag;    // "--log"
  std::string value;   // "" where it is not set
  std::string origin;  // "--log", "environment MILLRACE_LOG", "default"
};

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Flags of every command; they work before and after the command's name.
  Command& common();
  Command command(const std::string& name, const std::string& summary, const std::string& examples);

  // Parses; true when a command was chosen, false when help or the version was printed. Errors:
  // kUsage with the nearest known word for a misspelled flag or command.
  Result<bool> parse(int argc, const char* const* argv);
  // The chosen command's action; after parse() returned true.
  const Run& chosen() const;
  // Whether the output of the command that was named is records; after parse(), also a failed one.
  bool prints_records() const;

  std::vector<FlagRow> flags() const;
  // The flags of every command, after parse().
  std::vector<SettingRow> settings() const;
  // Help of every command as Markdown (docs/reference/cli.md).
  std::string markdown() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::app
