#include "base/error.h"

#include <array>

namespace millrace {
namespace {

struct CodeRow {
  std::string_view text;
  Disposition disposition;
  Origin origin;
  int exit;
};

constexpr std::array kRows = {
#define MILLRACE_ROW(name, text, disposition, origin, exit) \
  CodeRow{text, Disposition::disposition, Origin::origin, exit},
    MILLRACE_ERROR_CODES(MILLRACE_ROW)
#undef MILLRACE_ROW
};

const CodeRow& row_of(ErrorCode code) { return kRows.at(static_cast<size_t>(code)); }

}  // namespace

std::string_view to_string(ErrorCode code) { return row_of(code).text; }
Disposition disposition_of(ErrorCode code) { return row_of(code).disposition; }
Origin origin_of(ErrorCode code) { return row_of(code).origin; }
int exit_code_of(ErrorCode code) { return row_of(code).exit; }

Error Error::with_context(std::string_view context) const {
  std::string text(context);
  text += ": ";
  text += message_;
  return {code_, std::move(text)};
}

}  // namespace millrace
