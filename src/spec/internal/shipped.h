// The files of pipelines/ as the build put them into the program (cmake/EmbedPipelines.cmake).
#pragma once

#include <span>
#include <string_view>

namespace millrace::spec::internal {

struct ShippedFile {
  std::string_view pipeline;  // "telco-churn"
  std::string_view path;      // "pipeline.yaml", "schemas/customer.json"
  std::string_view content;
};

// In the order of pipeline and path.
std::span<const ShippedFile> shipped_files();

}  // namespace millrace::spec::internal
