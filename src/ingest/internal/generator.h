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

struct Generator {
  std::variant<IdPattern, Category, Quantiles, Linear, Product, Logistic> kind;
  int decimals = 2;
};

// Whether every combination of levels met in drawing was given; a missing one draws the first
// there is.
enum class Drawn { kAsGiven, kCombinationMissing };

// Draws field `field` from `uniform` in [0, 1). `shift`: how many standard deviations numbers move
// up. Ids need no draw.
Drawn draw(const Generator& generator, std::size_t field, double uniform, double shift,
           Draws& draws);

// The x with P(normal < x) = p, 0 < p < 1 (Acklam's rational approximation, relative error 1e-9).
double normal_quantile(double p);

}  // namespace millrace::ingest
