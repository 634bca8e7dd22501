#include "engine/keyed_state.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace millrace::engine {
namespace {

std::uint32_t hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(stable_hash64(key));
}

// Of a key's values, so much is fetched ahead; the processor sees by itself where more is read.
constexpr std::size_t kLineDoubles = 8;
constexpr std::size_t kPrefetchDoublesMax = 4 * kLineDoubles;

// An epoch's buffer of this size is kept even where less is used of it.
constexpr std::size_t kKeptDoubles = 64 * 1024;

// So many slots ahead are fetched when changes are told.
constexpr std::size_t kChangesAhead = 8;

}  // namespace

// ----------------------------------------------------------------------------------------------
// slots and their order

std::uint32_t KeyedState::find(std::string_view key, std::uint32_t hash) const {
  return table_.find(hash, [&](std::uint32_t slot) { return slots_[slot].key == key; });
}

std::uint32_t KeyedState::find_or_add(std::string_view key) {
  const std::uint32_t hash = hash_of(key);
  const std::uint32_t slot = find(key, hash);
  return slot == kNone ? add(key, hash) : slot;
}

std::uint32_t KeyedState::add(std::string_view key, std::uint32_t hash) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
    order_.emplace_back();
    pool_.resize(pool_.size() + doubles_);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Slot& it = slots_[slot];
  it.key = key;
  it.hash = hash;
  it.life = Life::kDead;
  table_.insert(hash, slot);
  return slot;
}

void KeyedState::live(std::uint32_t slot) {
  slots_[slot].life = Life::kLive;
  ++live_;
}

void KeyedState::die(std::uint32_t slot) {
  unlink(slot);
  slots_[slot].life = Life::kDead;
  --live_;
}

// A dead slot's key stays findable while an epoch may still be undone to it.
void KeyedState::release_unless_held(std::uint32_t slot) {
  Slot& it = slots_[slot];
  if (it.life != Life::kDead || it.epoch == epoch_) return;
  if (it.epoch + 1 == epoch_ && !frozen_.images.empty()) return;
  table_.erase(it.hash, slot);
  it = Slot{};
  free_.push_back(slot);
}

void KeyedState::unlink(std::uint32_t slot) {
  const Link it = std::exchange(order_[slot], Link{});
  (it.older == kNone ? oldest_ : order_[it.older].newer) = it.newer;
  (it.newer == kNone ? newest_ : order_[it.newer].older) = it.older;
}

void KeyedState::link_newest(std::uint32_t slot) {
  order_[slot] = {newest_, kNone};
  (newest_ == kNone ? oldest_ : order_[newest_].newer) = slot;
  newest_ = slot;
}

// Keys in the order of their last readings, as if they had been read in it.
void KeyedState::order_anew() {
  std::vector<std::uint32_t> order;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    if (slots_[slot].life == Life::kLive) order.push_back(slot);
  }
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    return slots_[a].offset < slots_[b].offset;
  });
  oldest_ = newest_ = kNone;
  latest_ = Timestamp(0);
  for (const std::uint32_t slot : order) {
    link_newest(slot);
    latest_ = std::max(latest_, slots_[slot].time);
  }
}

// ----------------------------------------------------------------------------------------------
// changing

void KeyedState::keep_image(std::uint32_t slot) {
  Slot& it = slots_[slot];
  const std::uint64_t before = std::exchange(it.epoch, epoch_);
  if (before == epoch_) return;
  const bool lived = it.life == Life::kLive;
  present_.images.push_back({slot, lived, it.offset, it.time, before});
  if (!lived) return;
  const double* const values = values_at(slot);
  present_.values.insert(present_.values.end(), values, values + doubles_);
}

std::span<double> KeyedState::touch(std::string_view key, Offset offset, Timestamp time) {
  const std::uint32_t slot = find_or_add(key);
  keep_image(slot);
  latest_ = std::max(latest_, time);
  Slot& it = slots_[slot];
  const bool lived = it.life == Life::kLive;
  // Forgotten by rule, whether or not evict() has come to it yet.
  if (!lived || is_stale(slot)) {
    std::fill_n(values_at(slot), doubles_, 0.0);
    it.time = time;
  }
  it.time = std::max(it.time, time);
  it.offset = offset;
  lived ? unlink(slot) : live(slot);
  link_newest(slot);
  last_touched_ = slot;
  return values(slot);
}

void KeyedState::prefetch_slot(std::uint32_t slot) const {
  __builtin_prefetch(&slots_[slot]);
  __builtin_prefetch(&order_[slot]);
  const double* const values = pool_.data() + slot * doubles_;
  const std::size_t fetched = std::min(doubles_, kPrefetchDoublesMax);
  for (std::size_t i = 0; i < fetched; i += kLineDoubles) __builtin_prefetch(values + i);
  if (fetched > 0) __builtin_prefetch(values + fetched - 1);
}

// Each step reads what the step before it has asked for a third of the way earlier.
void KeyedState::expect(std::string_view key) {
  constexpr std::size_t kStep = kKeysAhead / 3;
  static_assert(2 * kStep < kExpected);
  const auto earlier = [this](std::size_t calls) -> Expected& {
    return expected_[(expected_at_ - calls) % kExpected];
  };
  Expected& now = earlier(0);
  now = {hash_of(key), kNone};
  table_.prefetch(now.hash);
  Expected& found = earlier(kStep);
  found.slot = table_.find(found.hash, [](std::uint32_t) { return true; });
  if (found.slot != kNone) prefetch_slot(found.slot);
  if (const Expected& there = earlier(2 * kStep); there.slot != kNone) {
    const auto [older, newer] = order_[there.slot];
    if (older != kNone) __builtin_prefetch(&order_[older]);
    if (newer != kNone) __builtin_prefetch(&order_[newer]);
    __builtin_prefetch(slots_[there.slot].key.data());
  }
  ++expected_at_;
}

bool KeyedState::is_stale(std::uint32_t slot) const {
  return limits_.evict_after &&
         slots_[slot].time.value() + limits_.evict_after->count() < latest_.value();
}

void KeyedState::forget_oldest() {
  keep_image(oldest_);
  present_.dead.push_back(oldest_);
  die(oldest_);
}

void KeyedState::evict() {
  while (oldest_ != kNone && oldest_ != newest_) {
    if (live_ <= limits_.keys_max && !is_stale(oldest_)) return;
    forget_oldest();
  }
}

void KeyedState::clear() {
  while (oldest_ != kNone) forget_oldest();
}

KeyedState::Entry KeyedState::entry(std::uint32_t slot) const {
  const Slot& it = slots_[slot];
  return {it.key, it.offset, it.time, {pool_.data() + slot * doubles_, doubles_}};
}

void KeyedState::changes(const Change& change) const {
  for (std::size_t i = 0; i < present_.images.size(); ++i) {
    if (i + kChangesAhead < present_.images.size())
      prefetch_slot(present_.images[i + kChangesAhead].slot);
    const Image& image = present_.images[i];
    const Slot& slot = slots_[image.slot];
    change(slot.life == Life::kLive ? entry(image.slot)
                                    : Entry{slot.key, image.offset, image.time, {}});
  }
}

void KeyedState::every(const Change& change) const {
  for (std::uint32_t slot = oldest_; slot != kNone; slot = order_[slot].newer) change(entry(slot));
}

// ----------------------------------------------------------------------------------------------
// epochs

void KeyedState::Epoch::clear() {
  // What one epoch of many changes needed is not held for ever.
  if (values.capacity() > kKeptDoubles && values.size() < values.capacity() / 4) *this = Epoch{};
  images.clear();
  values.clear();
  dead.clear();
}

void KeyedState::freeze() {
  CHECK(frozen_.images.empty());
  std::swap(frozen_, present_);
  ++epoch_;
}

void KeyedState::settle() {
  frozen_.images.clear();
  for (const std::uint32_t slot : frozen_.dead) release_unless_held(slot);
  frozen_.clear();
}

void KeyedState::undo(Epoch& epoch) {
  // The last one first: its values are at the end. The caller makes the order anew.
  while (!epoch.images.empty()) {
    const Image image = epoch.images.back();
    epoch.images.pop_back();
    Slot& it = slots_[image.slot];
    it.offset = image.offset;
    it.time = image.time;
    it.epoch = image.epoch;
    if (image.lived) {
      if (it.life != Life::kLive) live(image.slot);
      std::copy(epoch.values.end() - static_cast<std::ptrdiff_t>(doubles_), epoch.values.end(),
                values_at(image.slot));
      epoch.values.resize(epoch.values.size() - doubles_);
    } else {
      if (it.life == Life::kLive) die(image.slot);
      release_unless_held(image.slot);
    }
  }
  epoch.clear();
}

void KeyedState::roll_back_ahead() {
  undo(present_);
  order_anew();
}

void KeyedState::roll_back() {
  undo(present_);
  undo(frozen_);
  order_anew();
}

// ----------------------------------------------------------------------------------------------
// from the log

void KeyedState::load(const Entry& given) {
  CHECK(given.values.size() == doubles_);
  const std::uint32_t slot = find_or_add(given.key);
  if (slots_[slot].life != Life::kLive) {
    live(slot);
    link_newest(slot);
  }
  slots_[slot].offset = given.offset;
  slots_[slot].time = given.time;
  std::copy(given.values.begin(), given.values.end(), values_at(slot));
}

void KeyedState::forget(std::string_view key) {
  const std::uint32_t slot = find(key, hash_of(key));
  if (slot == kNone || slots_[slot].life != Life::kLive) return;
  die(slot);
  release_unless_held(slot);
}

void KeyedState::loaded() { order_anew(); }

}  // namespace millrace::engine
