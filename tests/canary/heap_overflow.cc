// Writes one element past a heap block.
#include <memory>

int main(int argc, char** /*argv*/) {
  const auto size = static_cast<std::size_t>(argc);  // 1
  const auto block = std::make_unique<char[]>(size);
  volatile char* const bytes = block.get();
  bytes[size] = 'x';
  return bytes[0];
}
