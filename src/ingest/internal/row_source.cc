#include "ingest/internal/row_source.h"

#include "base/text.h"

namespace millrace::ingest {

std::string problem_of(const data::RecordErrors& errors) {
  constexpr std::size_t kShownMax = 3;
  std::string text;
  for (std::size_t i = 0; i < errors.size() && i < kShownMax; ++i) {
    if (i > 0) text += "; ";
    text += printable(errors[i].message());
  }
  if (errors.size() > kShownMax) {
    text += "; and " + std::to_string(errors.size() - kShownMax) + " more";
  }
  return text.empty() ? "unreadable" : text;
}

}  // namespace millrace::ingest
