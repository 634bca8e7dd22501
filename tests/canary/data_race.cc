// Two threads add to a plain variable.
#include <thread>

namespace {

int counter = 0;

void count() {
  for (int i = 0; i < 100000; ++i) ++counter;
}

}  // namespace

int main() {
  std::thread other(count);
  count();
  other.join();
  return counter == 0 ? 1 : 0;
}
