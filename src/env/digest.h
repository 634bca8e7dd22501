// SHA-256 by libcrypto.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/file.h"

namespace millrace::env {

// Lower-case hex, 64 characters.
std::string sha256_hex(std::string_view bytes);

// SHA-256 of a file, read in pieces; at most `bytes_max` bytes of it (the whole file by default).
Result<std::string> sha256_file(const Path& path, std::uint64_t bytes_max = UINT64_MAX);

}  // namespace millrace::env
