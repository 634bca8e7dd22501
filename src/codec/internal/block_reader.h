// The unread part of a file that is in memory, as one piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "env/input_file.h"

namespace millrace::codec::internal {

// Reads in blocks. The window grows only while its user asks for more without consuming, so the
// user's limits bound the memory. Not thread-safe.
class BlockReader {
 public:
  // Readable bytes behind every window.
  static constexpr std::size_t kPadding = 64;

  explicit BlockReader(env::InputFile file);

  std::string_view window() const { return {buffer_.get() + begin_, end_ - begin_}; }
  // Whether the window reaches to the end of the file.
  bool at_end() const { return at_end_; }
  void consume(std::size_t bytes);
  // Appends to the window at least one byte, or finds the end. Moves the window: earlier views are
  // void. Errors: kIo, kInterrupted; after these it may be called again.
  Status more();

  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t file_size() const { return file_.size(); }

 private:
  void make_room();

  env::InputFile file_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;  // without the padding
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t consumed_ = 0;
  bool at_end_ = false;
};

}  // namespace millrace::codec::internal
