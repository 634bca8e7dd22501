// Recognises models of other programs by their first bytes, before anything tries to load them.
#pragma once

#include <string>
#include <string_view>

namespace millrace::model::internal {

// What `bytes` are and the way to bring such a model here, as sentences for a person; "" when they
// look like nothing known. Never interprets more than the first few hundred bytes.
std::string describe_foreign_model(std::string_view bytes);

}  // namespace millrace::model::internal
