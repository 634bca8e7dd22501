// The UCI air quality file for tests: hourly readings, NaN = missing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "drift/profile.h"

namespace millrace::drift {

struct AirQuality {
  std::vector<ColumnSpec> columns;
  std::vector<Timestamp> times;
  std::vector<std::vector<double>> rows;
};

// Nothing where MILLRACE_DATA_DIR is not set, or has no such file.
std::optional<AirQuality> read_air_quality();

}  // namespace millrace::drift
