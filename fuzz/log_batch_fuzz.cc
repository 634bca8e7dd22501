// Any bytes as a stored batch: refused or walked without leaving them, and skipping a record lands
// where reading it does.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "log_sqlite/internal/batch_format.h"

namespace {

using namespace millrace::log_sqlite::internal;  // NOLINT: a program of one file

constexpr std::uint32_t kRecordsMax = 1000;
constexpr std::size_t kHeadersMax = 100;

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void walk(const BatchHeader& header, std::string_view payload) {
  RecordCursor reading(header, payload);
  RecordCursor skipping(header, payload);
  std::vector<millrace::log::Header> headers;
  headers.reserve(kHeadersMax);
  for (std::uint32_t i = 0; i < header.records; ++i) {
    millrace::log::Record record;
    std::size_t bytes_read = 0;
    std::size_t bytes_skipped = 0;
    std::size_t headers_skipped = 0;
    const std::size_t headers_before = headers.size();
    if (!reading.read(record, headers, bytes_read)) return;
    CHECK(skipping.skip(bytes_skipped, headers_skipped));
    CHECK(reading.at() == skipping.at() && reading.next_offset() == skipping.next_offset());
    CHECK(bytes_read == bytes_skipped);
    CHECK(headers.size() - headers_before == headers_skipped);
    CHECK(inside(record.key.value_or(""), payload) && inside(record.value.value_or(""), payload));
    for (const auto& one : record.headers) {
      CHECK(inside(one.name, payload) && inside(one.value.value_or(""), payload));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_batch_header(bytes, Verify::kHeader);
  if (const auto header = read_batch_header(bytes, Verify::kAll)) {
    CHECK(bytes.size() >= kBatchHeaderBytes);
    if (header->records <= kRecordsMax && header->headers <= kHeadersMax) {
      walk(*header, bytes.substr(kBatchHeaderBytes));
    }
  }
  // A checksum keeps nearly all inputs away from the records, so they are walked without one too.
  BatchHeader claimed;
  claimed.records = size > 0 ? data[0] : 0;
  walk(claimed, bytes.substr(std::min<std::size_t>(size, 1)));
  return 0;
}
