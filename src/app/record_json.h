// Bytes of records in JSON output.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/fwd.h"
#include "log/record.h"

namespace millrace::app {

// `name`: the bytes as a string where they are UTF-8, else `name`_base64; null for none.
void put_bytes(json::Value& object, const std::string& name,
               const std::optional<std::string_view>& bytes);

// One record as `topics dump` prints it: topic, partition, offset, key, timestamp (ms), headers,
// value.
json::Value record_to_json(const log::TopicPartition& source, const log::Record& record);

}  // namespace millrace::app
