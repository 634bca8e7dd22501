// Adds beyond the range of int.
#include <limits>

int main(int argc, char** /*argv*/) {
  volatile int value = std::numeric_limits<int>::max();
  value = value + argc;  // argc is 1
  return value == 0 ? 1 : 0;
}
