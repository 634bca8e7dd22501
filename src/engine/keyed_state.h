// What is remembered of each key of one partition: a fixed number of doubles a key, and which of
// them changed since the last commit, so that a commit that fails is as if nothing had been read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

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
  std::size_t changed() const { return present_.size(); }
  void every(const Change& change) const;  // all keys

  void freeze();
  void settle() { frozen_.clear(); }  // the frozen epoch is committed
  void roll_back();                   // of the present epoch and the frozen one nothing is left
  void roll_back_ahead();             // of the present epoch

  // From the log, at the start; no change.
  void load(const Entry& given);
  void forget(std::string_view key);
  void loaded();  // all of it

  std::size_t size() const { return slots_.size(); }
  std::size_t doubles() const { return doubles_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  struct Slot {
    std::string key;
    Offset offset;            // of its last reading
    Timestamp time;           // the same
    std::uint64_t epoch = 0;  // that keeps its image
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
    bool used = false;
  };
  // A key as it was before an epoch.
  struct Image {
    std::string key;
    bool existed = false;
    Offset offset;
    Timestamp time;
    std::vector<double> values;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::uint32_t add(std::string_view key);
  bool is_stale(std::uint32_t slot) const;
  void remove(std::uint32_t slot);
  void keep_image(std::uint32_t slot, bool existed);
  void unlink(std::uint32_t slot);
  void link_newest(std::uint32_t slot);
  Entry entry(std::uint32_t slot) const;
  void undo(std::vector<Image>& images);
  void order_anew();

  std::size_t doubles_;
  KeyLimits limits_;
  std::vector<double> pool_;
  std::vector<Slot> all_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> slots_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t last_touched_ = kNone;
  Timestamp latest_{};
  std::uint64_t epoch_ = 1;
  std::vector<Image> present_;
  std::vector<Image> frozen_;
};

}  // namespace millrace::engine
