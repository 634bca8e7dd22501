// What is told of a consumer group, as a table and as JSON.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "json/fwd.h"
#include "log/log.h"

namespace millrace::app {

// Broker ids of partition leaders; empty where the log has no brokers.
using Leaders = std::map<log::TopicPartition, std::int32_t>;

// Of the topics the group reads. A topic deleted meanwhile has none. Errors: what the log returns.
Result<Leaders> leaders_of(log::Log& log, const log::GroupInfo& group);

std::int64_t total_lag(const log::GroupInfo& group);

// Id of the member that has the partition, "" where nobody has.
std::string owner_of(const log::GroupInfo& group, const log::TopicPartition& source);

json::Value to_json(const log::GroupInfo& group, const Leaders& leaders);

}  // namespace millrace::app
