#include "engine/keyed_state.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace millrace::engine {

// ----------------------------------------------------------------------------------------------
// slots and their order

std::uint32_t KeyedState::add(std::string_view key) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(all_.size());
    all_.emplace_back();
    pool_.resize(pool_.size() + doubles_);
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  std::fill_n(pool_.begin() + static_cast<std::ptrdiff_t>(slot * doubles_), doubles_, 0.0);
  all_[slot] = Slot{};
  all_[slot].key = std::string(key);
  all_[slot].used = true;
  slots_.emplace(all_[slot].key, slot);
  return slot;
}

void KeyedState::remove(std::uint32_t slot) {
  unlink(slot);
  slots_.erase(all_[slot].key);
  all_[slot].used = false;
  free_.push_back(slot);
}

void KeyedState::unlink(std::uint32_t slot) {
  Slot& it = all_[slot];
  (it.older == kNone ? oldest_ : all_[it.older].newer) = it.newer;
  (it.newer == kNone ? newest_ : all_[it.newer].older) = it.older;
  it.older = it.newer = kNone;
}

void KeyedState::link_newest(std::uint32_t slot) {
  all_[slot].older = newest_;
  all_[slot].newer = kNone;
  (newest_ == kNone ? oldest_ : all_[newest_].newer) = slot;
  newest_ = slot;
}

// Keys in the order of their last readings, as if they had been read in it.
void KeyedState::order_anew() {
  std::vector<std::uint32_t> order;
  for (std::uint32_t slot = 0; slot < all_.size(); ++slot) {
    if (all_[slot].used) order.push_back(slot);
  }
  std::sort(order.begin(), order.end(),
            [this](std::uint32_t a, std::uint32_t b) { return all_[a].offset < all_[b].offset; });
  oldest_ = newest_ = kNone;
  latest_ = Timestamp(0);
  for (const std::uint32_t slot : order) {
    link_newest(slot);
    latest_ = std::max(latest_, all_[slot].time);
  }
}

// ----------------------------------------------------------------------------------------------
// changing

void KeyedState::keep_image(std::uint32_t slot, bool existed) {
  Slot& it = all_[slot];
  if (std::exchange(it.epoch, epoch_) == epoch_) return;
  Image image{it.key, existed, it.offset, it.time, {}};
  if (existed) {
    const auto at = pool_.begin() + static_cast<std::ptrdiff_t>(slot * doubles_);
    image.values.assign(at, at + static_cast<std::ptrdiff_t>(doubles_));
  }
  present_.push_back(std::move(image));
}

std::span<double> KeyedState::touch(std::string_view key, Offset offset, Timestamp time) {
  const auto found = slots_.find(key);
  const bool existed = found != slots_.end();
  const std::uint32_t slot = existed ? found->second : add(key);
  keep_image(slot, existed);
  latest_ = std::max(latest_, time);
  // Forgotten by rule, whether or not evict() has come to it yet.
  if (existed && is_stale(slot)) {
    std::fill_n(pool_.begin() + static_cast<std::ptrdiff_t>(slot * doubles_), doubles_, 0.0);
    all_[slot].time = time;
  }
  if (existed) unlink(slot);
  link_newest(slot);
  all_[slot].offset = offset;
  all_[slot].time = existed ? std::max(all_[slot].time, time) : time;
  last_touched_ = slot;
  return values(slot);
}

bool KeyedState::is_stale(std::uint32_t slot) const {
  return limits_.evict_after &&
         all_[slot].time.value() + limits_.evict_after->count() < latest_.value();
}

void KeyedState::evict() {
  while (oldest_ != kNone && oldest_ != newest_) {
    if (slots_.size() <= limits_.keys_max && !is_stale(oldest_)) return;
    keep_image(oldest_, true);
    remove(oldest_);
  }
}

void KeyedState::clear() {
  while (oldest_ != kNone) {
    keep_image(oldest_, true);
    remove(oldest_);
  }
}

KeyedState::Entry KeyedState::entry(std::uint32_t slot) const {
  const Slot& it = all_[slot];
  return {it.key, it.offset, it.time, {pool_.data() + slot * doubles_, doubles_}};
}

void KeyedState::changes(const Change& change) const {
  // A key that was forgotten and came again has two images.
  std::set<std::string_view> told;
  for (const Image& image : present_) {
    if (!told.insert(image.key).second) continue;
    const auto found = slots_.find(image.key);
    change(found == slots_.end() ? Entry{image.key, image.offset, image.time, {}}
                                 : entry(found->second));
  }
}

void KeyedState::every(const Change& change) const {
  for (std::uint32_t slot = oldest_; slot != kNone; slot = all_[slot].newer) change(entry(slot));
}

// ----------------------------------------------------------------------------------------------
// epochs

void KeyedState::freeze() {
  CHECK(frozen_.empty());
  frozen_ = std::exchange(present_, {});
  ++epoch_;
}

void KeyedState::undo(std::vector<Image>& images) {
  // The last one first: the first image of a key is the one that counts.
  for (auto image = images.rbegin(); image != images.rend(); ++image) {
    const auto found = slots_.find(image->key);
    if (!image->existed) {
      if (found != slots_.end()) remove(found->second);
      continue;
    }
    std::uint32_t slot = 0;
    if (found == slots_.end()) {
      slot = add(image->key);
      link_newest(slot);
    } else {
      slot = found->second;
    }
    all_[slot].offset = image->offset;
    all_[slot].time = image->time;
    std::copy(image->values.begin(), image->values.end(),
              pool_.begin() + static_cast<std::ptrdiff_t>(slot * doubles_));
  }
  images.clear();
}

void KeyedState::roll_back_ahead() {
  undo(present_);
  ++epoch_;
  order_anew();
}

void KeyedState::roll_back() {
  undo(present_);
  undo(frozen_);
  ++epoch_;
  order_anew();
}

// ----------------------------------------------------------------------------------------------
// from the log

void KeyedState::load(const Entry& given) {
  CHECK(given.values.size() == doubles_);
  const auto found = slots_.find(given.key);
  std::uint32_t slot = 0;
  if (found == slots_.end()) {
    slot = add(given.key);
    link_newest(slot);
  } else {
    slot = found->second;
  }
  all_[slot].offset = given.offset;
  all_[slot].time = given.time;
  std::copy(given.values.begin(), given.values.end(),
            pool_.begin() + static_cast<std::ptrdiff_t>(slot * doubles_));
}

void KeyedState::forget(std::string_view key) {
  const auto found = slots_.find(key);
  if (found != slots_.end()) remove(found->second);
}

void KeyedState::loaded() { order_anew(); }

}  // namespace millrace::engine
