// What librdkafka's error codes mean for millrace.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "log_kafka/internal/handles.h"

namespace millrace::log_kafka::internal {

ErrorCode code_of(rd_kafka_resp_err_t error);

// "<what>: <librdkafka's words>"; `what` is a clause such as "cannot create topic 'x'".
Error to_error(rd_kafka_resp_err_t error, std::string_view what, std::string_view reason = {});
Error to_error(const rd_kafka_error_t& error, std::string_view what);

}  // namespace millrace::log_kafka::internal
