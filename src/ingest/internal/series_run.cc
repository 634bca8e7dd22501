#include "ingest/internal/series_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "env/clock.h"
#include "ingest/internal/random_streams.h"

namespace millrace::ingest {
namespace {

constexpr std::uint64_t kFieldStride = 10'000;  // as many fields as a schema may have

// Away from 0 and 1, whose quantiles are infinite.
double normal_of(double uniform) { return normal_quantile(std::clamp(uniform, 1e-12, 1 - 1e-12)); }

}  // namespace

SeriesRun::SeriesRun(SeriesPlan plan, std::uint64_t seed, std::size_t fields)
    : plan_(std::move(plan)),
      seed_(seed),
      fields_(fields),
      own_(plan_.stations * fields),
      value_(fields),
      is_out_(plan_.stations * plan_.outages.size()) {}

void SeriesRun::begin(std::uint64_t n) {
  station_ = n % plan_.stations;
  const std::uint64_t step = n / plan_.stations;
  first_ = step == 0;
  const Milliseconds since =
      Milliseconds(plan_.start.value()) + static_cast<std::int64_t>(step) * plan_.step;
  time_ = Timestamp(since.count());
  const auto days = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::sys_days day{days};
  hour_ = static_cast<std::size_t>(std::chrono::floor<std::chrono::hours>(since - days).count());
  weekday_ = std::chrono::weekday(day).iso_encoding() - 1;
  month_ = static_cast<unsigned>(std::chrono::year_month_day(day).month()) - 1;
  if (plan_.outages.empty()) return;
  // A chain of two states: spells of the mean length, as often as the share needs.
  env::Random random = random_of(seed_, RandomStream::kOutages, n);
  for (std::size_t i = 0; i < plan_.outages.size(); ++i) {
    const Outage& outage = plan_.outages[i];
    char& is_out = is_out_[station_ * plan_.outages.size() + i];
    const double begins = outage.share / ((1 - outage.share) * outage.steps);
    const double stays = 1 - 1 / outage.steps;
    const double chance = first_ ? outage.share : is_out != 0 ? stays : begins;
    is_out = random.uniform() < chance ? 1 : 0;
  }
}

void SeriesRun::draw(const Series& series, std::size_t field, int decimals, double uniform,
                     double shift, Draws& draws) {
  double& own = own_[station_ * fields_ + field];
  const double news = normal_of(uniform);
  own = first_ ? news : series.memory * own + std::sqrt(1 - series.memory * series.memory) * news;
  double standard = series.own * own;
  for (const auto& [other, weight] : series.like) standard += weight * value_[other];
  value_[field] = standard;
  const bool out = std::any_of(series.outages.begin(), series.outages.end(), [&](std::size_t i) {
    return is_out_[station_ * plan_.outages.size() + i] != 0;
  });
  if (out) {
    draws.number[field] = series.missing;
    return;
  }
  const double sum = series.base + profile_of(series) + level_of(series, field) +
                     series.noise * standard + shift * series.deviation;
  const double value = series.scale == Series::Scale::kLog ? std::exp(sum) : sum;
  draws.number[field] = rounded(std::clamp(value, series.min, series.max), decimals);
}

double SeriesRun::profile_of(const Series& series) const {
  const double daily = series.daily.empty() ? 0 : series.daily[hour_];
  const double weekly = series.weekly.empty() ? 0 : series.weekly[weekday_];
  const double monthly = series.monthly.empty() ? 0 : series.monthly[month_];
  return daily + weekly + monthly;
}

// How far the station lies above the others, always.
double SeriesRun::level_of(const Series& series, std::size_t field) const {
  if (series.spread == 0) return 0;
  // Not the number of fields: a field added to the schema's end changes no station.
  env::Random random = random_of(seed_, RandomStream::kStations, station_ * kFieldStride + field);
  return series.spread * normal_of(random.uniform());
}

void SeriesRun::append_station(std::string& out) const {
  out += plan_.name + std::to_string(station_ + 1);
}

void SeriesRun::append_time(std::string& out) const { out += env::format_rfc3339(time_); }

}  // namespace millrace::ingest
