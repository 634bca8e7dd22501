// Properties of the client library: names known, aliases, secrets, and those that are millrace's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "log_kafka/internal/handles.h"
#include "log_kafka/kafka_log.h"

namespace millrace::log_kafka::internal {

// Origins of what nobody set start with this.
inline constexpr std::string_view kDefaultOrigin = "default";
// How long records wait for others at most, while there is more to be read; see sender.h.
inline constexpr const char* kLingerUnderLoadMs = "100";

// How long a full queue is left alone; the library has it from 2.2 on.
inline constexpr const char* kFetchQueueBackoff = "fetch.queue.backoff.ms";

// Under the library's names, files read, checked; the last of each name. Sorted by name.
Result<std::vector<Property>> resolve(const KafkaLogOptions& options);

bool is_secret(std::string_view name);

// Sets one property. Errors: kConfig with the library's reason.
Status set(rd_kafka_conf_t& conf, const std::string& name, const std::string& value);

// A configuration with everything `resolved` holds.
Result<ConfPtr> make_conf(const std::vector<Property>& resolved);

}  // namespace millrace::log_kafka::internal
