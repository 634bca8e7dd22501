// YAML scalars written so that they read back as the same text here and elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::ingest {

// `text` plain where every YAML reader takes it as this text, else in quotes.
std::string yaml_text(std::string_view text);

// "[a, 'no', b]"
std::string yaml_list(const std::vector<std::string>& texts);

// `key: [a, b]` on one line where it fits 100 columns, else as lines "- a" below `key:`. `indent`:
// spaces before the key; `lead` ("- " or "") stands before it. Ends with a newline.
std::string yaml_list_entry(std::size_t indent, std::string_view lead, std::string_view key,
                            const std::vector<std::string>& texts);

}  // namespace millrace::ingest
