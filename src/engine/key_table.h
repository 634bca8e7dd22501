// Which slot a key lies in: numbers only, the keys themselves are the owner's. Open addressing with
// linear probing over a power of two of places of 8 bytes; a deletion moves the places behind it up
// (Knuth, "The Art of Computer Programming", volume 3, 6.4, algorithm R), so nothing is left of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/large_pages.h"

namespace millrace::engine {

// Not thread-safe. Several slots may have one hash. Memory: 8 bytes for each of 4/3 to 8/3 times as
// many places as there are slots (2^32 - 1 slots at most).
class KeyTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  KeyTable() : places_(kPlacesMin) {}

  // The first slot of that hash which `is_it(slot)`; kNone when there is none.
  template <class IsIt>
  std::uint32_t find(std::uint32_t hash, IsIt is_it) const {
    for (std::size_t at = home(hash); places_[at].slot != kNone; at = after(at)) {
      if (places_[at].hash == hash && is_it(places_[at].slot)) return places_[at].slot;
    }
    return kNone;
  }
  // The slot must not be in the table.
  void insert(std::uint32_t hash, std::uint32_t slot);
  // It must be.
  void erase(std::uint32_t hash, std::uint32_t slot);
  std::size_t size() const { return size_; }

  // Asks for the memory that find() will read first.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&places_[home(hash)]); }

 private:
  static constexpr std::size_t kPlacesMin = 16;
  struct Place {
    std::uint32_t hash = 0;
    std::uint32_t slot = kNone;
  };

  std::size_t home(std::uint32_t hash) const { return hash & (places_.size() - 1); }
  std::size_t after(std::size_t at) const { return (at + 1) & (places_.size() - 1); }
  void put(Place place);
  void grow();

  using Places = std::vector<Place, LargePages<Place>>;
  Places places_;
  std::size_t size_ = 0;
};

}  // namespace millrace::engine
