#include "env/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/check.h"

namespace millrace::env {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(context_.get(), raw.data(), &size) == 1);
    constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += kHex[raw.at(i) >> 4];
      text += kHex[raw.at(i) & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

Result<std::string> sha256_file(const Path& path, std::uint64_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("cannot open", path, errno);
  Sha256 digest;
  std::vector<char> buffer(std::size_t{1} << 20);
  ssize_t n = 0;
  while (bytes_max > 0 &&
         (n = ::read(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), bytes_max))) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    digest.add({buffer.data(), static_cast<std::size_t>(n)});
    bytes_max -= static_cast<std::uint64_t>(n);
  }
  const int read_errno = errno;
  ::close(fd);
  if (n < 0) return errno_error("cannot read", path, read_errno);
  return digest.hex();
}

}  // namespace millrace::env
