#include "drift/profile.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <vector>

#include "json/json.h"

namespace millrace::drift {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST(Profile, NumbersHaveMomentsGridAndDeciles) {
  std::vector<double> values(1000);
  std::iota(values.begin(), values.end(), 1);
  values.push_back(kMissing);
  values.push_back(std::numeric_limits<double>::infinity());
  const ColumnProfile profile = profile_of({"x", "", {}}, values);
  EXPECT_EQ(profile.count, 1000U);
  EXPECT_EQ(profile.missing, 2U);
  EXPECT_NEAR(profile.mean, 500.5, 1e-9);
  EXPECT_NEAR(profile.std, 288.67499025720945, 1e-9);  // numpy.std
  EXPECT_EQ(profile.min, 1);
  EXPECT_EQ(profile.max, 1000);
  ASSERT_EQ(profile.grid.size(), kGridSteps + 1);
  EXPECT_EQ(profile.grid[32].value, 500);
  EXPECT_EQ(profile.grid[32].at_most, 0.5);
  EXPECT_EQ(profile.grid[32].below, 0.499);
  ASSERT_EQ(profile.edges.size(), kBins - 1);
  EXPECT_EQ(profile.edges[0], 100);
  EXPECT_EQ(profile.counts, std::vector<double>(kBins, 100));
  EXPECT_EQ(profile.bin_of(100), 0U);
  EXPECT_EQ(profile.bin_of(100.5), 1U);
  EXPECT_EQ(profile.bin_of(1e300), 9U);
}

TEST(Profile, RepeatedValuesMakeFewerBins) {
  const ColumnProfile flags = profile_of({"x", "", {}}, std::vector<double>{0, 0, 0, 1});
  EXPECT_EQ(flags.edges, std::vector<double>{0});
  EXPECT_EQ(flags.counts, (std::vector<double>{3, 1}));
  const ColumnProfile rare =
      profile_of({"x", "", {}}, std::vector<double>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(rare.edges, std::vector<double>{0});
  const ColumnProfile constant = profile_of({"x", "", {}}, std::vector<double>(10, 5));
  EXPECT_EQ(constant.counts, (std::vector<double>{0, 10, 0}));
  EXPECT_EQ(constant.std, 0);
  EXPECT_EQ(constant.bin_of(4.999), 0U);
  EXPECT_EQ(constant.bin_of(5.001), 2U);
}

TEST(Profile, CategoriesHaveABinALevelAndOneForTheUnknown) {
  const ColumnProfile profile =
      profile_of({"x", "", {"a", "b"}}, std::vector<double>{0, 1, 1, kMissing, 7, -1});
  EXPECT_EQ(profile.counts, (std::vector<double>{1, 2, 2}));
  EXPECT_EQ(profile.missing, 1U);
}

TEST(Profile, NothingHasAProfileToo) {
  const ColumnProfile profile = profile_of({"x", "", {}}, std::vector<double>(3, kMissing));
  EXPECT_EQ(profile.count, 0U);
  EXPECT_EQ(profile.missing_share(), 1);
  EXPECT_EQ(profile_of({"x", "", {}}, {}).missing_share(), 0);
}

TEST(Profile, JsonKeepsEverything) {
  const std::vector<double> values = {0.1, 0.2, 1.0 / 3, 4, 5, 5, 5, kMissing};
  for (const ColumnSpec& column : {ColumnSpec{"x", "field", {}}, ColumnSpec{"y", "", {"a", "b"}}}) {
    const json::Value once = profile_of(column, values).to_json();
    const auto parsed = json::parse(json::to_line(once), "p");
    ASSERT_TRUE(parsed);
    const auto read = ColumnProfile::from_json(*parsed);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(json::to_line(read->to_json()), json::to_line(once));
  }
}

TEST(Profile, DamagedJsonIsRefusedWithTheColumn) {
  json::Value sound = profile_of({"x", "", {}}, std::vector<double>{1, 2, 3, 4}).to_json();
  json::Value value = sound;
  value["counts"] = {1};
  const auto read = ColumnProfile::from_json(value);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("'x'"), std::string::npos);
  for (const char* key : {"name", "count", "mean", "grid", "edges", "counts"}) {
    value = sound;
    value.erase(key);
    EXPECT_FALSE(ColumnProfile::from_json(value)) << key;
    value[key] = "text";
    EXPECT_FALSE(key == std::string("name") ? Result<ColumnProfile>(Error(ErrorCode::kBadData, ""))
                                            : ColumnProfile::from_json(value))
        << key;
  }
}

}  // namespace
}  // namespace millrace::drift
