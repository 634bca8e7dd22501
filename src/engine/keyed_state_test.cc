#include "engine/keyed_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "env/random.h"

namespace millrace::engine {
namespace {

using Contents = std::map<std::string, double>;

Contents contents(const KeyedState& state) {
  Contents out;
  state.every(
      [&](const KeyedState::Entry& entry) { out[std::string(entry.key)] = entry.values[0]; });
  return out;
}

Contents changes(const KeyedState& state) {
  Contents out;
  state.changes([&](const KeyedState::Entry& entry) {
    out[std::string(entry.key)] = entry.values.empty() ? -1 : entry.values[0];
  });
  return out;
}

void set(KeyedState& state, const std::string& key, std::int64_t offset, double value) {
  state.touch(key, Offset(offset), Timestamp(offset))[0] = value;
}

TEST(KeyedState, ANewKeyIsZeros) {
  KeyedState state(2, {});
  const auto values = state.touch("a", Offset(0), Timestamp(0));
  EXPECT_EQ(values.size(), 2U);
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 0);
}

TEST(KeyedState, EachChangedKeyIsToldOnceWithItsPresentValue) {
  KeyedState state(1, {});
  set(state, "a", 0, 1);
  set(state, "b", 1, 2);
  set(state, "a", 2, 3);
  EXPECT_EQ(changes(state), (Contents{{"a", 3}, {"b", 2}}));
  state.freeze();
  EXPECT_TRUE(changes(state).empty());
}

TEST(KeyedState, RollingBackUndoesTheFrozenEpochAndTheOneAhead) {
  KeyedState state(1, {});
  set(state, "a", 0, 1);
  state.freeze();
  state.settle();
  set(state, "a", 1, 2);
  set(state, "b", 2, 9);
  state.freeze();
  set(state, "a", 3, 3);
  set(state, "c", 4, 4);
  state.roll_back();
  EXPECT_EQ(contents(state), (Contents{{"a", 1}}));
}

TEST(KeyedState, WhatWasScoredAheadCanBeUndoneAlone) {
  KeyedState state(1, {});
  set(state, "a", 0, 1);
  state.freeze();
  set(state, "a", 1, 2);
  set(state, "b", 2, 3);
  state.roll_back_ahead();
  EXPECT_EQ(contents(state), (Contents{{"a", 1}}));
  state.settle();
  EXPECT_EQ(contents(state), (Contents{{"a", 1}}));
}

TEST(KeyedState, TheKeyUnseenForLongestGoesFirstAndComesBackWithARollback) {
  KeyedState state(1, {.keys_max = 2, .evict_after = std::nullopt});
  set(state, "a", 0, 1);
  set(state, "b", 1, 2);
  state.freeze();
  state.settle();
  set(state, "a", 2, 3);
  set(state, "c", 3, 4);
  state.evict();
  EXPECT_EQ(contents(state), (Contents{{"a", 3}, {"c", 4}}));
  EXPECT_EQ(changes(state), (Contents{{"a", 3}, {"b", -1}, {"c", 4}}));
  state.roll_back();
  EXPECT_EQ(contents(state), (Contents{{"a", 1}, {"b", 2}}));
}

TEST(KeyedState, AKeyThatIsTooOldCountsAsNewBeforeItIsEvicted) {
  KeyedState state(1, {.keys_max = 100, .evict_after = Milliseconds(10)});
  set(state, "a", 0, 5);
  set(state, "b", 11, 1);
  EXPECT_EQ(state.touch("a", Offset(12), Timestamp(12))[0], 0);
}

TEST(KeyedState, AKeyForgottenAndSeenAgainInOneEpochIsUndoneToWhatItWas) {
  KeyedState state(1, {.keys_max = 1, .evict_after = std::nullopt});
  set(state, "a", 0, 1);
  state.freeze();
  state.settle();
  set(state, "b", 1, 2);
  state.evict();
  set(state, "a", 2, 7);
  state.evict();
  EXPECT_EQ(contents(state), (Contents{{"a", 7}}));
  state.roll_back();
  EXPECT_EQ(contents(state), (Contents{{"a", 1}}));
}

TEST(KeyedState, WhatIsLoadedIsNoChange) {
  KeyedState state(1, {});
  const double value = 4;
  state.load({"a", Offset(7), Timestamp(7), {&value, 1}});
  state.loaded();
  EXPECT_TRUE(changes(state).empty());
  EXPECT_EQ(contents(state), (Contents{{"a", 4}}));
}

// Of many lengths, the empty one among them.
std::vector<std::string> names_of(std::size_t count) {
  std::vector<std::string> names{""};
  for (std::size_t i = 1; i < count; ++i)
    names.push_back(std::string(i * 7 % 101, 'x') + std::to_string(i));
  return names;
}

TEST(KeyedState, KeysOfAllLengthsKeepTheirOwnValues) {
  // Enough of them that memory grows into large pages.
  KeyedState state(1, {});
  const std::vector<std::string> names = names_of(50'000);
  for (std::size_t i = 0; i < names.size(); ++i)
    set(state, names[i], static_cast<std::int64_t>(i), static_cast<double>(i));
  EXPECT_EQ(state.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    ASSERT_EQ(state.touch(names[i], Offset(100'000), Timestamp(100'000))[0],
              static_cast<double>(i));
  EXPECT_EQ(state.size(), names.size());
}

TEST(KeyedState, AForgottenKeysPlaceIsUsedAgainOnceNothingCanBringItBack) {
  KeyedState state(1, {.keys_max = 1, .evict_after = std::nullopt});
  set(state, "a", 0, 5);
  const std::uint32_t slot = state.last_touched();
  state.freeze();
  state.settle();
  set(state, "b", 1, 6);
  state.evict();
  EXPECT_EQ(state.size(), 1U);
  state.freeze();
  set(state, "c", 2, 7);
  EXPECT_NE(state.last_touched(), slot);
  state.settle();
  EXPECT_EQ(state.touch("d", Offset(3), Timestamp(3))[0], 0);
  EXPECT_EQ(state.last_touched(), slot);
}

TEST(KeyedState, KeysThatWereForgottenInTheLogAreNotThere) {
  KeyedState state(1, {});
  const double value = 4;
  state.load({"a", Offset(1), Timestamp(1), {&value, 1}});
  state.load({"b", Offset(2), Timestamp(2), {&value, 1}});
  state.forget("a");
  state.forget("never there");
  state.loaded();
  EXPECT_EQ(contents(state), (Contents{{"b", 4}}));
  EXPECT_EQ(state.touch("a", Offset(3), Timestamp(3))[0], 0);
}

// The same in the simplest way: a map, and copies of it.
class Model {
 public:
  explicit Model(KeyLimits limits) : limits_(limits) {}

  struct Known {
    std::int64_t offset = 0;
    std::int64_t time = 0;
    double value = 0;
    bool operator==(const Known&) const = default;
  };
  using Keys = std::map<std::string, Known>;

  double touch(const std::string& key, std::int64_t offset, std::int64_t time, double value) {
    change(key);
    present_.latest = std::max(present_.latest, time);
    auto found = present_.keys.find(key);
    if (found != present_.keys.end() && is_stale(found->second)) {
      present_.keys.erase(found);
      found = present_.keys.end();
    }
    const Known before = found == present_.keys.end() ? Known{0, time, 0} : found->second;
    present_.keys[key] = {offset, std::max(before.time, time), value};
    return before.value;
  }
  void evict() {
    while (present_.keys.size() > 1) {
      const auto oldest = std::min_element(
          present_.keys.begin(), present_.keys.end(),
          [](const auto& a, const auto& b) { return a.second.offset < b.second.offset; });
      if (present_.keys.size() <= limits_.keys_max && !is_stale(oldest->second)) return;
      change(oldest->first);
      present_.keys.erase(oldest);
    }
  }
  void clear() {
    // In the order of the last readings.
    std::map<std::int64_t, std::string> by_offset;
    for (const auto& [key, known] : present_.keys) by_offset[known.offset] = key;
    for (const auto& [offset, key] : by_offset) change(key);
    present_.keys.clear();
  }
  void freeze() {
    before_frozen_ = before_present_;
    before_present_ = present_;
    changed_.clear();
  }
  void roll_back_ahead() { roll_back_to(before_present_); }
  void roll_back(bool is_frozen) {
    roll_back_to(is_frozen ? before_frozen_ : before_present_);
    before_present_ = present_;
  }

  const Keys& keys() const { return present_.keys; }
  const std::vector<std::string>& changed() const { return changed_; }

 private:
  struct World {
    Keys keys;
    std::int64_t latest = 0;
  };

  bool is_stale(const Known& known) const {
    return limits_.evict_after && known.time + limits_.evict_after->count() < present_.latest;
  }
  void change(const std::string& key) {
    if (std::find(changed_.begin(), changed_.end(), key) == changed_.end()) changed_.push_back(key);
  }
  void roll_back_to(const World& world) {
    present_.keys = world.keys;
    present_.latest = 0;
    for (const auto& [key, known] : present_.keys)
      present_.latest = std::max(present_.latest, known.time);
    changed_.clear();
  }

  KeyLimits limits_;
  World present_;
  World before_present_;
  World before_frozen_;
  std::vector<std::string> changed_;
};

void expect_same(const KeyedState& state, const Model& model) {
  Model::Keys keys;
  std::int64_t before = -1;
  state.every([&](const KeyedState::Entry& entry) {
    keys[std::string(entry.key)] = {entry.offset.value(), entry.time.value(), entry.values[1]};
    EXPECT_LT(before, entry.offset.value());  // the oldest first
    before = entry.offset.value();
  });
  ASSERT_EQ(keys, model.keys());
  ASSERT_EQ(state.size(), model.keys().size());
  std::vector<std::string> changed;
  state.changes([&](const KeyedState::Entry& entry) {
    changed.emplace_back(entry.key);
    const auto known = model.keys().find(changed.back());
    ASSERT_EQ(entry.values.empty(), known == model.keys().end());
    if (entry.values.empty()) return;
    ASSERT_EQ(entry.values[1], known->second.value);
  });
  ASSERT_EQ(changed, model.changed());
  ASSERT_EQ(state.changed(), changed.size());
}

void act_at_random(env::Random& random, const KeyLimits& limits) {
  const std::vector<std::string> names = names_of(60);
  KeyedState state(2, limits);
  Model model(limits);
  bool is_frozen = false;
  for (std::int64_t i = 0; i < 3'000; ++i) {
    const std::uint64_t act = random.below(100);
    if (act < 70) {
      // Some keys are rare.
      const std::string& name = names[random.below(1 + random.below(names.size()))];
      const std::int64_t time = std::max<std::int64_t>(0, i - std::int64_t(random.below(30)));
      if (random.below(2) == 0) state.expect(names[random.below(names.size())]);
      const auto values = state.touch(name, Offset(i), Timestamp(time));
      ASSERT_EQ(values[1], model.touch(name, i, time, static_cast<double>(i)));
      state.values(state.last_touched())[1] = static_cast<double>(i);
    } else if (act < 85) {
      state.evict();
      model.evict();
    } else if (act < 92) {
      if (is_frozen) state.settle();
      is_frozen = !is_frozen;
      if (is_frozen) {
        state.freeze();
        model.freeze();
      }
    } else if (act < 95) {
      state.roll_back_ahead();
      model.roll_back_ahead();
    } else if (act < 98) {
      state.roll_back();
      model.roll_back(is_frozen);
      is_frozen = false;
    } else if (random.below(4) == 0) {
      state.clear();
      model.clear();
    }
    expect_same(state, model);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(KeyedState, WhateverHappensItIsWhatASimpleMapIs) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    env::Random random(seed);
    KeyLimits limits{.keys_max = 10 + random.below(60), .evict_after = std::nullopt};
    if (random.below(2) == 0) limits.evict_after = Milliseconds(50 + random.below(200));
    act_at_random(random, limits);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace millrace::engine
