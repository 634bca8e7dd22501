// The kinds of fields of a simulator.yaml, compiled: how one field's value follows from one uniform
// number and the fields drawn before it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ingest/internal/id_pattern.h"

namespace millrace::ingest {

// What one record holds so far, by the schema's field index.
struct Draws {
  std::vector<double> number;       // of numeric kinds; of integer levels, the level as a number
  std::vector<std::int32_t> level;  // index into the field's levels
  std::vector<char> blank;          // 1: the cell is " "
  explicit Draws(std::size_t fields) : number(fields), level(fields), blank(fields) {}
};

// The combination of levels that some fields have, as one index.
struct Given {
  std::vector<std::size_t> fields;
  std::vector<std::size_t> levels;  // how many levels each has

  std::size_t combinations() const;
  std::size_t index(const Draws& draws) const;
};

struct Category {
  Given given;
  std::vector<std::vector<double>> cumulative;  // by combination, the last one 1; empty: not given
};

struct Quantiles {
  Given given;
  std::vector<std::vector<double>> values;  // by combination; empty: not given
};

// What a field drawn before adds to a sum.
struct Term {
  std::size_t field = 0;
  std::vector<double> by_level;                   // of a field with levels, else empty
  double coefficient = 0;                         // of a number, without points
  std::vector<std::pair<double, double>> points;  // of a number
};

struct Linear {
  double base = 0;
  std::vector<Term> terms;
  double noise = 0;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

struct Product {
  std::vector<std::size_t> of;
  double noise = 0;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::pair<std::size_t, double>> blank_when;
};

struct Logistic {
  double base = 0;
  std::vector<Term> terms;
  std::int32_t first = 0;  // levels
  std::int32_t second = 0;
};

// A field whose value follows from its past (series_run.h draws it).
struct Series {
  enum class Scale { kLinear, kLog } scale = Scale::kLinear;  // kLog: exp of the sum
  double base = 0;
  std::vector<double> daily;    // by hour, 24 or none; what follows is added to `base`
  std::vector<double> weekly;   // by day, Monday first, 7 or none
  std::vector<double> monthly;  // by month, 12 or none
  double noise = 0;             // standard deviation of what is random
  double memory = 0;            // of the random part: its correlation with the step before
  std::vector<std::pair<std::size_t, double>> like;  // series above and their weights in it
  double own = 1;                                    // weight of its own random numbers
  double spread = 0;     // standard deviation of the stations' own levels
  double deviation = 0;  // of the whole sum; what drift moves by
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> outages;  // of the plan, in which the value is `missing`
  double missing = 0;                // a sentinel of the field
};

// The name of the row's station, and its time.
struct StationName {};
struct StepTime {};

struct Generator {
  std::variant<IdPattern, Category, Quantiles, Linear, Product, Logistic, Series, StationName,
               StepTime>
      kind;
  int decimals = 2;
};

// Whether every combination of levels met in drawing was given; a missing one draws the first
// there is.
enum class Drawn { kAsGiven, kCombinationMissing };

// Draws field `field` from `uniform` in [0, 1). `shift`: how many standard deviations numbers move
// up. Ids need no draw; series are not drawn here.
Drawn draw(const Generator& generator, std::size_t field, double uniform, double shift,
           Draws& draws);

// `value` with so many digits behind the point, half away from zero.
double rounded(double value, int decimals);

// The x with P(normal < x) = p, 0 < p < 1 (Acklam's rational approximation, relative error 1e-9).
double normal_quantile(double p);

}  // namespace millrace::ingest
