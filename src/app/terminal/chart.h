// Small charts made of characters.
#pragma once

#include <span>
#include <string>

#include "app/terminal/screen.h"

namespace millrace::app {

// A bar of at most `width` columns for `value` of `max`; "" for nothing.
std::string bar_chart(double value, double max, std::size_t width, const Screen& screen);

// One column a value, the latest `width` of them; the highest one reaches the top.
std::string spark_line(std::span<const double> values, std::size_t width, const Screen& screen);

}  // namespace millrace::app
