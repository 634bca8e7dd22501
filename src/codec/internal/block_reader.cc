#include "codec/internal/block_reader.h"

#include <cstring>

#include "base/check.h"

namespace millrace::codec::internal {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

}  // namespace

BlockReader::BlockReader(env::InputFile file)
    : file_(std::move(file)),
      buffer_(std::make_unique<char[]>(kBlockBytes + kPadding)),
      capacity_(kBlockBytes) {}

void BlockReader::consume(std::size_t bytes) {
  CHECK(bytes <= end_ - begin_);
  begin_ += bytes;
  consumed_ += bytes;
}

// The window moves to the front; where it fills more than half of the buffer already, the buffer
// doubles, so that a long row is copied and looked at again a few times only.
void BlockReader::make_room() {
  const std::size_t size = end_ - begin_;
  if (size > capacity_ / 2) {
    auto larger = std::make_unique<char[]>(capacity_ * 2 + kPadding);
    std::memcpy(larger.get(), buffer_.get() + begin_, size);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  } else if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
}

Status BlockReader::more() {
  if (at_end_) return {};
  make_room();
  MILLRACE_ASSIGN(const std::size_t read, file_.read({buffer_.get() + end_, capacity_ - end_}));
  end_ += read;
  at_end_ = read == 0;
  return {};
}

}  // namespace millrace::codec::internal
