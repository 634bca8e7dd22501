// Any bytes as a message: never a crash, and what is accepted keeps to the schema.
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "codec/record_decoder.h"
#include "codec/testing/telco.h"

namespace {

using millrace::codec::Purpose;
using millrace::codec::Reading;
using millrace::codec::RecordDecoder;
using millrace::data::Cell;
using millrace::data::CellState;
using millrace::data::Field;
using millrace::data::Policy;

// All policies open, no field required, unknown fields allowed: what is refused here is no JSON, a
// wrong type or out of bounds.
millrace::data::Schema open_schema() {
  std::vector<Field> fields = millrace::codec::testing::telco_fields();
  for (Field& field : fields) {
    field.required = field.label = false;
    field.null = field.blank = field.unknown = Policy::kMissing;
    field.accept_text = true;
  }
  return std::move(*millrace::data::Schema::make(std::move(fields)));
}

void check_cell(const Cell& cell, const Field& field) {
  CHECK(cell.state != CellState::kInvalid);
  if (cell.state == CellState::kNumber) {
    CHECK(std::isfinite(cell.number));
    CHECK(cell.number >= field.min && cell.number <= field.max);
  }
  if (cell.state == CellState::kCategory) {
    CHECK(field.values[static_cast<std::size_t>(cell.code)] == cell.text);
  }
  CHECK(millrace::is_utf8(cell.text));
}

struct Target {
  explicit Target(millrace::data::Schema schema_in)
      : schema(std::move(schema_in)),
        decoder(std::move(*RecordDecoder::make(schema, Purpose::kScoring))),
        whole(std::move(*RecordDecoder::make(schema, Purpose::kScoring, {}, Reading::kWhole))),
        cells(schema.size()) {}

  void run(std::string_view value) {
    errors.clear();
    const bool good = decoder.decode_copy(value, cells, errors);
    CHECK(good == errors.empty());
    millrace::data::RecordErrors errors_of_whole;
    std::vector<Cell> cells_of_whole(schema.size());
    CHECK(whole.decode_copy(value, cells_of_whole, errors_of_whole) == good);
    CHECK(errors_of_whole.size() == errors.size());
    CHECK(errors.size() <= millrace::data::kRecordErrorsMax);
    for (const auto& error : errors) CHECK(millrace::is_utf8(error.message()));
    if (!good) return;
    CHECK(millrace::is_utf8(value));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      check_cell(cells[i], schema.field(i));
      CHECK(cells[i].text == cells_of_whole[i].text && cells[i].state == cells_of_whole[i].state);
    }
  }

  millrace::data::Schema schema;
  RecordDecoder decoder;
  RecordDecoder whole;
  std::vector<Cell> cells;
  millrace::data::RecordErrors errors;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Target strict(millrace::codec::testing::telco_schema());
  static Target open(open_schema());
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  strict.run(value);
  open.run(value);
  return 0;
}
