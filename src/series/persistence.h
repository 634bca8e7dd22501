// The forecasts that every other one must beat: what was seen last, or at this time of the last
// season. Series have a value a step; NaN is one that is missing. "Step t" is series[t].
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace millrace::series {

// Of any value behind the last of `past`: the last one that is not missing. Nothing where there is
// none. O(values missing at the end).
std::optional<double> persistence(std::span<const double> past);

// Of the value `horizon` steps (from 1) behind the last of `past`: the value at the same place of
// the last season that is already known there (the seasonal naive method of Hyndman and
// Athanasopoulos, "Forecasting: Principles and Practice", 2021, 5.2), persistence() where that one
// is missing or lies before the first. `season` in steps, at least 1, else CHECK.
std::optional<double> seasonal_persistence(std::span<const double> past, std::size_t horizon,
                                           std::size_t season);

// The same for each step t of a whole series, made `horizon` steps before it, from series[0] to
// series[t - horizon]: as long as the series, NaN where nothing was known. O(n).
std::vector<double> persistence_forecasts(std::span<const double> series, std::size_t horizon);
std::vector<double> seasonal_persistence_forecasts(std::span<const double> series,
                                                   std::size_t horizon, std::size_t season);

}  // namespace millrace::series
