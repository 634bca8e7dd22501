// Any bytes as a record on a dead-letter topic: read without harm; and set aside themselves, in
// either format, they read back as they were.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "engine/dead_letter.h"

namespace {

using millrace::engine::DeadLetter;
using millrace::log::Header;
using millrace::log::Record;

constexpr std::size_t kHeadersMax = 20;

const millrace::log::TopicPartition kSource{millrace::TopicName("in"), millrace::PartitionId(1)};

// Lines "name:value" are headers, "name" alone one without a value; behind an empty line the value.
Record record_of(std::string_view text, std::vector<Header>& headers) {
  Record record;
  record.offset = millrace::Offset(5);
  while (headers.size() < kHeadersMax) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return record;  // a tombstone
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    Header& header = headers.emplace_back();
    header.name = line.substr(0, colon);
    if (colon != std::string_view::npos) header.value = line.substr(colon + 1);
  }
  record.key = text.substr(0, text.size() / 8);
  record.value = text;
  record.headers = headers;
  return record;
}

void set_aside(const Record& record, millrace::spec::DeadLetterFormat format) {
  millrace::engine::DeadLetterWriter writer(format, millrace::GroupId("g"));
  const millrace::data::RecordErrors errors = {
      {millrace::data::RecordCode::kParse, "", "not JSON"}};
  const auto written = writer.compose(kSource, record, errors, "decode", millrace::Timestamp(0));
  Record stored = record;
  stored.key = written.key;
  stored.value = written.value;
  stored.headers = written.headers;
  const DeadLetter letter = millrace::engine::read_dead_letter(kSource, stored);
  CHECK(letter.code == "parse_error" && letter.source_offset == 5);
  CHECK(letter.value.has_value() == record.value.has_value());
  CHECK(!record.value || *letter.value == *record.value);
  CHECK(letter.key.has_value() == record.key.has_value());
  CHECK(!record.key || *letter.key == *record.key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<Header> headers;
  headers.reserve(kHeadersMax);
  const Record record =
      record_of(std::string_view(reinterpret_cast<const char*>(data), size), headers);
  const DeadLetter letter = millrace::engine::read_dead_letter(kSource, record);
  CHECK(letter.offset == record.offset);
  set_aside(record, millrace::spec::DeadLetterFormat::kHeaders);
  set_aside(record, millrace::spec::DeadLetterFormat::kEnvelope);
  return 0;
}
