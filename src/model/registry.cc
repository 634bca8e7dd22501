#include "model/registry.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>

#include "base/ids.h"
#include "env/clock.h"
#include "env/digest.h"
#include "model/internal/documents.h"
#include "model/internal/foreign_model.h"

namespace millrace::model {
namespace {

using env::Path;

constexpr std::uint64_t kModelBytesMax = std::uint64_t{256} << 20;
constexpr std::uint64_t kDocumentBytesMax = std::uint64_t{64} << 20;
constexpr std::uint64_t kCurrentBytesMax = 256;
constexpr std::size_t kVersionsMax = 100'000;
constexpr std::size_t kPipelineNameMax = 100;
constexpr std::size_t kHexDigits = 8;
constexpr auto kLockWaitMax = std::chrono::seconds(10);
constexpr auto kLockWaitStep = Milliseconds(20);
constexpr std::string_view kTemporaryPrefix = ".new-";

constexpr const char* kModelFile = "model.json";
constexpr const char* kManifestFile = "manifest.json";
constexpr const char* kCanaryFile = "canary.json";
constexpr const char* kCurrentFile = "current";

Error bad(const Path& file, std::string_view what) {
  return {ErrorCode::kBadModel, "'" + file.string() + "': " + std::string(what)};
}

Status check_pipeline_name(const std::string& pipeline) {
  if (!is_legal_topic_name(pipeline) || pipeline.starts_with('.') ||
      pipeline.size() > kPipelineNameMax) {
    return Error(ErrorCode::kUsage,
                 "'" + pipeline + "' is not a pipeline name (letters, digits, '.', '_', '-')");
  }
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// The number of "<n>" or "<n>-<up to 8 hex>"; nullopt for anything else.
std::optional<std::uint32_t> number_of(std::string_view version) {
  std::uint32_t number = 0;
  const char* end = version.data() + version.size();
  const auto [at, error] = std::from_chars(version.data(), end, number);
  if (error != std::errc{} || version.front() == '0') return std::nullopt;
  if (at == end) return number;
  const std::string_view hex(at + 1, static_cast<std::size_t>(end - at - 1));
  if (*at != '-' || hex.size() > kHexDigits || !std::all_of(hex.begin(), hex.end(), is_hex)) {
    return std::nullopt;
  }
  return number;
}

bool is_full_version(std::string_view version) {
  const std::size_t dash = version.find('-');
  return dash != std::string_view::npos && version.size() == dash + 1 + kHexDigits &&
         number_of(version).has_value();
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Names of the folders in `folder` that `keep` wants; none when it does not exist.
template <class Keep>
Result<std::vector<std::string>> folders_in(const Path& folder, Keep keep) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    std::string name = entry->path().filename().string();
    if (keep(name) && entry->is_directory(ignored)) names.push_back(std::move(name));
    if (names.size() > kVersionsMax) {
      return Error(ErrorCode::kLimitExceeded, "'" + folder.string() + "': too many folders");
    }
  }
  if (error) return env::errno_error("cannot list", folder, error.value());
  return names;
}

// Versions by number.
Result<std::vector<std::string>> versions_in(const Path& folder) {
  MILLRACE_ASSIGN(std::vector<std::string> names, folders_in(folder, is_full_version));
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(number_of(a), a) < std::pair(number_of(b), b);
  });
  return names;
}

Error no_model(const std::string& pipeline) {
  return {ErrorCode::kNoModel, "no model of '" + pipeline + "' yet. Train one: millrace train " +
                                   pipeline + " --data FILE"};
}

// Waits its turn: two trainings may end at the same moment.
Result<env::FileLock> lock_folder(const Path& folder) {
  env::Clock& clock = env::real_clock();
  const SteadyTime deadline = clock.steady() + kLockWaitMax;
  while (true) {
    auto lock = env::FileLock::acquire(folder / ".lock");
    if (lock || lock.error().code() != ErrorCode::kLockHeld || clock.steady() > deadline) {
      return lock;
    }
    clock.sleep_until(clock.steady() + kLockWaitStep);
  }
}

// What saves that died left behind. The caller holds the lock, so nobody writes there.
void remove_leftovers(const Path& folder) {
  const auto left =
      folders_in(folder, [](std::string_view name) { return name.starts_with(kTemporaryPrefix); });
  if (!left) return;
  for (const std::string& name : *left) {
    std::error_code ignored;
    std::filesystem::remove_all(folder / name, ignored);
  }
}

// Whether the reference predictor gives the canary's answers bit for bit.
Status check_canary(const TreeEnsemble& ensemble, const Canary& canary) {
  const auto fail = [](std::string what) { return Error(ErrorCode::kBadModel, std::move(what)); };
  if (canary.rows.empty() || canary.rows.size() != canary.probabilities.size()) {
    return fail("a model needs canary rows, one probability each");
  }
  for (std::size_t i = 0; i < canary.rows.size(); ++i) {
    const std::string row = "canary row " + std::to_string(i);
    if (canary.rows[i].size() != ensemble.features) {
      return fail(row + " has " + std::to_string(canary.rows[i].size()) +
                  " values, the model takes " + std::to_string(ensemble.features));
    }
    const float got = apply_link(ensemble.link, predict_margin_reference(ensemble, canary.rows[i]));
    if (std::bit_cast<std::uint32_t>(got) !=
        std::bit_cast<std::uint32_t>(canary.probabilities[i])) {
      return fail(row + " gives " + std::to_string(got) + ", not the recorded " +
                  std::to_string(canary.probabilities[i]));
    }
  }
  return {};
}

// A file of a model folder; a missing one is a bad model, the rest of the errors stay.
Result<std::string> read_part(const Path& file, std::uint64_t bytes_max) {
  auto text = env::read_file(file, bytes_max);
  if (!text && (text.error().code() == ErrorCode::kNoInput ||
                text.error().code() == ErrorCode::kLimitExceeded)) {
    return Error(ErrorCode::kBadModel, text.error().message());
  }
  return text;
}

Status check_digest(const Path& file, std::string_view text, const std::string& digest) {
  if (env::sha256_hex(text) == digest) return {};
  return bad(file,
             "is not the file that was saved (its SHA-256 differs from the manifest's). "
             "Use another version, or train again");
}

Status check_not_foreign(const Path& file, std::string_view text) {
  const std::string foreign = internal::describe_foreign_model(text);
  if (foreign.empty()) return {};
  return bad(file, "not a millrace model: " + foreign);
}

Result<TreeEnsemble> parse_ensemble(const Path& file, std::string_view text) {
  auto document = json::parse(text, "'" + file.string() + "'");
  if (!document) return Error(ErrorCode::kBadModel, document.error().message());
  auto ensemble = tree_ensemble_from_json(*document);
  if (!ensemble) return ensemble.error().with_context("'" + file.string() + "'");
  return ensemble;
}

// A path that is no model folder: says what it is, when that is known.
Error not_a_folder(const Path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return {ErrorCode::kNoModel, "no model at '" + path.string() +
                                     "': a model is a folder with manifest.json, model.json and "
                                     "canary.json"};
  }
  if (const auto text = env::read_file(path, kModelBytesMax)) {
    if (Status known = check_not_foreign(path, *text); !known) return std::move(known.error());
  }
  return bad(path,
             "a file, but a model is a folder with manifest.json, model.json and canary.json");
}

Status write_version(const Path& folder, const Manifest& manifest, std::string_view model,
                     std::string_view canary) {
  const Path temporary = folder / (std::string(kTemporaryPrefix) + manifest.version);
  MILLRACE_TRY(env::make_folders(temporary));
  MILLRACE_TRY(env::write_file_atomic(temporary / kModelFile, model));
  MILLRACE_TRY(env::write_file_atomic(temporary / kCanaryFile, canary));
  MILLRACE_TRY(
      env::write_file_atomic(temporary / kManifestFile, internal::manifest_text(manifest)));
  std::error_code error;
  std::filesystem::rename(temporary, folder / manifest.version, error);
  if (error) return env::errno_error("cannot rename to", folder / manifest.version, error.value());
  return env::sync_folder(folder);
}

}  // namespace

Result<Manifest> Registry::save(Manifest manifest, const TreeEnsemble& ensemble,
                                const Canary& canary) const {
  MILLRACE_TRY(check_pipeline_name(manifest.pipeline));
  MILLRACE_TRY(ensemble.check());
  if (manifest.features.size() != ensemble.features) {
    return Error(ErrorCode::kInternal,
                 "the manifest names " + std::to_string(manifest.features.size()) +
                     " features, the model takes " + std::to_string(ensemble.features));
  }
  if (const Status same = check_canary(ensemble, canary); !same) {
    return Error(ErrorCode::kInternal, "this model is not saved: " + same.error().message());
  }
  const std::string model = json::to_line(to_json(ensemble)) + "\n";
  const std::string canary_json = internal::canary_text(canary);
  manifest.model_digest = env::sha256_hex(model);
  manifest.canary_digest = env::sha256_hex(canary_json);

  const Path folder = folder_ / manifest.pipeline;
  MILLRACE_TRY(env::make_folders(folder));
  MILLRACE_TRY(env::sync_folder(folder_));
  MILLRACE_ASSIGN(const env::FileLock lock, lock_folder(folder));
  remove_leftovers(folder);
  MILLRACE_ASSIGN(const std::vector<std::string> versions, versions_in(folder));
  const std::uint32_t number = versions.empty() ? 1 : *number_of(versions.back()) + 1;
  manifest.version = std::to_string(number) + "-" + manifest.model_digest.substr(0, kHexDigits);
  MILLRACE_TRY(write_version(folder, manifest, model, canary_json));
  return manifest;
}

Result<LoadedModel> Registry::load(const std::string& pipeline, const std::string& version) const {
  MILLRACE_ASSIGN(const std::string name, resolve(pipeline, version));
  const Path folder = folder_ / pipeline / name;
  MILLRACE_ASSIGN(LoadedModel model, load_folder(folder));
  if (model.manifest.version != name || model.manifest.pipeline != pipeline) {
    return bad(folder / kManifestFile, "says it is version " + model.manifest.version + " of '" +
                                           model.manifest.pipeline + "'; was the folder renamed?");
  }
  return model;
}

Result<LoadedModel> Registry::load_folder(const env::Path& folder) const {
  std::error_code ignored;
  const Path manifest_file = folder / kManifestFile;
  if (!std::filesystem::is_directory(folder, ignored)) return not_a_folder(folder);
  if (!std::filesystem::exists(manifest_file, ignored) &&
      !std::filesystem::exists(folder / kModelFile, ignored)) {
    return not_a_folder(folder);
  }
  // What the model file is comes first: a renamed pickle should not read as "no manifest".
  const Path model_file = folder / kModelFile;
  MILLRACE_ASSIGN(const std::string model_text, read_part(model_file, kModelBytesMax));
  MILLRACE_TRY(check_not_foreign(model_file, model_text));
  MILLRACE_ASSIGN(const std::string manifest_json, read_part(manifest_file, kDocumentBytesMax));
  LoadedModel model;
  MILLRACE_ASSIGN(model.manifest,
                  internal::manifest_from_text(manifest_json, "'" + manifest_file.string() + "'"));
  MILLRACE_TRY(check_digest(model_file, model_text, model.manifest.model_digest));
  const Path canary_file = folder / kCanaryFile;
  MILLRACE_ASSIGN(const std::string canary_json, read_part(canary_file, kDocumentBytesMax));
  MILLRACE_TRY(check_digest(canary_file, canary_json, model.manifest.canary_digest));

  MILLRACE_ASSIGN(TreeEnsemble ensemble, parse_ensemble(model_file, model_text));
  if (model.manifest.features.size() != ensemble.features) {
    return bad(manifest_file, "names " + std::to_string(model.manifest.features.size()) +
                                  " features, the model takes " +
                                  std::to_string(ensemble.features));
  }
  MILLRACE_ASSIGN(const Canary canary,
                  internal::canary_from_text(canary_json, "'" + canary_file.string() + "'"));
  if (const Status same = check_canary(ensemble, canary); !same) {
    return bad(canary_file, same.error().message());
  }
  model.ensemble = std::make_shared<const TreeEnsemble>(std::move(ensemble));
  return model;
}

Result<std::vector<ModelEntry>> Registry::list(const std::string& pipeline) const {
  MILLRACE_TRY(check_pipeline_name(pipeline));
  MILLRACE_ASSIGN(std::vector<std::string> versions, versions_in(folder_ / pipeline));
  const auto in_use = current(pipeline);
  std::vector<ModelEntry> entries;
  for (std::string& version : versions) {
    ModelEntry& entry = entries.emplace_back();
    const Path file = folder_ / pipeline / version / kManifestFile;
    auto text = read_part(file, kDocumentBytesMax);
    auto manifest = text ? internal::manifest_from_text(*text, "'" + file.string() + "'")
                         : Result<Manifest>(text.error());
    if (manifest) {
      entry.manifest = std::move(*manifest);
    } else {
      entry.problem = manifest.error().message();
    }
    entry.current = in_use && *in_use == version;
    entry.version = std::move(version);
  }
  return entries;
}

Result<std::vector<std::string>> Registry::pipelines() const {
  MILLRACE_ASSIGN(std::vector<std::string> names, folders_in(folder_, [](const std::string& name) {
                    return check_pipeline_name(name).has_value();
                  }));
  std::vector<std::string> with_models;
  for (std::string& name : names) {
    MILLRACE_ASSIGN(const std::vector<std::string> versions, versions_in(folder_ / name));
    if (!versions.empty()) with_models.push_back(std::move(name));
  }
  std::sort(with_models.begin(), with_models.end());
  return with_models;
}

Result<std::string> Registry::current(const std::string& pipeline) const {
  MILLRACE_TRY(check_pipeline_name(pipeline));
  const Path file = folder_ / pipeline / kCurrentFile;
  MILLRACE_ASSIGN(const std::vector<std::string> versions, versions_in(folder_ / pipeline));
  if (versions.empty()) return no_model(pipeline);
  const std::string way_out = " There are: " + joined(versions) +
                              ". Choose one: millrace model promote " + pipeline + " VERSION";
  auto text = env::read_file(file, kCurrentBytesMax);
  if (!text && text.error().code() == ErrorCode::kNoInput) {
    return Error(ErrorCode::kNoModel, "no model of '" + pipeline + "' is current." + way_out);
  }
  if (!text) return text;
  while (!text->empty() && text->back() == '\n') text->pop_back();
  if (!is_full_version(*text)) {
    return bad(file, "does not name a version." + way_out);
  }
  if (std::find(versions.begin(), versions.end(), *text) == versions.end()) {
    return Error(ErrorCode::kNoModel,
                 "'" + file.string() + "' names version " + *text + ", which is gone." + way_out);
  }
  return text;
}

Result<std::string> Registry::promote(const std::string& pipeline,
                                      const std::string& version) const {
  MILLRACE_ASSIGN(const LoadedModel model, load(pipeline, version));
  const std::string& name = model.manifest.version;
  MILLRACE_TRY(env::write_file_atomic(folder_ / pipeline / kCurrentFile, name + "\n"));
  return name;
}

Result<std::string> Registry::resolve(const std::string& pipeline,
                                      const std::string& version) const {
  if (version.empty()) return current(pipeline);
  MILLRACE_TRY(check_pipeline_name(pipeline));
  const std::optional<std::uint32_t> number = number_of(version);
  if (!number) {
    return Error(ErrorCode::kUsage,
                 "'" + version + "' is not a model version like 3 or 3-1a2b3c4d");
  }
  MILLRACE_ASSIGN(const std::vector<std::string> versions, versions_in(folder_ / pipeline));
  if (versions.empty()) return no_model(pipeline);
  std::vector<std::string> matches;
  for (const std::string& name : versions) {
    if (name.starts_with(version)) matches.push_back(name);
  }
  // "3" means number 3 even where there is a 30.
  std::vector<std::string> exact;
  for (const std::string& name : matches) {
    if (number_of(name) == number) exact.push_back(name);
  }
  if (exact.size() == 1) return exact.front();
  if (matches.empty()) {
    return Error(ErrorCode::kNoModel, "no version " + version + " of '" + pipeline +
                                          "'. There are: " + joined(versions));
  }
  if (matches.size() == 1) return matches.front();
  return Error(ErrorCode::kUsage,
               "'" + version + "' could be any of " + joined(matches) + "; write more of it");
}

}  // namespace millrace::model
