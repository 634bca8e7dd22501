#include "engine/keyed_state.h"

#include <gtest/gtest.h>

#include <map>

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

}  // namespace
}  // namespace millrace::engine
