// One field of a JSON object that is known to be well-formed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::ingest {

// The value of the top-level field `name` as text: the content of a string (escapes resolved into
// `scratch`), or the token of a number or boolean as written. Nothing when the field is absent,
// null, an object or an array, or when `object` is no object. The last one wins where a name comes
// twice. `object` must be well-formed JSON.
std::optional<std::string_view> json_field(std::string_view object, std::string_view name,
                                           std::string& scratch);

}  // namespace millrace::ingest
