// load_pipeline(): finds a pipeline by file, folder or shipped name.
#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "spec/internal/shipped.h"
#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 20;

bool looks_like_path(std::string_view name) {
  const auto ends_with = [&](std::string_view end) {
    return name.size() > end.size() && name.substr(name.size() - end.size()) == end;
  };
  return name.find('/') != std::string_view::npos || name == "." || name == ".." ||
         ends_with(".yaml") || ends_with(".yml");
}

// More than the limit is a matter of the configuration, as everything else in the file.
Result<std::string> read_text(const env::Path& path) {
  auto text = env::read_file(path, kFileBytesMax);
  if (!text && text.error().code() == ErrorCode::kLimitExceeded) {
    return Error(ErrorCode::kConfig, text.error().message());
  }
  return text;
}

Result<LoadedPipeline> load_file(const env::Path& path, const LoadOptions& options) {
  MILLRACE_ASSIGN(const std::string text, read_text(path));
  MILLRACE_ASSIGN(LoadedPipeline loaded, parse_pipeline(text, path.string(), options));
  auto simulator = read_text(path.parent_path() / "simulator.yaml");
  if (simulator) {
    loaded.pipeline.simulator = std::move(*simulator);
  } else if (simulator.error().code() != ErrorCode::kNoInput) {
    return std::move(simulator.error());
  }
  return loaded;
}

Error unknown_pipeline(const std::string& name) {
  const std::vector<std::string> shipped = shipped_pipelines();
  constexpr std::string_view kLater[] = {"air-quality", "bank-marketing", "sales"};
  if (std::find(std::begin(kLater), std::end(kLater), name) != std::end(kLater)) {
    return {ErrorCode::kNoInput, "the pipeline '" + name + "' is not in this version yet"};
  }
  const std::string hint = did_you_mean(name, shipped);
  std::string text = "no pipeline '" + printable(name) + "'" + (hint.empty() ? "." : hint) +
                     " Expected a file, a folder with pipeline.yaml, or a shipped pipeline (";
  for (std::size_t i = 0; i < shipped.size(); ++i) text += (i > 0 ? ", " : "") + shipped[i];
  return {ErrorCode::kNoInput, text + ")"};
}

}  // namespace

Result<LoadedPipeline> load_pipeline(const std::string& name, const LoadOptions& options) {
  if (!looks_like_path(name)) {
    if (const auto text = shipped_file(name, "pipeline.yaml")) {
      MILLRACE_ASSIGN(LoadedPipeline loaded, parse_pipeline(*text, "built-in " + name, options));
      loaded.pipeline.simulator = shipped_file(name, "simulator.yaml").value_or("");
      return loaded;
    }
  }
  std::error_code error;
  if (name.empty() || !std::filesystem::exists(name, error)) return unknown_pipeline(name);
  if (!std::filesystem::is_directory(name, error)) return load_file(name, options);
  const env::Path inside = env::Path(name) / "pipeline.yaml";
  if (!std::filesystem::exists(inside, error)) {
    return Error(ErrorCode::kNoInput, "the folder " + name + " holds no pipeline.yaml");
  }
  return load_file(inside, options);
}

std::vector<std::string> shipped_pipelines() {
  std::vector<std::string> names;
  for (const internal::ShippedFile& file : internal::shipped_files()) {
    if (file.path != "pipeline.yaml") continue;
    names.emplace_back(file.pipeline);
  }
  return names;
}

std::optional<std::string_view> shipped_file(std::string_view pipeline, std::string_view file) {
  for (const internal::ShippedFile& shipped : internal::shipped_files()) {
    if (shipped.pipeline == pipeline && shipped.path == file) return shipped.content;
  }
  return std::nullopt;
}

}  // namespace millrace::spec
