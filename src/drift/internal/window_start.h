// Which window of event time an instant lies in.
#pragma once

#include "base/time.h"

namespace millrace::drift::internal {

// The start of the window of `length` (> 0) that holds `time`; windows lie side by side from 1970
// on, also before it.
inline Timestamp window_start(Timestamp time, Milliseconds length) {
  const std::int64_t rest = time.value() % length.count();
  return Timestamp(time.value() - (rest < 0 ? rest + length.count() : rest));
}

}  // namespace millrace::drift::internal
