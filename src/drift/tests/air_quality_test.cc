// The promise of drift on real data: no false alarm on the training period, and an alarm within one
// window of a shift of one standard deviation.
#include "air_quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <set>

#include "drift/monitor.h"
#include "drift/reference_builder.h"
#include "json/json.h"

namespace millrace::drift {
namespace {

constexpr std::int64_t kWeekMs = 7 * 86'400'000LL;
constexpr std::size_t kWeekRows = 168;

class AirQualityDrift : public ::testing::Test {
 protected:
  void SetUp() override {
    data_ = read_air_quality();
    if (!data_) {
      std::cout << "SKIPPED: no data at MILLRACE_DATA_DIR\n";
      return;
    }
    ASSERT_EQ(data_->rows.size(), 9357U);
    ReferenceOptions options;
    ReferenceBuilder builder(data_->columns, options);
    for (std::size_t i = 0; i < training_rows(); ++i) builder.add(data_->times[i], data_->rows[i]);
    auto built = builder.build();
    ASSERT_TRUE(built) << built.error().message();
    reference_ = std::make_shared<const Reference>(std::move(*built));
  }

  // First row of the w-th whole window: the data begins six hours before one.
  static std::size_t week(std::size_t w) { return 6 + w * kWeekRows; }

  std::size_t values_in(std::size_t begin, std::size_t column) const {
    std::size_t there = 0;
    for (std::size_t i = begin; i < begin + kWeekRows; ++i) {
      there += std::isnan(data_->rows[i][column]) ? 0 : 1;
    }
    return there;
  }

  std::size_t training_rows() const { return data_->rows.size() * 8 / 10; }

  // Rows [begin, end) streamed; `column` (where given) moved by `sigmas` from the time `from` on.
  std::vector<Alert> stream(DriftMonitor& monitor, std::size_t begin, std::size_t end,
                            std::size_t column = SIZE_MAX, double sigmas = 0,
                            Timestamp from = {}) const {
    std::vector<Alert> alerts;
    for (std::size_t i = begin; i < end; ++i) {
      std::vector<double> row = data_->rows[i];
      if (column < row.size() && data_->times[i] >= from) {
        row[column] += sigmas * reference_->columns[column].profile.std;
      }
      const auto more = monitor.observe(
          {data_->times[i], PartitionId(0), Offset(static_cast<std::int64_t>(i)), row, 0});
      alerts.insert(alerts.end(), more.begin(), more.end());
    }
    return alerts;
  }

  std::optional<AirQuality> data_;
  std::shared_ptr<const Reference> reference_;
};

TEST_F(AirQualityDrift, TheTrainingPeriodGivesNoAlarm) {
  if (!data_) return;
  DriftMonitor monitor(reference_, {});
  EXPECT_TRUE(stream(monitor, 0, training_rows()).empty());
  EXPECT_GE(monitor.counts().windows, 44U);
  EXPECT_EQ(monitor.counts().late, 0U);
  EXPECT_EQ(monitor.counts().stray, 0U);
}

TEST_F(AirQualityDrift, ACarbonMonoxideShiftAlarmsInItsFirstWindowAndClearsAfterIt) {
  if (!data_) return;
  DriftMonitor monitor(reference_, {});
  constexpr std::size_t kCo = 0;
  const std::size_t begin = week(20);
  ASSERT_TRUE(stream(monitor, 0, begin, kCo).empty());
  const auto raised = stream(monitor, begin, week(22) + 3, kCo, 1, data_->times[begin]);
  ASSERT_FALSE(raised.empty());
  EXPECT_EQ(raised[0].feature, "CO(GT)");
  EXPECT_EQ(raised[0].state, Alert::State::kRaised);
  EXPECT_EQ(raised[0].window_start, data_->times[begin]);
  EXPECT_EQ(raised[0].window_end.value() - raised[0].window_start.value(), kWeekMs);
  EXPECT_GT(raised[0].value, raised[0].threshold);
  EXPECT_EQ(raised[0].records, kWeekRows);
  ASSERT_EQ(raised[0].offsets.size(), 1U);
  EXPECT_EQ(raised[0].offsets[0].first, Offset(static_cast<std::int64_t>(begin)));
  EXPECT_EQ(raised[0].offsets[0].last, Offset(static_cast<std::int64_t>(begin + kWeekRows - 1)));
  for (const Alert& alert : raised) EXPECT_EQ(alert.feature, "CO(GT)");
  const auto cleared = stream(monitor, week(22) + 3, week(26) + 3);
  EXPECT_EQ(cleared.size(), raised.size());
  for (const Alert& alert : cleared) EXPECT_EQ(alert.state, Alert::State::kCleared);
  EXPECT_FALSE(monitor.is_drifting(kCo));
}

// Every column, every week of the training period that has at least half of its values, up and
// down: nearly all alarm in the week itself.
TEST_F(AirQualityDrift, AShiftOfOneStandardDeviationAlarmsWithinOneWindow) {
  if (!data_) return;
  std::size_t shifts = 0;
  std::size_t seen = 0;
  std::size_t named_first = 0;
  for (std::size_t column = 0; column < data_->columns.size(); ++column) {
    std::size_t its_shifts = 0;
    std::size_t its_seen = 0;
    for (std::size_t w = 0; week(w + 1) + 3 <= training_rows(); ++w) {
      if (values_in(week(w), column) < kWeekRows / 2) continue;
      for (const double sigmas : {1.0, -1.0}) {
        DriftMonitor monitor(reference_, {});
        const auto alerts =
            stream(monitor, week(w), week(w + 1) + 3, column, sigmas, data_->times[week(w)]);
        ++its_shifts;
        its_seen += alerts.empty() ? 0 : 1;
        const auto& name = data_->columns[column].name;
        named_first += !alerts.empty() && alerts[0].feature == name ? 1 : 0;
      }
    }
    EXPECT_GE(its_seen * 100, its_shifts * 85) << data_->columns[column].name;
    shifts += its_shifts;
    seen += its_seen;
  }
  EXPECT_GT(shifts, 1000U);
  EXPECT_GE(seen * 1000, shifts * 965) << seen << " of " << shifts;
  EXPECT_GE(named_first * 100, shifts * 88) << named_first << " of " << shifts;
}

TEST_F(AirQualityDrift, AnotherUnitInAllColumnsIsSeenInEach) {
  if (!data_) return;
  DriftMonitor monitor(reference_, {});
  std::vector<Alert> alerts;
  for (std::size_t i = week(20); i < week(21) + 3; ++i) {
    std::vector<double> row = data_->rows[i];
    for (double& value : row) value *= 2;  // another unit everywhere
    const auto more = monitor.observe(
        {data_->times[i], PartitionId(0), Offset(static_cast<std::int64_t>(i)), row, 0});
    alerts.insert(alerts.end(), more.begin(), more.end());
  }
  std::set<std::string> features;
  for (const Alert& alert : alerts) features.insert(alert.feature);
  EXPECT_GE(features.size(), 11U);
}

TEST_F(AirQualityDrift, TheReferenceIsTheSameAfterItsJson) {
  if (!data_) return;
  const std::string text = json::to_line(reference_->to_json());
  EXPECT_LT(text.size(), std::size_t{80'000});
  const auto parsed = json::parse(text, "reference");
  ASSERT_TRUE(parsed);
  auto read = Reference::from_json(*parsed);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(json::to_line(read->to_json()), text);
  DriftMonitor monitor(std::make_shared<const Reference>(std::move(*read)), {});
  EXPECT_TRUE(stream(monitor, 0, training_rows()).empty());
}

}  // namespace
}  // namespace millrace::drift
