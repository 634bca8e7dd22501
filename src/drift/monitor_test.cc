#include "drift/monitor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "drift/reference_builder.h"
#include "env/random.h"

namespace millrace::drift {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;

// Two independent normal columns and a category, one record a minute; windows of an hour.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : random_(seed) {}
  std::vector<double> next() {
    return {random_.normal(), 10 + 2 * random_.normal(), static_cast<double>(random_.below(3))};
  }

 private:
  env::Random random_;
};

const std::vector<ColumnSpec> kColumns = {{"a", "", {}}, {"b", "", {}}, {"c", "", {"x", "y", "z"}}};

WindowSpec hours(int n) { return {WindowSpec::Kind::kTime, Milliseconds(n * kHourMs), 0}; }

std::shared_ptr<const Reference> reference_of(const WindowSpec& window, int rows = 6000) {
  ReferenceOptions options;
  options.window = window;
  ReferenceBuilder builder(kColumns, options);
  Stream stream(1);
  for (int i = 0; i < rows; ++i) builder.add(Timestamp(i * kMinuteMs), stream.next());
  auto built = builder.build();
  EXPECT_TRUE(built) << built.error().message();
  return std::make_shared<const Reference>(std::move(*built));
}

// Streams minutes [begin, end) with `change` applied to each row.
template <class Change>
std::vector<Alert> run(DriftMonitor& monitor, Stream& stream, int begin, int end,
                       const Change& change) {
  std::vector<Alert> alerts;
  for (int i = begin; i < end; ++i) {
    std::vector<double> row = stream.next();
    change(row);
    const auto more =
        monitor.observe({Timestamp(i * kMinuteMs), PartitionId(0), Offset(i), row, 0});
    alerts.insert(alerts.end(), more.begin(), more.end());
  }
  return alerts;
}

void as_it_is(std::vector<double>& /*row*/) {}

TEST(DriftMonitor, IndependentDataOfTheSameSortSeldomAlarms) {
  DriftMonitor monitor(reference_of(hours(1)), {});
  Stream stream(99);
  const auto alerts = run(monitor, stream, 0, 60 * 500, as_it_is);
  EXPECT_EQ(monitor.counts().windows, 499U);
  EXPECT_LE(alerts.size(), 25U);  // raised and cleared; 1 % a window is 5 raised
}

TEST(DriftMonitor, EverySortOfChangeHasAStatisticThatSeesIt) {
  const auto reference = reference_of(hours(1));
  struct Case {
    Statistic statistic;
    std::string feature;
    void (*change)(std::vector<double>&);
  };
  const std::vector<Case> cases = {
      {Statistic::kMeanShift, "a", [](std::vector<double>& row) { row[0] += 1; }},
      {Statistic::kKs, "b", [](std::vector<double>& row) { row[1] = 10 + (row[1] - 10) * 4; }},
      {Statistic::kPsi, "b", [](std::vector<double>& row) { row[1] = std::round(row[1] / 6) * 6; }},
      {Statistic::kPsi, "c", [](std::vector<double>& row) { row[2] = 1; }},
      {Statistic::kJensenShannon, "c", [](std::vector<double>& row) { row[2] = 17; }},
      {Statistic::kMissingShare, "a",
       [](std::vector<double>& row) { row[0] = std::numeric_limits<double>::quiet_NaN(); }},
      {Statistic::kMissingShare, "c",
       [](std::vector<double>& row) { row[2] = std::numeric_limits<double>::infinity(); }},
  };
  for (const Case& one : cases) {
    DriftMonitor monitor(reference, {});
    Stream stream(5);
    EXPECT_TRUE(run(monitor, stream, 0, 60, as_it_is).empty());
    const auto alerts = run(monitor, stream, 60, 130, one.change);
    bool found = false;
    for (const Alert& alert : alerts) {
      EXPECT_EQ(alert.feature, one.feature);
      EXPECT_EQ(alert.window_start, Timestamp(kHourMs));
      found = found || alert.statistic == one.statistic;
    }
    EXPECT_TRUE(found) << one.feature << " " << to_string(one.statistic);
  }
}

TEST(DriftMonitor, HysteresisCountsWindowsInARow) {
  MonitorOptions options;
  options.raise_after = 3;
  options.clear_after = 2;
  options.statistics = {};
  options.statistics[static_cast<std::size_t>(Statistic::kMeanShift)] = true;
  DriftMonitor monitor(reference_of(hours(1)), options);
  Stream stream(5);
  const auto far = [](std::vector<double>& row) { row[0] += 3; };
  EXPECT_TRUE(run(monitor, stream, 0, 60 * 2, far).empty());
  EXPECT_TRUE(run(monitor, stream, 60 * 2, 60 * 3, as_it_is).empty());  // begins again
  EXPECT_TRUE(run(monitor, stream, 60 * 3, 60 * 6, far).empty());
  EXPECT_FALSE(monitor.is_drifting(0));
  const auto raised = run(monitor, stream, 60 * 6, 60 * 7, as_it_is);
  ASSERT_EQ(raised.size(), 1U);
  EXPECT_EQ(raised[0].state, Alert::State::kRaised);
  EXPECT_EQ(raised[0].window_start, Timestamp(5 * kHourMs));
  EXPECT_TRUE(monitor.is_drifting(0));
  const auto cleared = run(monitor, stream, 60 * 7, 60 * 9, as_it_is);
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ(cleared[0].state, Alert::State::kCleared);
  EXPECT_EQ(cleared[0].window_start, Timestamp(7 * kHourMs));
  EXPECT_EQ(monitor.counts().raised, 1U);
  EXPECT_EQ(monitor.counts().cleared, 1U);
}

TEST(DriftMonitor, ARelationThatBreaksIsSeenWhereEachColumnLooksUsual) {
  ReferenceOptions options;
  options.window = {WindowSpec::Kind::kTime, Milliseconds(24 * kHourMs), 0};
  ReferenceBuilder builder({{"t", "", {}}, {"u", "", {}}, {"v", "", {}}}, options);
  env::Random random(4);
  // A slow wave that both follow: their weeks differ, their difference does not.
  const auto row_at = [&random](int hour) {
    const double wave = 3 * std::sin(hour / 300.0);
    return std::vector<double>{wave + 0.2 * random.normal(), 2 * wave + 0.2 * random.normal(),
                               random.normal()};
  };
  for (int i = 0; i < 24 * 400; ++i) builder.add(Timestamp(i * kHourMs), row_at(i));
  auto built = builder.build();
  ASSERT_TRUE(built) << built.error().message();
  ASSERT_EQ(built->columns[0].relation.predictors, std::vector<std::uint32_t>{1});
  EXPECT_TRUE(built->columns[2].relation.predictors.empty());
  DriftMonitor monitor(std::make_shared<const Reference>(std::move(*built)), {});
  std::vector<Alert> alerts;
  for (int i = 0; i < 24 * 11 + 4; ++i) {
    std::vector<double> row = row_at(i);
    if (i >= 24 * 10) row[0] += 1;
    const auto more = monitor.observe({Timestamp(i * kHourMs), PartitionId(0), Offset(i), row, 0});
    alerts.insert(alerts.end(), more.begin(), more.end());
  }
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].feature, "t");
  EXPECT_EQ(alerts[0].statistic, Statistic::kRelationShift);
}

TEST(DriftMonitor, LateRecordsCountToTheirWindowWhileItIsOpen) {
  MonitorOptions options;
  options.lateness = Milliseconds(10 * kMinuteMs);
  DriftMonitor monitor(reference_of(hours(1)), options);
  Stream stream(5);
  run(monitor, stream, 0, 50, as_it_is);
  run(monitor, stream, 60, 68, as_it_is);
  run(monitor, stream, 50, 60, as_it_is);
  EXPECT_EQ(monitor.counts().windows, 0U);
  run(monitor, stream, 68, 75, as_it_is);
  EXPECT_EQ(monitor.counts().windows, 1U);
  run(monitor, stream, 10, 13, as_it_is);
  EXPECT_EQ(monitor.counts().late, 3U);
}

TEST(DriftMonitor, AWrongClockClosesNoWindow) {
  DriftMonitor monitor(reference_of(hours(1)), {});
  Stream stream(5);
  const std::vector<double> row = stream.next();
  monitor.observe({Timestamp(4'000'000'000'000), PartitionId(0), Offset(0), row, 0});
  monitor.observe({Timestamp(-4'000'000'000'000), PartitionId(0), Offset(0), row, 0});
  for (int hour = 0; hour < 50; ++hour) {
    run(monitor, stream, hour * 60, hour * 60 + 60, as_it_is);
    for (const std::int64_t ahead : {2LL, 40LL, 900LL, 100'000LL}) {
      monitor.observe({Timestamp((hour + ahead) * kHourMs), PartitionId(0), Offset(0), row, 0});
    }
  }
  EXPECT_GE(monitor.counts().windows, 48U);
  EXPECT_EQ(monitor.counts().late, 0U);
}

TEST(DriftMonitor, AStreamThatWasSetBackIsWatchedAnew) {
  DriftMonitor monitor(reference_of(hours(1)), {});
  Stream stream(5);
  run(monitor, stream, 0, 60 * 20, as_it_is);
  const std::uint64_t before = monitor.counts().windows;
  run(monitor, stream, 0, 60 * 20, as_it_is);
  EXPECT_GE(monitor.counts().windows, before + 13);
  EXPECT_EQ(monitor.counts().late, DriftMonitor::kLateRecordsMax);
}

TEST(DriftMonitor, SmallWindowsAreNotJudged) {
  DriftMonitor monitor(reference_of(hours(1)), {});
  Stream stream(5);
  const auto far = [](std::vector<double>& row) { row[0] += 50; };
  EXPECT_TRUE(run(monitor, stream, 40, 60, far).empty());
  EXPECT_TRUE(run(monitor, stream, 60, 70, as_it_is).empty());
  EXPECT_EQ(monitor.counts().skipped, 1U);
}

TEST(DriftMonitor, WindowsOfRecordsNeedNoTime) {
  const auto reference = reference_of({WindowSpec::Kind::kRecords, Milliseconds(0), 100});
  DriftMonitor monitor(reference, {});
  Stream stream(5);
  EXPECT_TRUE(run(monitor, stream, 0, 100, as_it_is).empty());
  const auto far = [](std::vector<double>& row) { row[1] += 2; };
  const auto alerts = run(monitor, stream, 100, 200, far);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts[0].records, 100U);
  EXPECT_EQ(alerts[0].offsets.at(0).first, Offset(100));
  EXPECT_EQ(alerts[0].offsets.at(0).last, Offset(199));
  EXPECT_EQ(alerts[0].window_start, Timestamp(100 * kMinuteMs));
  EXPECT_EQ(alerts[0].window_end, Timestamp(199 * kMinuteMs));
}

TEST(DriftMonitor, TheScoreIsAColumn) {
  ReferenceOptions options;
  options.window = hours(1);
  options.score = ReferenceOptions::Score::kLastColumn;
  ReferenceBuilder builder({{"a", "", {}}, {std::string(kScoreColumn), "", {}}}, options);
  env::Random random(1);
  for (int i = 0; i < 6000; ++i) {
    builder.add(Timestamp(i * kMinuteMs), std::vector<double>{random.normal(), random.uniform()});
  }
  auto built = builder.build();
  ASSERT_TRUE(built);
  DriftMonitor monitor(std::make_shared<const Reference>(std::move(*built)), {});
  std::vector<Alert> alerts;
  for (int i = 0; i < 70; ++i) {
    const std::vector<double> row = {random.normal()};
    const auto more = monitor.observe(
        {Timestamp(i * kMinuteMs), PartitionId(3), Offset(i), row, random.uniform() / 3});
    alerts.insert(alerts.end(), more.begin(), more.end());
  }
  ASSERT_FALSE(alerts.empty());
  for (const Alert& alert : alerts) EXPECT_EQ(alert.feature, "score");
  EXPECT_EQ(alerts[0].offsets.at(0).partition, PartitionId(3));
}

// Scores of a process with memory; only the last third of the training data has them, as where they
// come from a hold-out. What was in front of it is no news, what moves by a deviation is.
TEST(DriftMonitor, AScoreThatFewTrainingRowsHaveDoesNotAlarmOnTheOthers) {
  constexpr int kWindow = 168;
  constexpr int kRows = 24 * kWindow;
  int seen = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    env::Random random(seed);
    std::vector<std::vector<double>> rows;
    double score = 0;
    for (int i = 0; i < kRows; ++i) {
      score = 0.5 * score + random.normal();
      rows.push_back({random.normal(), score});
    }
    ReferenceOptions options;
    options.window = {WindowSpec::Kind::kRecords, Milliseconds(0), kWindow};
    options.score = ReferenceOptions::Score::kLastColumn;
    ReferenceBuilder builder({{"a", "", {}}, {std::string(kScoreColumn), "", {}}}, options);
    for (int i = 0; i < kRows; ++i) {
      std::vector<double> row = rows[static_cast<std::size_t>(i)];
      if (i < kRows * 2 / 3) row[1] = std::numeric_limits<double>::quiet_NaN();
      builder.add(Timestamp(0), row);
    }
    auto built = builder.build();
    ASSERT_TRUE(built) << built.error().message();
    const double deviation = built->columns[1].profile.std;
    DriftMonitor monitor(std::make_shared<const Reference>(std::move(*built)), {});
    const auto observe = [&](int i, double shift) {
      const std::vector<double>& row = rows[static_cast<std::size_t>(i)];
      return monitor
          .observe(
              {Timestamp(0), PartitionId(0), Offset(i), std::span(row).first(1), row[1] + shift})
          .size();
    };
    std::size_t false_alarms = 0;
    for (int i = 0; i < kRows; ++i) false_alarms += observe(i, 0);
    EXPECT_EQ(false_alarms, 0U) << seed;
    std::size_t alarms = 0;
    for (int i = 0; i < kWindow; ++i) alarms += observe(i, deviation);
    seen += alarms > 0 ? 1 : 0;
  }
  EXPECT_EQ(seen, 20);
}

// A run cut at any record, stored and taken up, gives the alerts of the whole run.
TEST(DriftMonitor, ItsStateSurvivesAsBytes) {
  const auto reference = reference_of(hours(1));
  const auto change = [](std::vector<double>& row) { row[0] *= 2; };
  DriftMonitor whole(reference, {});
  Stream all(8);
  const auto wanted = run(whole, all, 0, 60 * 12, change);
  ASSERT_FALSE(wanted.empty());
  for (const int cut : {1, 59, 61, 200, 407}) {
    DriftMonitor first(reference, {});
    Stream stream(8);
    auto alerts = run(first, stream, 0, cut, change);
    DriftMonitor second(reference, {});
    const Status restored = second.restore(first.save());
    ASSERT_TRUE(restored) << restored.error().message();
    const auto more = run(second, stream, cut, 60 * 12, change);
    alerts.insert(alerts.end(), more.begin(), more.end());
    ASSERT_EQ(alerts.size(), wanted.size()) << cut;
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      EXPECT_EQ(alerts[i].value, wanted[i].value);
      EXPECT_EQ(alerts[i].feature, wanted[i].feature);
    }
    EXPECT_EQ(second.save(), whole.save());
  }
}

TEST(DriftMonitor, ACopyIsACheckpoint) {
  const auto reference = reference_of(hours(1));
  DriftMonitor monitor(reference, {});
  Stream stream(5);
  run(monitor, stream, 0, 30, as_it_is);
  const DriftMonitor kept = monitor;
  run(monitor, stream, 30, 300, as_it_is);
  monitor = kept;
  EXPECT_EQ(monitor.save(), kept.save());
  EXPECT_EQ(monitor.counts().observed, 30U);
}

TEST(DriftMonitor, ADamagedStateIsRefusedAndChangesNothing) {
  const auto reference = reference_of(hours(1));
  DriftMonitor monitor(reference, {});
  Stream stream(5);
  run(monitor, stream, 0, 90, as_it_is);
  const std::string sound = monitor.save();
  for (std::size_t size = 0; size < sound.size(); ++size)
    EXPECT_FALSE(monitor.restore(std::string_view(sound).substr(0, size))) << size;
  EXPECT_FALSE(monitor.restore(sound + "x"));
  DriftMonitor other(reference_of(hours(2)), {});
  EXPECT_FALSE(other.restore(sound));
  EXPECT_EQ(monitor.save(), sound);
  // A byte that is another one: refused, or a state that can be gone on with.
  env::Random random(3);
  for (int i = 0; i < 2'000; ++i) {
    std::string damaged = sound;
    damaged[random.below(sound.size())] ^= static_cast<char>(1 + random.below(255));
    DriftMonitor tried = monitor;
    (void)tried.restore(damaged);
    run(tried, stream, 90, 200, as_it_is);
  }
}

TEST(ReferenceBuilder, TooFewWindowsOrRecordsAreErrorsThatSayWhatToDo) {
  const auto message = [](const WindowSpec& window) {
    ReferenceOptions options;
    options.window = window;
    ReferenceBuilder builder(kColumns, options);
    Stream stream(1);
    for (int i = 0; i < 300; ++i) builder.add(Timestamp(i * kMinuteMs), stream.next());
    return builder.build().error().message();
  };
  EXPECT_EQ(message(hours(2)),
            "the training data covers 2 windows of 2h, too few to learn what is usual (4 at "
            "least); make 'drift.window' shorter, or train on more data");
  EXPECT_EQ(message({WindowSpec::Kind::kTime, Milliseconds(5 * kMinuteMs), 0}),
            "a window of 5m holds 5 records of the training data on the median, too few to compare "
            "(20 at least); make 'drift.window' longer");
  ReferenceBuilder empty(kColumns, {});
  EXPECT_FALSE(empty.build());
}

TEST(ReferenceBuilder, ColumnsOfOneGroupNeverExplainEachOther) {
  ReferenceOptions options;
  options.window = hours(1);
  ReferenceBuilder builder({{"a", "f", {}}, {"b", "f", {}}, {"c", "g", {}}}, options);
  env::Random random(1);
  for (int i = 0; i < 6000; ++i) {
    const double x = random.normal();
    builder.add(Timestamp(i * kMinuteMs), std::vector<double>{x, x, x + 0.3 * random.normal()});
  }
  const auto built = builder.build();
  ASSERT_TRUE(built);
  EXPECT_EQ(built->columns[0].relation.predictors, std::vector<std::uint32_t>{2});
  EXPECT_EQ(built->columns[1].relation.predictors, std::vector<std::uint32_t>{2});
  EXPECT_EQ(built->columns[2].relation.predictors.size(), 1U);
}

}  // namespace
}  // namespace millrace::drift
