// `--set a.b.c=value` over a loaded tree.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "config/yaml.h"

namespace millrace::config {

// The file name that positions of overlaid values carry.
inline constexpr std::string_view kSetOrigin = "--set";

// The tree with every assignment applied in order; `root` itself is unchanged. A path is keys
// joined by dots (of a key that holds dots itself, the longest one there is), or list positions
// from 0; missing maps are created, and whether the keys exist is
// for the reader to say. The value is YAML of one line ([a, b] is a list); nothing after '=' is the
// empty text, and a value of one sign (`,`) or one that begins with `%` is text without quotes. At
// most 1,000 assignments. Errors: kUsage for an assignment that is not key=value, a list position
// that is not there, a value that is not YAML, or a path through a text.
Result<NodePtr> apply_set(const NodePtr& root, std::span<const std::string> assignments);

}  // namespace millrace::config
