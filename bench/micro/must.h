// Results that a benchmark cannot do without.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/result.h"

namespace millrace {

// Ends the process with the error's exit code where there is one.
inline void must(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  std::exit(status.error().exit_code());
}

template <class T>
T must(Result<T> result) {
  if (!result) must(Status(result.error()));
  return std::move(*result);
}

}  // namespace millrace
