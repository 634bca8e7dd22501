// parse_pipeline(): text to a checked Pipeline.
#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "config/overlay.h"
#include "config/reader.h"
#include "config/yaml.h"
#include "spec/internal/sections.h"
#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

constexpr std::int64_t kVersion = 1;

// Sections that later versions of the program read; refused with a word until then.
constexpr std::string_view kNotBuilt[] = {"routes"};

bool is_legal_pipeline_name(std::string_view name) {
  constexpr std::size_t kNameMax = 100;
  const auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > kNameMax || !is_first(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_first(c) || c == '.' || c == '_' || c == '-'; });
}

void read_head(config::MapReader& top, Pipeline& pipeline) {
  if (!top.has("version")) {
    top.reading().error(top.where(), "'version' is missing; this program reads version 1");
  }
  const auto version = top.optional_integer("version");
  if (version && *version != kVersion) {
    top.error("version", "version " + std::to_string(*version) +
                             " of the pipeline format is unknown; this program reads version 1");
  }
  pipeline.version = static_cast<int>(kVersion);
  pipeline.name = top.required_text("name");
  if (top.has("name") && !is_legal_pipeline_name(pipeline.name)) {
    top.error("name", "'name': '" + printable(pipeline.name, 120) +
                          "' is no legal pipeline name (a-z 0-9 . _ -, at most 100, a letter or "
                          "digit first)");
  }
}

}  // namespace

void internal::read_pipeline(const config::Node& root, Pipeline& pipeline,
                             config::Reading& reading) {
  config::MapReader top(&root, "", reading);
  read_head(top, pipeline);
  read_schema(top, pipeline);
  read_forecast(top, pipeline);
  read_topics(top, pipeline);
  read_features(top, pipeline);
  read_settings(top, pipeline);
  read_drift(top, pipeline);
  for (const std::string_view key : kNotBuilt) {
    if (const config::MapEntry* entry = root.find(key); entry != nullptr) {
      top.known(key);
      reading.error(entry->key_where, "'" + std::string(key) + "' is not built yet; leave it out");
    }
  }
  top.finish();
  check_pipeline(pipeline, reading);
}

std::size_t Pipeline::positive_code() const {
  CHECK(schema.label().has_value());
  const std::vector<std::string>& values = schema.field(*schema.label()).values;
  const auto found = std::find(values.begin(), values.end(), output.positive);
  CHECK(found != values.end());
  return static_cast<std::size_t>(found - values.begin());
}

Result<LoadedPipeline> parse_pipeline(std::string_view text, const std::string& origin,
                                      const LoadOptions& options) {
  MILLRACE_ASSIGN(config::NodePtr root, config::load_yaml(text, origin));
  LoadedPipeline loaded;
  Pipeline& pipeline = loaded.pipeline;
  pipeline.origin = origin;
  pipeline.text = std::string(text);
  if (!options.set.empty()) {
    MILLRACE_ASSIGN(root, config::apply_set(root, options.set));
    pipeline.text = config::to_yaml(*root);
  }
  if (root->kind != config::NodeKind::kMap) {
    return Error(ErrorCode::kConfig, origin + ": the file holds no pipeline (a map of keys)");
  }
  config::Reading reading;
  internal::read_pipeline(*root, pipeline, reading);
  MILLRACE_TRY(reading.status());
  for (const config::Resolved& value : reading.values()) {
    loaded.provenance.push_back({value.path, value.value, value.origin});
  }
  return loaded;
}

}  // namespace millrace::spec
