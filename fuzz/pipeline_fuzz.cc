// Any bytes as a pipeline file: refused with places, or a pipeline that reads back the same from
// its own text and describes its messages.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace {

namespace spec = millrace::spec;

// Whatever is wrong is told in lines for people, each naming the file.
void check_refusal(const millrace::Error& error) {
  CHECK(error.code() == millrace::ErrorCode::kConfig);
  CHECK(error.message().find("p.yaml") != std::string::npos);
  CHECK(millrace::is_utf8(error.message()));
}

void check_accepted(const spec::LoadedPipeline& loaded) {
  const spec::Pipeline& pipeline = loaded.pipeline;
  CHECK(!pipeline.name.empty() && pipeline.schema.size() > 0 && !pipeline.features.empty());
  CHECK(pipeline.positive_code() < 2);
  CHECK(!loaded.provenance.empty());
  const std::string messages = millrace::json::to_line(spec::input_json_schema(pipeline)) +
                               millrace::json::to_line(spec::prediction_json_schema(pipeline)) +
                               millrace::json::to_line(spec::dead_letter_json_schema(pipeline));
  CHECK(millrace::is_utf8(messages));
  // An override that changes nothing writes the text anew, which must say the same.
  const std::string same = "model.seed=" + std::to_string(pipeline.model.seed);
  const auto rewritten = spec::parse_pipeline(pipeline.text, "p.yaml", {.set = {same}});
  CHECK(rewritten.has_value());
  CHECK(rewritten->pipeline.features == pipeline.features);
  CHECK(rewritten->pipeline.schema.names() == pipeline.schema.names());
  const auto again = spec::parse_pipeline(rewritten->pipeline.text, "p.yaml");
  CHECK(again.has_value());
  CHECK(spec::input_json_schema(again->pipeline) == spec::input_json_schema(pipeline));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = spec::parse_pipeline(text, "p.yaml");
  if (loaded) {
    check_accepted(*loaded);
  } else {
    check_refusal(loaded.error());
  }
  return 0;
}
