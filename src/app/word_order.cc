#include "app/word_order.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace millrace::app {
namespace {

using Words = std::vector<std::string>;

const CLI::App* child_of(const CLI::App& app, const std::string& name) {
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_name() == name) return child;
  }
  return nullptr;
}

// "--data=x" is "--data", "-Xa=b" is "-X".
std::string flag_of(const std::string& word) {
  return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

// How many words the flag at `at` takes, itself included; at most up to `end`.
std::size_t width_of(const CLI::Option& option, const Words& words, std::size_t at,
                     std::size_t end) {
  const bool takes_value = option.get_items_expected_max() > 0;
  if (!takes_value || words[at] != flag_of(words[at])) return 1;
  const bool may_lack_it = option.get_items_expected_min() == 0 && at + 1 == end;
  return may_lack_it ? 1 : 2;
}

// The words before the command as flags: true at each word that is to go behind it. Nothing where
// they are no flags of the command or of the program.
std::optional<std::vector<bool>> to_move(const CLI::App& root, const CLI::App& command,
                                         const Words& words, std::size_t end) {
  std::vector<bool> moved(end, false);
  for (std::size_t at = 0; at < end;) {
    if (!words[at].starts_with("-") || words[at].size() < 2) return std::nullopt;
    const std::string flag = flag_of(words[at]);
    const CLI::Option* option = root.get_option_no_throw(flag);
    const bool is_common = option != nullptr;
    for (const CLI::App* app = &command; option == nullptr && app != &root;
         app = app->get_parent()) {
      option = app->get_option_no_throw(flag);
    }
    if (option == nullptr) return std::nullopt;
    const std::size_t next = at + width_of(*option, words, at, end);
    if (next > end) return std::nullopt;
    for (; at < next; ++at) moved[at] = !is_common;
  }
  return moved;
}

}  // namespace

Words flags_behind_command(const CLI::App& root, const Words& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const CLI::App* command = child_of(root, words[i]);
    if (command == nullptr) continue;
    std::size_t behind = i + 1;
    for (; behind < words.size(); ++behind) {
      const CLI::App* child = child_of(*command, words[behind]);
      if (child == nullptr) break;
      command = child;
    }
    const auto moved = to_move(root, *command, words, i);
    if (!moved) continue;  // the value of a flag that reads like a command
    Words ordered;
    for (std::size_t at = 0; at < behind; ++at) {
      if (at >= i || !(*moved)[at]) ordered.push_back(words[at]);
    }
    for (std::size_t at = 0; at < i; ++at) {
      if ((*moved)[at]) ordered.push_back(words[at]);
    }
    ordered.insert(ordered.end(), words.begin() + static_cast<std::ptrdiff_t>(behind), words.end());
    return ordered;
  }
  return words;
}

}  // namespace millrace::app
