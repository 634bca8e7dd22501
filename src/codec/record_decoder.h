// Bytes of one JSON message to the cells of a schema, with everything that is wrong reported. Full
// parse: what JSON forbids is refused anywhere in the document, also in fields nobody reads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/cell.h"
#include "data/record_error.h"
#include "data/schema.h"

namespace millrace::codec {

struct DecodeLimits {
  std::size_t bytes_max = std::size_t{1} << 20;
  std::size_t depth_max = 64;  // objects and arrays inside one another; empty ones do not count
  std::size_t fields_max = 10'000;  // keys of all objects

  // Keys, values, and the marks between them, in all. The parser's memory grows with them rather
  // than with bytes (up to 12 bytes each), so this keeps it below twice `bytes_max`.
  std::size_t tokens_max() const { return std::max(kTokensAlways, bytes_max / 9); }
  static constexpr std::size_t kTokensAlways = 65'536;
};

// Whether a schema field may be absent: training needs the label, scoring does not (BUG-T10).
enum class Purpose { kScoring, kTraining };

// How messages are read: `kPredicted` takes flat ones straight from their bytes, as far as they
// look like the one before; `kWhole` always makes a document first. Cells and errors are the same.
enum class Reading { kPredicted, kWhole };

// Decodes messages of one schema. Not thread-safe; make one a thread.
class RecordDecoder {
 public:
  // Errors: kConfig for a pattern RE2 refuses.
  static Result<RecordDecoder> make(const data::Schema& schema, Purpose purpose,
                                    const DecodeLimits& limits = {},
                                    Reading reading = Reading::kPredicted);
  RecordDecoder(RecordDecoder&&) noexcept;
  RecordDecoder& operator=(RecordDecoder&&) noexcept;
  ~RecordDecoder();

  // Fills cells (schema.size() of them) and returns true, or returns false with at least one error
  // added; cells that are good are filled in either case. `value` must have kArenaPadding readable
  // bytes behind it (log::Batch and Arena give that). Views in cells live until the next call, and
  // no longer than `value`. No
  // value (nullopt at the caller) is the caller's tombstone. No allocation for good records.
  bool decode(std::string_view value, std::span<data::Cell> cells, data::RecordErrors& errors);
  // The same for bytes without padding: copies first.
  bool decode_copy(std::string_view value, std::span<data::Cell> cells, data::RecordErrors& errors);

 private:
  struct State;
  explicit RecordDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::codec
