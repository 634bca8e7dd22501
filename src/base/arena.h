// Memory that grows by blocks and is freed at once: the bytes of a batch of records.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace millrace {

// Readable bytes behind every view that an Arena hands out, so that vector code may read past the
// end.
inline constexpr std::size_t kArenaPadding = 64;

// Not thread-safe. Views stay valid until clear() or destruction; moving the arena keeps them
// valid.
class Arena {
 public:
  explicit Arena(std::size_t block_bytes = std::size_t{64} << 10) : block_bytes_(block_bytes) {}

  // Room for `size` bytes, uninitialised, followed by kArenaPadding readable bytes.
  char* allocate(std::size_t size) {
    const std::size_t need = size + kArenaPadding;
    if (blocks_.empty() || used_ + need > blocks_.back().size) add_block(need);
    char* at = blocks_.back().bytes.get() + used_;
    used_ +=
        size;  // the next view may start in this one's padding: padding is readable, not ours alone
    return at;
  }

  std::string_view copy(std::string_view bytes) {
    char* at = allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

  // Forgets everything but keeps the largest block for the next round.
  void clear() {
    if (blocks_.size() > 1) {
      std::swap(blocks_.front(), blocks_.back());
      blocks_.resize(1);
    }
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  void add_block(std::size_t need) {
    const std::size_t size = need > block_bytes_ ? need : block_bytes_;
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    block_bytes_ = block_bytes_ < (std::size_t{8} << 20) ? block_bytes_ * 2 : block_bytes_;
    used_ = 0;
  }

  std::vector<Block> blocks_;
  std::size_t block_bytes_;
  std::size_t used_ = 0;
};

}  // namespace millrace
