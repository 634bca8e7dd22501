// Any bytes as model.json, manifest.json or canary.json: refused, or a model that reads back the
// same and on which every engine agrees with the reference.
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "env/random.h"
#include "json/json.h"
#include "model/internal/documents.h"
#include "model/internal/foreign_model.h"
#include "model/predictor.h"
#include "model/testing/random_ensemble.h"

namespace {

namespace model = millrace::model;

constexpr std::size_t kColumnsMax = 64;  // wider rows only cost time here
constexpr std::size_t kRows = 70;        // more than a vector

void check_engines(const model::TreeEnsemble& ensemble) {
  if (ensemble.features > kColumnsMax) return;
  millrace::env::Random random(1);
  const auto batch = model::random_rows(random, ensemble, kRows);
  const auto shared = std::make_shared<const model::TreeEnsemble>(ensemble);
  std::vector<float> wanted(kRows);
  model::make_predictor(shared, "reference").value()->predict(batch, wanted);
  for (const std::string& engine : model::legal_engines(ensemble)) {
    std::vector<float> out(kRows);
    model::make_predictor(shared, engine).value()->predict(batch, out);
    for (std::size_t i = 0; i < kRows; ++i) {
      // Sums of huge leaves may be NaN, whose bits are nobody's business.
      CHECK(std::bit_cast<std::uint32_t>(out[i]) == std::bit_cast<std::uint32_t>(wanted[i]) ||
            (out[i] != out[i] && wanted[i] != wanted[i]));
    }
  }
}

void check_ensemble(std::string_view text) {
  const auto document = millrace::json::parse(text, "model.json");
  if (!document) return;
  const auto ensemble = model::tree_ensemble_from_json(*document);
  if (!ensemble) return;
  const auto again = model::tree_ensemble_from_json(model::to_json(*ensemble));
  CHECK(again.has_value());
  CHECK(model::to_json(*again) == model::to_json(*ensemble));
  check_engines(*ensemble);
}

void check_manifest(std::string_view text) {
  const auto manifest = model::internal::manifest_from_text(text, "manifest.json");
  if (!manifest) return;
  const std::string written = model::internal::manifest_text(*manifest);
  CHECK(model::internal::manifest_from_text(written, "manifest.json").has_value());
}

void check_canary(std::string_view text) {
  const auto canary = model::internal::canary_from_text(text, "canary.json");
  if (!canary) return;
  const std::string written = model::internal::canary_text(*canary);
  const auto again = model::internal::canary_from_text(written, "canary.json");
  CHECK(again.has_value());
  CHECK(model::internal::canary_text(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string foreign = model::internal::describe_foreign_model(text);
  CHECK(foreign.size() < 1000);
  check_ensemble(text);
  check_manifest(text);
  check_canary(text);
  return 0;
}
