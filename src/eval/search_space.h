// Which hyper-parameters a search tries: plain data, and its enumeration. Knows no model: names
// and numbers only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace millrace::eval {

// The values that are tried.
struct Choices {
  std::vector<double> values;
};

enum class RangeScale {
  kLinear,
  kLogarithmic,  // each factor alike: 0.001 to 0.01 as often as 0.01 to 0.1; low > 0
};
enum class RangeNumbers { kReal, kWhole };

// Values between two bounds, both included; random search only.
struct Range {
  double low = 0;
  double high = 1;
  RangeScale scale = RangeScale::kLinear;
  RangeNumbers numbers = RangeNumbers::kReal;
};

struct Dimension {
  std::string name;
  std::variant<Choices, Range> values;
};
using SearchSpace = std::vector<Dimension>;
using Assignment = std::map<std::string, double, std::less<>>;

// Of one search. Each stands for a model to be fitted, several times.
inline constexpr std::size_t kCombinationsMax = 10'000;

// Every combination once, in the order of the dimensions and their values, the last dimension
// fastest; of an empty space the one empty assignment. Errors: kUsage for a Range, a name that is
// empty or given twice, no values, values that are not finite or given twice, or more than
// kCombinationsMax combinations.
Result<std::vector<Assignment>> grid(const SearchSpace& space);

// `count` combinations drawn at random. Of a space of Choices alone none is drawn twice, and a
// space with no more than `count` gives all of them, in random order. The same seed gives the same
// list, and a longer list begins with the shorter one, as long as the space is not exhausted.
// Errors: as for grid(), but a Range is welcome and only `count` is limited; kUsage for a range
// that is empty, not finite, not positive with kLogarithmic, or without a whole number with
// kWhole.
Result<std::vector<Assignment>> random_search(const SearchSpace& space, std::size_t count,
                                              std::uint64_t seed);

}  // namespace millrace::eval
