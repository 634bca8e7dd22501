// Hourly readings of a few stations, made by the test, and the forecasts that came of them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "integration/program.h"

namespace millrace::integration {

// `hours` of each of `stations` stations as NDJSON: a daily cycle with noise, some hours missing,
// the stations of an hour in random order. `first`: hours since the series began; `shift`: added to
// NO2.
std::string station_readings(int stations, int hours, std::uint64_t seed, int first = 0,
                             double shift = 0);

// The words of a command, and more of them.
std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more);

// What makes training quick and its model small.
std::vector<std::string> small_model();

// Of messages as `topics dump` prints them: by station and hour, all that a forecast says but when
// and by which run. Fails the test where an hour has two.
using Forecasts = std::map<std::pair<std::string, std::string>, std::string>;
Forecasts forecasts_in(const std::vector<json::Value>& messages);

}  // namespace millrace::integration
