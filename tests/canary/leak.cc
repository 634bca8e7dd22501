// Drops the only pointer to a heap block.

namespace {

void drop_block(int size) {
  volatile int* volatile block = new int[static_cast<unsigned>(size)];
  block[0] = size;
  block = nullptr;
}

}  // namespace

int main(int argc, char** /*argv*/) {
  for (int size = argc; size < argc + 100; ++size) drop_block(size);
  return 0;
}
