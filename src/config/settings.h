// Settings that a flag and an environment variable share. The order of precedence (flags over
// environment over pipeline file over default) is the caller's: it asks here only for what the
// environment says.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::config {

// A snapshot of the environment, passed in so that tests need no setenv().
using Environment = std::map<std::string, std::string, std::less<>>;

// Reads `NAME=value` strings as main() gets them; ends at a null pointer. Names that come twice:
// the first counts, as for getenv().
Environment environment_from(const char* const* entries);

inline constexpr std::string_view kEnvironmentPrefix = "MILLRACE_";

// One setting, declared by app as data.
struct Setting {
  std::string_view flag;  // "--batch-size"
  std::string_view help;
};

// "--batch-size" is MILLRACE_BATCH_SIZE.
std::string environment_name(std::string_view flag);

// Names that start with MILLRACE_ and belong to none of the settings nor to `others` (full names),
// in order: ignored, but worth a word.
std::vector<std::string> unknown_variables(const Environment& environment,
                                           std::span<const Setting> settings,
                                           std::span<const std::string_view> others = {});

}  // namespace millrace::config
