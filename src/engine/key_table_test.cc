#include "engine/key_table.h"

#include <gtest/gtest.h>

#include <set>

#include "env/random.h"

namespace millrace::engine {
namespace {

constexpr auto kAny = [](std::uint32_t) { return true; };

TEST(KeyTable, AnEmptyTableFindsNothing) {
  const KeyTable table;
  EXPECT_EQ(table.find(0, kAny), KeyTable::kNone);
  EXPECT_EQ(table.find(0xffffffffU, kAny), KeyTable::kNone);
}

TEST(KeyTable, SlotsOfOneHashAreToldApartThroughGrowth) {
  KeyTable table;
  for (std::uint32_t slot = 0; slot < 100; ++slot) table.insert(7, slot);
  for (std::uint32_t slot = 0; slot < 100; ++slot)
    EXPECT_EQ(table.find(7, [&](std::uint32_t it) { return it == slot; }), slot);
  EXPECT_EQ(table.find(7, [](std::uint32_t it) { return it == 100; }), KeyTable::kNone);
  EXPECT_EQ(table.find(7 + 1024, kAny), KeyTable::kNone);
}

TEST(KeyTable, ARunAcrossTheEndSurvivesDeletions) {
  KeyTable table;
  // Homes 14, 15, 15, 0, 14 of 16: they take 14, 15, 0, 1, 2.
  const std::vector<std::uint32_t> hashes{14, 15, 31, 16, 30};
  for (std::uint32_t slot = 0; slot < hashes.size(); ++slot) table.insert(hashes[slot], slot);
  table.erase(15, 1);
  EXPECT_EQ(table.find(15, kAny), KeyTable::kNone);
  for (const std::uint32_t slot : {0U, 2U, 3U, 4U}) EXPECT_EQ(table.find(hashes[slot], kAny), slot);
}

TEST(KeyTable, RandomInsertionsAndDeletionsAreThoseOfASet) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    env::Random random(seed);
    KeyTable table;
    // Few hashes, so that runs are long and meet.
    std::set<std::uint32_t> model;
    const auto hash_of = [](std::uint32_t slot) { return (slot * 7) % 60; };
    for (int i = 0; i < 20'000; ++i) {
      const auto slot = static_cast<std::uint32_t>(random.below(i < 10'000 ? 200 : 30));
      if (model.insert(slot).second) {
        table.insert(hash_of(slot), slot);
      } else {
        model.erase(slot);
        table.erase(hash_of(slot), slot);
      }
      ASSERT_EQ(table.size(), model.size());
      const auto asked = static_cast<std::uint32_t>(random.below(200));
      ASSERT_EQ(table.find(hash_of(asked), [&](std::uint32_t it) { return it == asked; }),
                model.contains(asked) ? asked : KeyTable::kNone);
    }
  }
}

}  // namespace
}  // namespace millrace::engine
