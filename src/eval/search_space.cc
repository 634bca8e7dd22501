#include "eval/search_space.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "env/random.h"

namespace millrace::eval {
namespace {

// Beyond this a double is no longer every whole number.
constexpr double kWholeMax = 0x1.0p53;

Error usage(const Dimension& dimension, const std::string& text) {
  return {ErrorCode::kUsage, "search space, '" + dimension.name + "': " + text};
}

Status check_choices(const Dimension& dimension, const Choices& choices) {
  if (choices.values.empty()) return usage(dimension, "there are no values to try");
  std::set<double> seen;
  for (const double value : choices.values) {
    if (!std::isfinite(value)) return usage(dimension, "a value is not finite");
    if (!seen.insert(value).second) {
      return usage(dimension, "the value " + std::to_string(value) + " is given twice");
    }
  }
  return {};
}

Status check_range(const Dimension& dimension, const Range& range) {
  // The width, too: what is drawn is a share of it.
  if (!std::isfinite(range.low) || !std::isfinite(range.high - range.low)) {
    return usage(dimension, "a bound is not finite");
  }
  if (range.low > range.high) return usage(dimension, "the lower bound is above the upper one");
  if (range.scale == RangeScale::kLogarithmic && range.low <= 0) {
    return usage(dimension, "a logarithmic range needs a positive lower bound");
  }
  if (range.numbers == RangeNumbers::kWhole) {
    if (std::ceil(range.low) > std::floor(range.high)) {
      return usage(dimension, "there is no whole number in the range");
    }
    if (std::max(std::abs(range.low), std::abs(range.high)) >= kWholeMax) {
      return usage(dimension, "the whole numbers of the range are too large");
    }
  }
  return {};
}

Status check_space(const SearchSpace& space) {
  std::set<std::string_view> names;
  for (const Dimension& dimension : space) {
    if (dimension.name.empty()) return usage(dimension, "a name is empty");
    if (!names.insert(dimension.name).second) return usage(dimension, "the name is given twice");
    if (const auto* choices = std::get_if<Choices>(&dimension.values)) {
      MILLRACE_TRY(check_choices(dimension, *choices));
    } else {
      MILLRACE_TRY(check_range(dimension, std::get<Range>(dimension.values)));
    }
  }
  return {};
}

// How many combinations there are; nothing where a range makes them countless or they are more
// than a number can say.
std::optional<std::uint64_t> combinations(const SearchSpace& space) {
  std::uint64_t count = 1;
  for (const Dimension& dimension : space) {
    const auto* choices = std::get_if<Choices>(&dimension.values);
    if (choices == nullptr) return std::nullopt;
    if (__builtin_mul_overflow(count, choices->values.size(), &count)) return std::nullopt;
  }
  return count;
}

// The combination at a place of the grid's order.
Assignment combination_at(const SearchSpace& space, std::uint64_t place) {
  Assignment assignment;
  for (std::size_t i = space.size(); i-- > 0;) {
    const std::vector<double>& values = std::get<Choices>(space[i].values).values;
    assignment[space[i].name] = values[place % values.size()];
    place /= values.size();
  }
  return assignment;
}

double drawn_from(const Range& range, env::Random& random) {
  const double share = random.uniform();
  const bool whole = range.numbers == RangeNumbers::kWhole;
  // A whole number stands for the half on each side of it, so that the outer ones come as often.
  double low = whole ? std::ceil(range.low) - 0.5 : range.low;
  double high = whole ? std::floor(range.high) + 0.5 : range.high;
  double value = low + share * (high - low);
  if (range.scale == RangeScale::kLogarithmic) {
    value = std::exp(std::log(low) + share * (std::log(high) - std::log(low)));
  }
  if (whole) {
    value = std::round(value);
    low = std::ceil(range.low);
    high = std::floor(range.high);
  }
  return std::clamp(value, low, high);
}

Assignment drawn(const SearchSpace& space, env::Random& random) {
  Assignment assignment;
  for (const Dimension& dimension : space) {
    const auto* choices = std::get_if<Choices>(&dimension.values);
    assignment[dimension.name] = choices != nullptr
                                     ? choices->values[random.below(choices->values.size())]
                                     : drawn_from(std::get<Range>(dimension.values), random);
  }
  return assignment;
}

// A shuffle of all places that stops after `count`; only the places that were moved are kept.
std::vector<Assignment> drawn_once(const SearchSpace& space, std::uint64_t all, std::size_t count,
                                   env::Random& random) {
  std::map<std::uint64_t, std::uint64_t> moved;
  const auto at = [&moved](std::uint64_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  std::vector<Assignment> assignments;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, all); ++i) {
    const std::uint64_t other = i + random.below(all - i);
    assignments.push_back(combination_at(space, at(other)));
    moved[other] = at(i);
  }
  return assignments;
}

}  // namespace

Result<std::vector<Assignment>> grid(const SearchSpace& space) {
  MILLRACE_TRY(check_space(space));
  for (const Dimension& dimension : space) {
    if (std::holds_alternative<Range>(dimension.values)) {
      return usage(dimension, "a grid needs values, not a range: list them, or search at random");
    }
  }
  const auto count = combinations(space);
  if (!count || *count > kCombinationsMax) {
    return Error(ErrorCode::kUsage,
                 "the grid has " + (count ? std::to_string(*count) : std::string("too many")) +
                     " combinations, at most " + std::to_string(kCombinationsMax) +
                     " are tried: give fewer values, or search at random");
  }
  std::vector<Assignment> assignments;
  for (std::uint64_t place = 0; place < *count; ++place) {
    assignments.push_back(combination_at(space, place));
  }
  return assignments;
}

Result<std::vector<Assignment>> random_search(const SearchSpace& space, std::size_t count,
                                              std::uint64_t seed) {
  MILLRACE_TRY(check_space(space));
  if (count < 1 || count > kCombinationsMax) {
    return Error(ErrorCode::kUsage, "a random search tries 1 to " +
                                        std::to_string(kCombinationsMax) + " combinations, not " +
                                        std::to_string(count));
  }
  env::Random random(seed);
  if (const auto all = combinations(space)) return drawn_once(space, *all, count, random);
  std::vector<Assignment> assignments;
  for (std::size_t i = 0; i < count; ++i) assignments.push_back(drawn(space, random));
  return assignments;
}

}  // namespace millrace::eval
