// What is remembered of each key of one partition: a fixed number of doubles a key, and which of
// them changed since the last commit, so that a commit that fails is as if nothing had been read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "engine/key_table.h"
#include "engine/large_pages.h"

namespace millrace::engine {

struct KeyLimits {
  std::size_t keys_max = 1'000'000;
  std::optional<Milliseconds> evict_after;  // behind the newest reading of the partition
};

// Changes belong to an epoch. freeze() ends one and begins the next: the frozen one is written and
// waits for its commit's outcome while the next batch is already scored. Not thread-safe.
class KeyedState {
 public:
  // `doubles`: of one key.
  KeyedState(std::size_t doubles, KeyLimits limits) : doubles_(doubles), limits_(limits) {}

  // The key's values, to be changed: zeros of a new key. Valid until the next touch().
  // `time`: of the reading; the key unseen for longest goes first when there are too many.
  std::span<double> touch(std::string_view key, Offset offset, Timestamp time);
  // The same values again, by the number that last_touched() gave after touch().
  std::span<double> values(std::uint32_t slot) {
    return {pool_.data() + slot * doubles_, doubles_};
  }
  std::uint32_t last_touched() const { return last_touched_; }
  // A key that touch() will be called with soon, best kKeysAhead calls later: what that call will
  // read comes to the processor's cache meanwhile. Changes nothing that can be seen.
  static constexpr std::size_t kKeysAhead = 24;
  void expect(std::string_view key);
  // Forgets keys that are too old or too many. A key that is too old counts as new even before, so
  // that what a reading finds depends on the readings alone; slots may be used again after it.
  void evict();
  // Forgets every key, as a change like any other.
  void clear();

  // A key as it is now; `values` are empty where it was forgotten.
  struct Entry {
    std::string_view key;
    Offset offset;   // of its last reading
    Timestamp time;  // the same
    std::span<const double> values;
  };
  using Change = std::function<void(const Entry&)>;
  // Changed keys of the present epoch, each once.
  void changes(const Change& change) const;
  std::size_t changed() const { return present_.images.size(); }
  void every(const Change& change) const;  // all keys

  void freeze();
  void settle();           // the frozen epoch is committed
  void roll_back();        // of the present epoch and the frozen one nothing is left
  void roll_back_ahead();  // of the present epoch

  // From the log, at the start; no change.
  void load(const Entry& given);
  void forget(std::string_view key);
  void loaded();  // all of it

  std::size_t size() const { return live_; }
  std::size_t doubles() const { return doubles_; }

 private:
  static constexpr std::uint32_t kNone = KeyTable::kNone;
  enum class Life : std::uint8_t {
    kFree,  // of no key
    kDead,  // its key is forgotten, but an epoch that may be undone knows it
    kLive,
  };
  // One cache line.
  struct alignas(64) Slot {
    std::string key;
    Offset offset;            // of its last reading
    Timestamp time;           // the same
    std::uint64_t epoch = 0;  // the last one that has an image of it
    std::uint32_t hash = 0;
    Life life = Life::kFree;
  };
  // The order of the last readings. Apart from the slots: a touch writes to those of two
  // neighbours.
  struct Link {
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
  };
  // A slot as it was before an epoch.
  struct Image {
    std::uint32_t slot = kNone;
    bool lived = false;
    Offset offset;
    Timestamp time;
    std::uint64_t epoch = 0;
  };
  // Buffers keep their memory from one epoch to the next, so that a change costs no allocation.
  struct Epoch {
    std::vector<Image> images;        // one a slot at most
    std::vector<double> values;       // of the images that lived, in their order
    std::vector<std::uint32_t> dead;  // slots that died in it
    void clear();
  };
  static constexpr std::size_t kExpected = 32;
  struct Expected {
    std::uint32_t hash = 0;
    std::uint32_t slot = kNone;
  };

  double* values_at(std::uint32_t slot) { return pool_.data() + slot * doubles_; }
  std::uint32_t find(std::string_view key, std::uint32_t hash) const;
  std::uint32_t find_or_add(std::string_view key);
  std::uint32_t add(std::string_view key, std::uint32_t hash);
  bool is_stale(std::uint32_t slot) const;
  void live(std::uint32_t slot);
  void die(std::uint32_t slot);
  void forget_oldest();
  void release_unless_held(std::uint32_t slot);
  void keep_image(std::uint32_t slot);
  void unlink(std::uint32_t slot);
  void link_newest(std::uint32_t slot);
  Entry entry(std::uint32_t slot) const;
  void prefetch_slot(std::uint32_t slot) const;
  void undo(Epoch& epoch);
  void order_anew();

  std::size_t doubles_;
  KeyLimits limits_;
  // By slot.
  std::vector<double, LargePages<double>> pool_;
  std::vector<Slot, LargePages<Slot>> slots_;
  std::vector<Link, LargePages<Link>> order_;
  std::vector<std::uint32_t> free_;
  KeyTable table_;  // of live and dead slots
  std::size_t live_ = 0;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t last_touched_ = kNone;
  Timestamp latest_{};
  std::uint64_t epoch_ = 1;  // the present one; a frozen one is the one before it
  Epoch present_;
  Epoch frozen_;
  std::array<Expected, kExpected> expected_;  // the last ones, in turn
  std::size_t expected_at_ = 0;
};

}  // namespace millrace::engine
