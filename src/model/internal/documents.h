// manifest.json and canary.json as text: docs/formats/model.md, byte for byte.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/registry.h"

namespace millrace::model::internal {

// Ends with the digest of everything before it, so that an edit or a flipped bit is seen.
std::string manifest_text(const Manifest& manifest);
// Errors: kBadModel, starting with `where`.
Result<Manifest> manifest_from_text(std::string_view text, std::string_view where);

// NaN is written as null, infinities as "inf" and "-inf".
std::string canary_text(const Canary& canary);
Result<Canary> canary_from_text(std::string_view text, std::string_view where);

}  // namespace millrace::model::internal
