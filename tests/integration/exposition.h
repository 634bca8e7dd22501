// Prometheus' text format, read back strictly.
#pragma once

#include <map>
#include <string>

namespace millrace::integration {

struct Exposition {
  // "name" or "name{a=\"b\"}" as written, with the value.
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;  // by family

  // The sum over all series of a family; of a histogram or a summary the sum of its counts. 0
  // without any.
  double sum(const std::string& family) const;
  // The value of one series as written; 0 where it is missing.
  double value(const std::string& series) const;
};

// Fails the test where the text is not what Prometheus takes: samples before their TYPE, families
// in pieces, series twice, illegal names, counters not called _total, buckets that fall.
Exposition parse_exposition(const std::string& text);

}  // namespace millrace::integration
