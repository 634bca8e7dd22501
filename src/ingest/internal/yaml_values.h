// Small readings of a YAML tree for files where the first error ends the reading.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/yaml.h"

namespace millrace::ingest {

// kConfig: "file:line:col: message".
Error at(const config::Position& where, const std::string& message);

// All below: kConfig with the place.
Result<double> number_of(const config::Node& node);
Status expect(const config::Node& node, config::NodeKind kind, const std::string& what);
Status allow_keys(const config::Node& map, const std::vector<std::string>& allowed);
// Leaves `value` as it is where the key is not there.
Status read_number(const config::Node& node, const char* key, double& value);
// `noise` must not be negative, and min not above max.
Status check_bounds(const config::Node& node, double noise, double min, double max);

}  // namespace millrace::ingest
