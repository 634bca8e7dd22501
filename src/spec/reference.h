// Every key of a pipeline file as data: what docs/reference/pipeline.md is made of.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace millrace::spec {

struct KeyDoc {
  std::string_view path;  // "input.topic"; FIELD stands for a name, [] for an item of a list
  std::string_view type;  // "text", "integer from 1 to 100", ...
  std::string_view
      fallback;  // the default as YAML; "required", or "" for none or one that `meaning` tells
  std::string_view meaning;  // one or two sentences
};

// In the order of the page.
std::span<const KeyDoc> pipeline_keys();

// docs/reference/pipeline.md, as a whole.
std::string pipeline_reference();

}  // namespace millrace::spec
