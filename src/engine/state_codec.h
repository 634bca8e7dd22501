// The state of a key as bytes on the changelog: docs/formats/state.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace millrace::engine {

// Beside the values of a key's state.
struct StateHead {
  Offset offset;   // of its last reading
  Timestamp time;  // the same
};

enum class StateForm { kGood, kNotAState, kOtherSize };

// Replaces `out`. Every bit of every value is kept; zeros and small integers take less room.
void encode_state(const StateHead& head, std::span<const double> values, std::string& out);
// kOtherSize: a state of another number of values than `values` has room for. Both forms are read,
// that of today (MRS2) and the one before (MRS1).
StateForm decode_state(std::string_view text, StateHead& head, std::span<double> values);

}  // namespace millrace::engine
