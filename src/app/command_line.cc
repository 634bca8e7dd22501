#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "app/refused_words.h"
#include "app/word_order.h"
#include "base/check.h"
#include "base/text.h"
#include "config/settings.h"

namespace millrace::app {
namespace {

// Help with the examples first.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    const std::string body = CLI::Formatter::make_help(app, std::move(name), mode);
    return mode == CLI::AppFormatMode::Normal ? app->get_footer() + body : body;
  }
  std::string make_footer(const CLI::App*) const override { return ""; }
};

// The environment variable of a long flag; "" for a short one, and for --version: what a
// deployment calls its version is no flag.
std::string variable_of(const CLI::Option& option) {
  if (option.get_lnames().empty() || option.get_lnames().front() == "version") return "";
  return config::environment_name(option.get_lnames().front());
}

CLI::App* add_app(CLI::App* parent, const std::string& name, const std::string& summary,
                  const std::string& examples) {
  CLI::App* app = parent->add_subcommand(name, summary);
  app->fallthrough();
  if (!examples.empty()) {
    std::string footer = "Examples:\n";
    std::size_t start = 0;
    while (start < examples.size()) {
      const std::size_t end = std::min(examples.find('\n', start), examples.size());
      footer += "  " + examples.substr(start, end - start) + "\n";
      start = end + 1;
    }
    app->footer(footer + "\n");
  }
  return app;
}

void collect_flags(const CLI::App* app, const std::string& path, std::vector<FlagRow>& rows) {
  for (const CLI::Option* option : app->get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
    rows.push_back({path, "--" + option->get_lnames().front(), variable_of(*option),
                    option->get_description()});
  }
  for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
    collect_flags(child, path.empty() ? child->get_name() : path + " " + child->get_name(), rows);
  }
}

void collect_names(const CLI::App* app, std::vector<std::string>& flags) {
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  }
}

// "millrace topics dump": what a person types to reach the command.
std::string path_of(const CLI::App* app) {
  std::string path = app->get_name();
  for (app = app->get_parent(); app != nullptr; app = app->get_parent()) {
    path = app->get_name() + " " + path;
  }
  return path;
}

// CLI11's own help() would answer for the command that was parsed instead.
std::string help_of(const CLI::App* app) {
  return app->get_formatter()->make_help(app, path_of(app), CLI::AppFormatMode::Normal);
}

// The deepest command that was named on the command line.
const CLI::App* deepest(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

// Whether the option stands on the command line: what does not came from the environment.
bool typed(const CLI::Option& option, const std::vector<std::string>& words) {
  const auto is_one = [&option](const std::string& word) {
    for (const std::string& name : option.get_lnames()) {
      if (word == "--" + name || word.starts_with("--" + name + "=")) return true;
    }
    for (const std::string& name : option.get_snames()) {
      if (word.starts_with("-" + name) && !word.starts_with("--")) return true;
    }
    return false;
  };
  return std::any_of(words.begin(), words.end(), is_one);
}

std::string help_hint(const CLI::App* app) { return " (" + path_of(app) + " --help)"; }

// What is neither a flag nor a command here, with the nearest one.
Error unknown_word(const CLI::App& root, const CLI::App* app,
                   const std::vector<std::string>& extras) {
  const std::string word = extras.empty() ? "" : extras.front().substr(0, extras.front().find('='));
  const std::string help = help_hint(app);
  std::vector<std::string> known;
  if (word.starts_with("-")) {
    if (const auto refused = refused_flag(word)) return {ErrorCode::kUsage, *refused + help};
    collect_names(app, known);
    return {ErrorCode::kUsage,
            "unknown flag '" + printable(word) + "'" + did_you_mean(word, known) + help};
  }
  const std::string path = app == &root ? word : app->get_name() + " " + word;
  if (const auto refused = refused_command(path)) {
    return {ErrorCode::kUsage, *refused + " (millrace --help lists what is)"};
  }
  for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(child->get_name());
  }
  const std::string what = known.empty() ? "unexpected argument '" : "unknown command '";
  return {ErrorCode::kUsage, what + printable(word) + "'" + did_you_mean(word, known) + help};
}

}  // namespace

Command& Command::positional(const std::string& name, std::string* target, const std::string& help,
                             Presence presence) {
  auto* option = app_->add_option(name, *target, help)->type_name("");
  if (presence == Presence::kRequired) option->required();
  return *this;
}

Command& Command::positional(const std::string& name, std::vector<std::string>* target,
                             const std::string& help) {
  app_->add_option(name, *target, help)->type_name("");
  return *this;
}

namespace {

CLI::Option* named(CLI::Option* option, const char* type) {
  option->type_name(type);
  option->envname(variable_of(*option));
  return option;
}

}  // namespace

Command& Command::flag(const std::string& names, bool* target, const std::string& help) {
  CLI::Option* option = app_->add_flag(names, *target, help);
  option->envname(variable_of(*option));
  return *this;
}

Command& Command::value(const std::string& names, std::string* target, const std::string& help) {
  CLI::Option* option = named(app_->add_option(names, *target, help), "TEXT");
  if (!target->empty()) option->capture_default_str();
  return *this;
}

Command& Command::value(const std::string& names, std::optional<std::string>* target,
                        const std::string& help) {
  named(app_->add_option_function<std::string>(
            names, [target](const std::string& v) { *target = v; }, help),
        "TEXT");
  return *this;
}

Command& Command::value(const std::string& names, std::vector<std::string>* target,
                        const std::string& help) {
  named(app_->add_option(names, *target, help), "TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  return *this;
}

Command& Command::value(const std::string& names, std::int64_t* target, const std::string& help,
                        std::int64_t min, std::int64_t max) {
  named(app_->add_option(names, *target, help), "N")
      ->check(CLI::Range(min, max))
      ->capture_default_str();
  return *this;
}

Command& Command::value(const std::string& names, std::optional<std::int64_t>* target,
                        const std::string& help, std::int64_t min, std::int64_t max) {
  named(app_->add_option_function<std::int64_t>(
            names, [target](std::int64_t v) { *target = v; }, help),
        "N")
      ->check(CLI::Range(min, max));
  return *this;
}

Command& Command::value(const std::string& names, std::optional<double>* target,
                        const std::string& help) {
  named(app_->add_option_function<double>(
            names, [target](double v) { *target = v; }, help),
        "X");
  return *this;
}

Command& Command::choice(const std::string& names, std::string* target,
                         const std::vector<std::string>& choices, const std::string& help) {
  std::string type;
  for (const std::string& choice : choices) type += (type.empty() ? "" : "|") + choice;
  const auto check = [choices](const std::string& text) -> std::string {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return "";
    std::string list;
    for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
    return "'" + printable(text) + "' is none of " + list;
  };
  CLI::Option* option = named(app_->add_option(names, *target, help), "");
  option->type_name(type)->check(CLI::Validator(check, ""));
  if (!target->empty()) option->capture_default_str();
  return *this;
}

Command& Command::refused(const std::string& name) {
  const auto refuse = [name](const std::string&) -> std::string {
    return refused_flag(name).value_or(name + " is refused");
  };
  app_->add_option(name, "")
      ->group("")
      ->check(CLI::Validator(refuse, ""))
      ->expected(0, 1)
      ->default_str("given");
  return *this;
}

Command Command::subcommand(const std::string& name, const std::string& summary,
                            const std::string& examples) {
  app_->require_subcommand(1);
  return {add_app(app_, name, summary, examples), runs_};
}

Command& Command::runs(Run run) {
  (*runs_)[app_].run = std::move(run);
  return *this;
}

Command& Command::prints_records(std::function<bool()> when) {
  (*runs_)[app_].prints_records = std::move(when);
  return *this;
}

struct CommandLine::State {
  CLI::App root{
      "Puts trained models on event streams: one binary, an embedded durable log, no server.",
      "millrace"};
  Command::Runs runs;
  Command common{&root, &runs};
  const CLI::App* chosen = nullptr;
  std::vector<std::string> words;  // as typed
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  CLI::App& root = state_->root;
  root.require_subcommand(0, 1);
  root.formatter(std::make_shared<Formatter>());
  root.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  root.footer(
      "Examples:\n"
      "  millrace demo telco-churn                          the whole story, from rows to a "
      "report\n"
      "  millrace train telco-churn --data customers.csv    make a model\n"
      "  millrace produce telco-churn --data customers.csv  put rows on the input topic\n"
      "  millrace score telco-churn --mode batch            score what is there, then stop\n"
      "  millrace COMMAND --help                            examples and flags of a command\n\n");
}

CommandLine::~CommandLine() = default;

Command& CommandLine::common() { return state_->common; }

Command CommandLine::command(const std::string& name, const std::string& summary,
                             const std::string& examples) {
  return {add_app(&state_->root, name, summary, examples), &state_->runs};
}

Result<bool> CommandLine::parse(int argc, const char* const* argv) {
  CLI::App& root = state_->root;
  state_->words.assign(argv + 1, argv + argc);
  state_->words = flags_behind_command(root, state_->words);
  try {
    // CLI11 takes them last first.
    root.parse(std::vector<std::string>(state_->words.rbegin(), state_->words.rend()));
  } catch (const CLI::CallForHelp&) {
    const CLI::App* app = deepest(&root);
    const std::vector<std::string> extras = root.remaining(true);
    const bool is_command = extras.empty() || extras.front().starts_with("-") ||
                            app->get_subcommands([](const CLI::App*) { return true; }).empty();
    if (!is_command) return unknown_word(root, app, extras);
    std::fputs(help_of(app).c_str(), stdout);
    return false;
  } catch (const CLI::ParseError& error) {
    const CLI::App* app = deepest(&root);
    const std::vector<std::string> extras = root.remaining(true);
    const bool wants_command = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
    const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    // A misspelled sub-command also shows as one that is missing.
    if (is_extra || (wants_command && !extras.empty())) return unknown_word(root, app, extras);
    // A check without a name leaves its place before the colon empty.
    const std::string_view what = error.what();
    const std::string text(what.substr(what.starts_with(": ") ? 2 : 0));
    return Error(ErrorCode::kUsage, text + help_hint(app));
  }
  const CLI::App* app = deepest(&root);
  if (app == &root) {
    if (root.get_option("--version")->count() > 0) return false;
    std::fputs(help_of(&root).c_str(), stderr);
    return Error(ErrorCode::kUsage, "no command given");
  }
  state_->chosen = app;
  CHECK(state_->runs.contains(app));
  return true;
}

const Run& CommandLine::chosen() const { return state_->runs.at(state_->chosen).run; }

bool CommandLine::prints_records() const {
  const auto named = state_->runs.find(deepest(&state_->root));
  return named != state_->runs.end() && named->second.prints_records &&
         named->second.prints_records();
}

std::vector<FlagRow> CommandLine::flags() const {
  std::vector<FlagRow> rows;
  collect_flags(&state_->root, "", rows);
  return rows;
}

std::vector<SettingRow> CommandLine::settings() const {
  std::vector<SettingRow> rows;
  for (const CLI::Option* option : state_->root.get_options()) {
    const bool is_short = option->get_lnames().empty();
    const std::string flag =
        is_short ? "-" + option->get_snames().front() : "--" + option->get_lnames().front();
    if (flag == "--help" || flag == "--version") continue;
    SettingRow row{flag, option->get_default_str(), "default"};
    if (option->count() > 0) {
      row.value = CLI::detail::join(option->results(), ", ");
      row.origin = typed(*option, state_->words) ? flag : "environment " + option->get_envname();
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string CommandLine::markdown() const {
  std::string out;
  const std::function<void(const CLI::App*)> add = [&](const CLI::App* app) {
    out += "\n## " + path_of(app) + "\n\n```\n" + help_of(app) + "```\n";
    for (const CLI::App* child : app->get_subcommands([](const CLI::App*) { return true; })) {
      add(child);
    }
  };
  add(&state_->root);
  return out;
}

}  // namespace millrace::app
