#include "drift/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "json/json.h"

namespace millrace::drift {
namespace {

constexpr std::size_t kLevelMin = 8;
constexpr double kShrink = 2.0 / 3.0;

// The n-th coin of every sketch: SplitMix64's mix of n, its top bit.
bool coin(std::uint64_t n) {
  std::uint64_t z = (n + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return ((z ^ (z >> 31)) >> 63) != 0;
}

}  // namespace

QuantileSketch::QuantileSketch() : levels_(1) { set_capacities(); }

// The highest level holds the most; each below it holds 2/3 of the one above.
void QuantileSketch::set_capacities() {
  capacities_.resize(levels_.size());
  double wanted = kSketchSize;
  capacity_ = 0;
  for (std::size_t level = levels_.size(); level-- > 0; wanted *= kShrink) {
    capacities_[level] = std::max(kLevelMin, static_cast<std::size_t>(std::ceil(wanted)));
    capacity_ += capacities_[level];
  }
}

void QuantileSketch::add(double value) {
  CHECK(!std::isnan(value));
  levels_[0].push_back(value);
  ++count_;
  ++retained_;
  if (retained_ > capacity_) compress();
}

void QuantileSketch::compress() {
  for (std::size_t level = 0; retained_ > capacity_; ++level) {
    CHECK(level < kLevelsMax);
    if (levels_[level].size() < capacities_[level]) continue;
    if (level + 1 == levels_.size()) {
      levels_.emplace_back();
      set_capacities();
    }
    compact(level);
  }
}

// Half of a level's values, every other one by value, go up with twice the weight.
void QuantileSketch::compact(std::size_t level) {
  std::vector<double>& from = levels_[level];
  std::vector<double>& to = levels_[level + 1];
  if (level == 0) std::sort(from.begin(), from.end());
  const std::size_t leftover = from.size() % 2;
  const std::size_t pairs = from.size() / 2;
  const std::size_t odd = coin(compactions_++) ? 1 : 0;
  const auto middle = static_cast<std::ptrdiff_t>(to.size());
  for (std::size_t i = 0; i < pairs; ++i) to.push_back(from[leftover + 2 * i + odd]);
  std::inplace_merge(to.begin(), to.begin() + middle, to.end());
  from.resize(leftover);
  retained_ -= pairs;
}

void QuantileSketch::merge(const QuantileSketch& other) {
  if (&other == this) {
    merge(QuantileSketch(other));
    return;
  }
  if (levels_.size() < other.levels_.size()) levels_.resize(other.levels_.size());
  set_capacities();
  for (std::size_t level = 0; level < other.levels_.size(); ++level) {
    std::vector<double>& to = levels_[level];
    const auto middle = static_cast<std::ptrdiff_t>(to.size());
    to.insert(to.end(), other.levels_[level].begin(), other.levels_[level].end());
    if (level > 0) std::inplace_merge(to.begin(), to.begin() + middle, to.end());
  }
  count_ += other.count_;
  retained_ += other.retained_;
  compactions_ += other.compactions_;
  while (retained_ > capacity_) compress();
}

void QuantileSketch::clear() {
  levels_.resize(1);
  levels_[0].clear();
  retained_ = 0;
  count_ = 0;
  compactions_ = 0;
  set_capacities();
}

std::vector<WeightedValue> QuantileSketch::sorted() const {
  std::vector<WeightedValue> all;
  all.reserve(retained_);
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double value : levels_[level]) all.push_back({value, std::uint64_t{1} << level});
  }
  std::sort(all.begin(), all.end(),
            [](const WeightedValue& a, const WeightedValue& b) { return a.value < b.value; });
  return all;
}

double QuantileSketch::share_at_most(double x) const {
  std::uint64_t below = 0;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double value : levels_[level]) below += value <= x ? std::uint64_t{1} << level : 0;
  }
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(below) / static_cast<double>(count_);
}

double QuantileSketch::quantile(double q) const {
  CHECK(q >= 0 && q <= 1);
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const double wanted = q * static_cast<double>(count_);
  const std::vector<WeightedValue> all = sorted();
  std::uint64_t below = 0;
  for (const WeightedValue& one : all) {
    below += one.weight;
    if (static_cast<double>(below) >= wanted) return one.value;
  }
  return all.back().value;
}

json::Value QuantileSketch::to_json() const {
  return {{"count", count_}, {"compactions", compactions_}, {"levels", levels_}};
}

Result<QuantileSketch> QuantileSketch::from_json(const json::Value& value) {
  QuantileSketch out;
  MILLRACE_ASSIGN(out.count_, json::get<std::uint64_t>(value, "count"));
  MILLRACE_ASSIGN(out.compactions_, json::get<std::uint64_t>(value, "compactions"));
  MILLRACE_ASSIGN(out.levels_, json::get<std::vector<std::vector<double>>>(value, "levels"));
  if (out.levels_.empty() || out.levels_.size() > kLevelsMax) {
    return Error(ErrorCode::kBadData, "a sketch of no or too many levels");
  }
  out.set_capacities();
  std::uint64_t weight = 0;
  for (std::size_t level = 0; level < out.levels_.size(); ++level) {
    const std::vector<double>& kept = out.levels_[level];
    out.retained_ += kept.size();
    if (out.retained_ > out.capacity_) return Error(ErrorCode::kBadData, "a sketch too large");
    weight += kept.size() << level;
    if (level > 0 && !std::is_sorted(kept.begin(), kept.end())) {
      return Error(ErrorCode::kBadData, "a sketch out of order");
    }
  }
  if (weight != out.count_) {
    return Error(ErrorCode::kBadData, "a sketch whose weights are not its count");
  }
  return out;
}

}  // namespace millrace::drift
