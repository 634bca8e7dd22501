// An obvious, slow judge of records beside RecordDecoder: nlohmann's event parser and the rules of
// the schema written out one by one. Says only whether a record is good.
#pragma once

#include <string_view>

#include "codec/record_decoder.h"
#include "data/schema.h"

namespace millrace::codec::testing {

bool oracle_accepts(std::string_view value, const data::Schema& schema, Purpose purpose,
                    const DecodeLimits& limits);

}  // namespace millrace::codec::testing
