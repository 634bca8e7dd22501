// The checker of exactly-once: what went in against what came out, by nothing but `topics dump`.
#pragma once

#include <vector>

#include "json/json.h"

namespace millrace::integration {

// Fails the test unless every input has one prediction or one dead letter, and the predictions of
// each partition stand in the order of their inputs. Keys of predictions must be unique, and inputs
// and predictions have the same partitions. Messages as `topics dump` prints them.
void expect_each_once(const std::vector<json::Value>& inputs,
                      const std::vector<json::Value>& predictions,
                      const std::vector<json::Value>& dead_letters);

}  // namespace millrace::integration
