#include "app/errors_page.h"

#include <array>
#include <string_view>

#include "base/error.h"
#include "data/record_error.h"

namespace millrace::app {
namespace {

constexpr std::string_view kHead = R"(# Error codes

Made from the tables in `src/base/error.h` and `src/data/record_error.h`; a test holds the two together.

## Exit codes

| exit | meaning |
|---|---|
| 0 | done; a stream that a signal stopped drains and exits with 0 as well |
| 1 | an error of the program |
| 2 | usage |
| 65 | bad data |
| 66 | no such input |
| 69 | unavailable; a topic is missing |
| 74 | input or output failed |
| 75 | try again: a lock is held, a process was fenced, a broker is away |
| 77 | permission |
| 78 | configuration, or no model |
| 130, 143 | a bounded job that SIGINT or SIGTERM cut short |
)";

constexpr std::string_view kErrors = R"(
## Errors of the program

With `--json` a command that fails prints `{"error": {"code", "message", "exit"}}`, unless its output is records
(`topics dump`, `tap`, `dlq list`, `predict`): those print nothing else. The code says which row it is; messages may
change. What a scorer does about it: *retry* the same thing, *skip* the record, *abort* the batch and do it again, or
*stop*.

| code | exit | fault of | scorer | meaning |
|---|---|---|---|---|
)";

constexpr std::string_view kRecords = R"(
## Codes of bad records

What is wrong with one record is no error of the program: the record goes to the dead letters with the code in header
`__millrace.errors.code` ([format](../formats/dead-letter.md)), and summaries count by it. Rows of files are listed with
the same words.

| code | type | meaning |
|---|---|---|
)";

constexpr std::array kErrorCodes = {
#define MILLRACE_CODE(name, text, disposition, origin, exit) ErrorCode::name,
    MILLRACE_ERROR_CODES(MILLRACE_CODE)
#undef MILLRACE_CODE
};

// A switch without a default: a code without a meaning does not compile.
std::string_view meaning_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return "the program is wrong; please report it";
    case ErrorCode::kUsage:
      return "the command line or an argument makes no sense";
    case ErrorCode::kNotBuilt:
      return "known, and not part of this version";
    case ErrorCode::kBadData:
      return "a file or a record is not what it should be";
    case ErrorCode::kLimitExceeded:
      return "above a limit of size or number";
    case ErrorCode::kCorrupt:
      return "stored bytes fail their checksum; `millrace log check` says where";
    case ErrorCode::kRecordTooLarge:
      return "above the topic's largest message";
    case ErrorCode::kFlood:
      return "more bad records than `dead_letter.stop_above` allows";
    case ErrorCode::kNoInput:
      return "a file or folder named by the user is not there";
    case ErrorCode::kUnavailable:
      return "the log does not answer";
    case ErrorCode::kUnknownTopic:
      return "a topic does not exist";
    case ErrorCode::kIo:
      return "reading or writing failed";
    case ErrorCode::kDiskFull:
      return "no room; nothing that was acknowledged is lost";
    case ErrorCode::kTryAgain:
      return "something is in the way that passes; nothing is lost";
    case ErrorCode::kLockHeld:
      return "another process works on the same thing; the message names it";
    case ErrorCode::kFenced:
      return "another process took this one's place";
    case ErrorCode::kAborted:
      return "a transaction was aborted and is done again";
    case ErrorCode::kPermission:
      return "not allowed";
    case ErrorCode::kConfig:
      return "a pipeline file or setting is wrong, with file, line and column";
    case ErrorCode::kNoModel:
      return "no model, or none is current";
    case ErrorCode::kBadModel:
      return "a model is damaged, or not one for the pipeline";
    case ErrorCode::kFormatVersion:
      return "a file of another version of its format";
    case ErrorCode::kInterrupted:
      return "stopped by a signal before the work was whole";
  }
  return "";
}

std::string_view word_of(Origin origin) {
  switch (origin) {
    case Origin::kUser:
      return "user";
    case Origin::kExternal:
      return "outside";
    case Origin::kInternal:
      break;
  }
  return "program";
}

std::string_view word_of(Disposition disposition) {
  switch (disposition) {
    case Disposition::kRetry:
      return "retry";
    case Disposition::kSkipRecord:
      return "skip";
    case Disposition::kAbortBatch:
      return "abort";
    case Disposition::kFatal:
      break;
  }
  return "stop";
}

void add_row(std::string& page, std::initializer_list<std::string_view> cells) {
  for (const std::string_view cell : cells) page.append("| ").append(cell).append(" ");
  page += "|\n";
}

std::string code_text(std::string_view code) { return "`" + std::string(code) + "`"; }

}  // namespace

std::string errors_reference() {
  std::string page(kHead);
  page += kErrors;
  for (const ErrorCode code : kErrorCodes) {
    add_row(page, {code_text(to_string(code)), std::to_string(exit_code_of(code)),
                   word_of(origin_of(code)), word_of(disposition_of(code)), meaning_of(code)});
  }
  page += kRecords;
  for (const data::RecordCode code : data::kAllRecordCodes) {
    add_row(page, {code_text(data::to_string(code)),
                   code_text(data::to_string(data::type_of(code))), data::meaning_of(code)});
  }
  return page;
}

}  // namespace millrace::app
