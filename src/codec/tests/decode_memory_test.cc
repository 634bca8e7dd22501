// Row B3: what one message can make the decoder hold. Each message is decoded in a process of its
// own, whose peak resident memory the kernel counts.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/arena.h"
#include "codec/record_decoder.h"

namespace millrace::codec {
namespace {

constexpr std::size_t kCap = DecodeLimits{}.bytes_max;
constexpr std::size_t kHuge = 100'000'000;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kGrowthMax = 4 * kCap;  // what is freed stays in quarantine
#else
constexpr std::size_t kGrowthMax = 2 * kCap;
#endif

// Peak resident memory of this process in bytes.
std::size_t peak_resident() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) return 0;
  char line[256];
  std::size_t kib = 0;
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::strncmp(line, "VmHWM:", 6) == 0) std::sscanf(line + 6, "%zu", &kib);
  }
  std::fclose(status);
  return kib * 1024;
}

// The peak counts from what is resident now.
bool reset_peak() {
  std::FILE* file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return false;
  const bool written = std::fputs("5", file) >= 0;
  return std::fclose(file) == 0 && written;
}

// Maps all pages of the files this process is made of. How many come with the first touch of one
// is the kernel's choice, up to 2 MiB, and they are not the decoder's.
bool map_file_pages() {
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return false;
  char line[4'500];  // a path has up to 4,096 bytes
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char readable = 0;
    unsigned long inode = 0;
    const int found =
        std::sscanf(line, "%zx-%zx %c%*3s %*s %*s %lu", &begin, &end, &readable, &inode);
    if (found != 4 || readable != 'r' || inode == 0) continue;
    // Refused where a mapping is longer than its file; its last page is not missed.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
  }
  std::fclose(maps);
  return true;
}

struct Decoded {
  std::string errors;      // as DecodeHarness::errors_of
  std::size_t growth = 0;  // of peak resident memory, bytes
};

// A field that is read, and whatever else a message holds: the pipeline that is easiest to hurt.
data::Schema open_schema() {
  data::Field text;
  text.name = "s";
  text.required = false;
  text.text_bytes_max = kCap;
  data::Schema schema = *data::Schema::make({text});
  schema.unknown_fields_allowed = true;
  return schema;
}

// In the child: decodes as the engine does, from bytes that are there already.
void decode_and_tell(const std::string& padded, std::size_t size, int to) {
  auto decoder = RecordDecoder::make(open_schema(), Purpose::kScoring);
  std::vector<data::Cell> cells(1);
  data::RecordErrors errors;
  if (!decoder) _exit(2);
  // What the decoder makes once, whatever the messages are.
  for (const char* small : {R"({"s":"text","x":["0",{"k":1.5},true,null]})", R"({"s":"\u0041"})",
                            R"({"s":1)", R"([])"}) {
    std::string warm = small;
    const std::size_t bytes = warm.size();
    warm.append(kArenaPadding, ' ');
    data::RecordErrors ignored;
    decoder->decode(std::string_view(warm).substr(0, bytes), cells, ignored);
  }
  if (!map_file_pages() || !reset_peak()) _exit(2);
  const std::size_t before = peak_resident();
  decoder->decode(std::string_view(padded).substr(0, size), cells, errors);
  const std::size_t peak = peak_resident();
  const std::size_t growth = peak - std::min(before, peak);
  const std::string code = errors.empty() ? "" : std::string(to_string(errors.front().code));
  const bool told = ::write(to, &growth, sizeof growth) == sizeof growth &&
                    ::write(to, code.data(), code.size()) == static_cast<ssize_t>(code.size());
  _exit(before > 0 && told ? 0 : 2);
}

Decoded decoded_alone(std::string message) {
  const std::size_t size = message.size();
  message.append(kArenaPadding, ' ');
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) decode_and_tell(message, size, ends[1]);
  ::close(ends[1]);
  Decoded result;
  char code[64];
  EXPECT_EQ(::read(ends[0], &result.growth, sizeof result.growth),
            static_cast<ssize_t>(sizeof result.growth));
  const ssize_t length = ::read(ends[0], code, sizeof code);
  if (length > 0) result.errors.assign(code, static_cast<std::size_t>(length));
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return result;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

void expect_refused(const std::string& message, const std::string& code) {
  const Decoded result = decoded_alone(message);
  EXPECT_EQ(result.errors, code) << message.substr(0, 40);
  EXPECT_LT(result.growth, kGrowthMax) << message.substr(0, 40);
}

TEST(DecodeMemory, RefusedMessagesTakeNone) {
  expect_refused("{\"x\":" + std::string(100'000, '['), "too_deep");
  expect_refused("{" + repeated("\"\":0,", 200'000), "too_many_fields");
  expect_refused("{\"x\":{" + repeated("\"\":0,", 200'000), "too_many_fields");
  expect_refused("{" + repeated("\"key\":0,", 1'000'000), "too_large");
  expect_refused("{\"s\":\"" + std::string(kHuge, 'x') + "\"}", "too_large");
}

TEST(DecodeMemory, TextThatIsNoJsonTakesLittle) {
  expect_refused(std::string(kCap, '['), "too_deep");
  expect_refused(std::string(kCap, ']'), "too_many_values");
  expect_refused(std::string(kCap, ':'), "too_many_fields");
  expect_refused(std::string(kCap, '"'), "too_many_values");
  expect_refused(repeated("1 ", kCap / 2), "too_many_values");
  expect_refused(std::string(kCap, 'x'), "parse_error");
  expect_refused(std::string(kCap, '\xFF'), "invalid_utf8");
}

TEST(DecodeMemory, LegalMessagesStayBelowTwiceTheLimit) {
  const std::string legal[] = {
      "{\"s\":\"" + std::string(kCap - 8, 'x') + "\"}",
      "{\"" + std::string(std::size_t{64} << 10, 'k') + "\":1}",
      "{\"x\":[" + repeated("1,", 57'000) + "1]}",
      "{\"x\":[" + repeated("-1234567.25,", 57'000) + "1]}",
      "{\"x\":[" + repeated("\"0123456\",", 57'000) + "\"\"]}",
      "{\"x\":{" + repeated("\"" + std::string(90, 'k') + "\":\"0123\",", 9'990) + "\"y\":1}}",
  };
  for (const std::string& message : legal) {
    const Decoded result = decoded_alone(message);
    EXPECT_LT(result.growth, kGrowthMax) << message.substr(0, 40);
    EXPECT_TRUE(result.errors.empty() || result.errors == "duplicate_key") << result.errors;
  }
}

}  // namespace
}  // namespace millrace::codec
