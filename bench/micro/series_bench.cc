// CPU time of features of series: a year of hours to 132 columns (those of the system that was
// replaced), the same for 1,000 keys in turn as a stream brings them, and of one key beside a
// million where little is kept of each, with and without KeyedState::expect(). One line of JSON a
// figure.
#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/keyed_state.h"
#include "env/clock.h"
#include "env/random.h"
#include "features/series_transform.h"

namespace millrace::engine {
namespace {

constexpr std::size_t kHours = 9'357;
constexpr std::size_t kManyKeys = 1'000'000;
constexpr std::size_t kSomeKeys = 1'000;
constexpr std::size_t kReadings = 2'000'000;
constexpr std::size_t kBatch = 10'000;  // readings of a commit
constexpr std::size_t kCells = 512;     // rows of cells in turn: in the cache, as if just decoded
constexpr std::size_t kRounds = 7;
constexpr std::size_t kStreamRounds = 3;
constexpr std::int64_t kHour = 3'600'000;

data::Schema schema() {
  std::vector<data::Field> fields;
  for (const char* name : {"CO", "NOx", "NO2", "Benzene", "T", "RH", "AH"}) {
    data::Field field;
    field.name = name;
    field.type = data::FieldType::kNumber;
    fields.push_back(std::move(field));
  }
  auto made = data::Schema::make(std::move(fields));
  CHECK(made);
  return std::move(*made);
}

// 4 fields: lags, rolling means and deviations, averages, slopes, products of each two of the lags;
// the calendar and the other fields as they are.
features::SeriesTransform wide() {
  using features::CalendarPart;
  const std::vector<std::string> four{"CO", "NOx", "NO2", "Benzene"};
  std::vector<std::string> lagged;
  for (const std::string& field : four) {
    lagged.push_back(field + "_lag_1");
    lagged.push_back(field + "_lag_24");
  }
  const std::vector<features::SeriesOperator> operators{
      features::Fill{four},
      features::Lag{{"CO", "NOx", "NO2", "Benzene", "T", "RH", "AH"}, {0}},
      features::Lag{four, {1, 2, 3, 24}},
      features::Rolling{four,
                        {3, 6, 12, 24},
                        {features::RollingStatistic::kMean, features::RollingStatistic::kStd}},
      features::Ema{four, {3, 6, 12, 24}},
      features::Slope{four, {6, 12, 24}},
      features::Interact{lagged},
      features::Difference{four, {1, 2, 3}},
      features::Calendar{{CalendarPart::kHour, CalendarPart::kWeekday, CalendarPart::kMonth,
                          CalendarPart::kHourSin, CalendarPart::kHourCos, CalendarPart::kWeekdaySin,
                          CalendarPart::kWeekdayCos, CalendarPart::kMonthSin,
                          CalendarPart::kMonthCos}}};
  auto made = features::SeriesTransform::make({Milliseconds(kHour), operators, {}}, schema());
  CHECK(made);
  return std::move(*made);
}

features::SeriesTransform narrow() {
  const std::vector<features::SeriesOperator> operators{features::Ema{{"CO"}, {6}},
                                                        features::Lag{{"CO"}, {1}}};
  auto made = features::SeriesTransform::make({Milliseconds(kHour), operators, {}}, schema());
  CHECK(made && made->state_size() * sizeof(double) <= 128);
  return std::move(*made);
}

void print(const std::string& figure, const char* unit, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::printf(
      "{\"bench\":\"series\",\"figure\":\"%s\",\"unit\":\"%s\",\"median\":%.2f,\"min\":%.2f,"
      "\"max\":%.2f}\n",
      figure.c_str(), unit, values[values.size() / 2], values.front(), values.back());
}

std::vector<data::Cell> random_cells(env::Random& random) {
  std::vector<data::Cell> cells;
  for (int i = 0; i < 7; ++i) {
    cells.push_back(random.below(6) == 0 ? data::Cell::missing()
                                         : data::Cell::of_number(random.uniform() * 100));
  }
  return cells;
}

void year(const features::SeriesTransform& transform) {
  env::Random random(1);
  std::vector<std::vector<data::Cell>> rows;
  for (std::size_t i = 0; i < kHours; ++i) rows.push_back(random_cells(random));
  std::vector<double> out(kHours * transform.columns());
  std::vector<double> ms;
  for (std::size_t round = 0; round < kRounds; ++round) {
    std::vector<double> state(transform.state_size(), 0.0);
    const auto before = env::thread_cpu_time();
    for (std::size_t i = 0; i < kHours; ++i) {
      (void)transform.take(rows[i], Timestamp(static_cast<std::int64_t>(i) * kHour), state);
      transform.features(state, {out.data() + i * transform.columns(), transform.columns()});
    }
    ms.push_back(static_cast<double>((env::thread_cpu_time() - before).count()) / 1e6);
  }
  print("hours_9357_to_" + std::to_string(transform.columns()) + "_columns", "ms", ms);
}

// Keys of the batch's readings, one behind the other as in a batch of records.
class BatchKeys {
 public:
  void lay_out(const std::vector<std::string>& names, std::span<const std::uint32_t> order) {
    bytes_.clear();
    for (const std::uint32_t key : order) bytes_ += names[key];
    keys_.clear();
    std::size_t at = 0;
    for (const std::uint32_t key : order) {
      keys_.push_back(std::string_view(bytes_).substr(at, names[key].size()));
      at += names[key].size();
    }
  }
  const std::vector<std::string_view>& keys() const { return keys_; }

 private:
  std::string bytes_;
  std::vector<std::string_view> keys_;
};

enum class Ahead { kNothing, kExpected };

// Each hour a reading of each of `keys` keys in random order, with a commit after every batch; ns a
// reading.
class Stream {
 public:
  // `keys` divides kReadings.
  Stream(const features::SeriesTransform& transform, std::size_t keys)
      : transform_(transform), state_(transform.state_size(), {}), out_(transform.columns()) {
    env::Random random(2);
    for (std::size_t i = 0; i < keys; ++i) names_.push_back("station_" + std::to_string(i));
    for (std::size_t i = 0; i < kCells; ++i) rows_.push_back(random_cells(random));
    order_.resize(kReadings);
    for (std::size_t i = 0; i < kReadings; ++i) order_[i] = static_cast<std::uint32_t>(i % keys);
    for (std::size_t hour = 0; hour < kReadings; hour += keys) {
      for (std::size_t i = keys; i > 1; --i)
        std::swap(order_[hour + i - 1], order_[hour + random.below(i)]);
    }
    for (const std::string& name : names_) take(name, 0);
    commit();
  }

  double run(Ahead ahead) {
    Nanoseconds spent{0};
    for (std::size_t first = 0; first < kReadings; first += kBatch) {
      batch_.lay_out(names_, std::span(order_).subspan(first, kBatch));
      const auto before = env::thread_cpu_time();
      const std::vector<std::string_view>& keys = batch_.keys();
      for (std::size_t i = 0; i < kBatch; ++i) {
        if (ahead == Ahead::kExpected && i + KeyedState::kKeysAhead < kBatch)
          state_.expect(keys[i + KeyedState::kKeysAhead]);
        take(keys[i], static_cast<std::int64_t>((first + i) / names_.size()) + 1);
      }
      commit();
      spent += env::thread_cpu_time() - before;
    }
    return static_cast<double>(spent.count()) / static_cast<double>(kReadings);
  }

 private:
  void take(std::string_view key, std::int64_t hour) {
    const auto values = state_.touch(key, Offset(++offset_), Timestamp(hour * kHour));
    (void)transform_.take(rows_[static_cast<std::size_t>(offset_) % kCells],
                          Timestamp(hour * kHour), values);
    transform_.features(values, out_);
  }
  void commit() {
    state_.freeze();
    state_.settle();
  }

  const features::SeriesTransform& transform_;
  KeyedState state_;
  std::vector<double> out_;
  std::vector<std::string> names_;
  std::vector<std::vector<data::Cell>> rows_;
  std::vector<std::uint32_t> order_;
  BatchKeys batch_;
  std::int64_t offset_ = 0;
};

void streams(const features::SeriesTransform& transform, const char* state, std::size_t keys,
             Ahead ahead = Ahead::kExpected) {
  std::vector<double> ns;
  for (std::size_t round = 0; round < kStreamRounds; ++round)
    ns.push_back(Stream(transform, keys).run(ahead));
  print(std::string(state) + "_state_of_" + std::to_string(keys) + "_keys" +
            (ahead == Ahead::kExpected ? "" : "_unexpected"),
        "ns a reading", ns);
}

}  // namespace
}  // namespace millrace::engine

int main() {
  using namespace millrace::engine;
  const auto wide_transform = wide();
  const auto narrow_transform = narrow();
  year(wide_transform);
  streams(wide_transform, "wide", kSomeKeys);
  streams(narrow_transform, "narrow", 1);
  streams(narrow_transform, "narrow", kSomeKeys);
  streams(narrow_transform, "narrow", kManyKeys);
  streams(narrow_transform, "narrow", kManyKeys, Ahead::kNothing);
  return 0;
}
