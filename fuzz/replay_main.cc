// Runs a fuzz target's entry point without libFuzzer: once for every file of the folders named as
// arguments, and once for each of the file's beginnings, up to a limit. Exit code 1 when there was
// no file at all.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "env/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint64_t kSeedBytesMax = std::uint64_t{1} << 20;
constexpr std::size_t kBeginningsMax = 64;  // of one file, evenly spread

void run(std::string_view input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

bool replay(const std::filesystem::path& file) {
  const auto content = millrace::env::read_file(file, kSeedBytesMax);
  if (!content) {
    std::fprintf(stderr, "%s\n", content.error().message().c_str());
    return false;
  }
  run(*content);
  const std::size_t step = std::max<std::size_t>(1, content->size() / kBeginningsMax);
  for (std::size_t size = 0; size < content->size(); size += step) {
    run(std::string_view(*content).substr(0, size));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (!replay(entry.path())) return 1;
      ++files;
    }
  }
  std::printf("%zu seeds\n", files);
  return files > 0 ? 0 : 1;
}
