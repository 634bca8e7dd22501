#include "engine/key_table.h"

#include <utility>

#include "base/check.h"

namespace millrace::engine {

void KeyTable::put(Place place) {
  std::size_t at = home(place.hash);
  while (places_[at].slot != kNone) at = after(at);
  places_[at] = place;
}

void KeyTable::grow() {
  const Places old = std::exchange(places_, Places(2 * places_.size()));
  for (const Place& place : old) {
    if (place.slot != kNone) put(place);
  }
}

void KeyTable::insert(std::uint32_t hash, std::uint32_t slot) {
  CHECK(slot != kNone);
  // At most three quarters are taken: runs stay short, and every search finds its end.
  if (4 * (size_ + 1) > 3 * places_.size()) grow();
  put({hash, slot});
  ++size_;
}

void KeyTable::erase(std::uint32_t hash, std::uint32_t slot) {
  std::size_t hole = home(hash);
  while (places_[hole].slot != slot) {
    CHECK(places_[hole].slot != kNone);
    hole = after(hole);
  }
  // Whoever would not be found any more across the hole moves into it, and leaves another one.
  const std::size_t mask = places_.size() - 1;
  for (std::size_t at = after(hole); places_[at].slot != kNone; at = after(at)) {
    const std::size_t from_home = (at - home(places_[at].hash)) & mask;
    const std::size_t from_hole = (at - hole) & mask;
    if (from_home < from_hole) continue;
    places_[hole] = places_[at];
    hole = at;
  }
  places_[hole] = Place{};
  --size_;
}

}  // namespace millrace::engine
