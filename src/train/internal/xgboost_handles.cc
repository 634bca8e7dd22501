#include "train/internal/xgboost_handles.h"

#include <limits>
#include <string_view>
#include <vector>

namespace millrace::train::internal {

Status checked(int code) {
  if (code == 0) return {};
  std::string_view text = XGBGetLastError();
  text = text.substr(0, text.find("\nStack trace"));
  // "[12:00:00] ./src/file.cc:123: what" -> "what"
  const std::size_t place = text.find(".cc:");
  const std::size_t colon = place == std::string_view::npos ? place : text.find(": ", place);
  if (colon != std::string_view::npos) text = text.substr(colon + 2);
  return Error(ErrorCode::kInternal, "XGBoost: " + std::string(text));
}

Result<Matrix> make_matrix(const data::FeatureBatch& batch) {
  const std::size_t values = batch.rows() * batch.columns();
  std::vector<float> floats(values);
  for (std::size_t i = 0; i < values; ++i) floats[i] = static_cast<float>(batch.data()[i]);
  DMatrixHandle handle = nullptr;
  MILLRACE_TRY(
      checked(XGDMatrixCreateFromMat_omp(floats.data(), batch.rows(), batch.columns(),
                                         std::numeric_limits<float>::quiet_NaN(), &handle, 1)));
  return Matrix(handle);
}

Result<std::string> model_json(const Booster& booster) {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  MILLRACE_TRY(
      checked(XGBoosterSaveModelToBuffer(booster.get(), R"({"format": "json"})", &size, &bytes)));
  return std::string(bytes, size);
}

}  // namespace millrace::train::internal
