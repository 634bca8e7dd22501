// Random rows of another source, with replacement, for ever.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "env/random.h"
#include "ingest/internal/row_source.h"

namespace millrace::ingest {

// Bytes of rows kept in memory to sample from. A file with more is sampled from a uniform choice of
// its rows.
inline constexpr std::size_t kSampleBytesMax = std::size_t{256} << 20;

// Reads the whole of `from` once; its bad rows are handed out first, once each.
class SampleSource final : public RowSource {
 public:
  // `stamp_field`: the event-time field that rows get on sending, "" for none. Errors: what reading
  // says; kBadData for a source without a good row.
  static Result<std::unique_ptr<SampleSource>> load(RowSource& from, const std::string& stamp_field,
                                                    std::uint64_t seed,
                                                    std::size_t bytes_max = kSampleBytesMax);

  Result<bool> next(std::string_view stamp, SourceRow& row) override;
  Status skip_to(RowNumber row) override;

  std::size_t rows_kept() const { return rows_.size(); }
  std::uint64_t rows_read() const { return rows_read_; }
  std::uint64_t bad_rows() const { return bad_rows_; }

 private:
  struct Kept {
    double priority = 0;  // rows with a priority below the threshold are kept
    RowNumber row;
    std::int64_t line = 0;
    std::string value;
    std::optional<std::string> key;
    std::optional<Timestamp> event_time;
  };
  struct Bad {
    RowNumber row;
    std::int64_t line = 0;
    std::string problem;
  };

  SampleSource(const std::string& stamp_field, std::uint64_t seed);
  void keep(const SourceRow& row, std::size_t bytes_max);

  env::Random random_;
  std::string stamp_prefix_;  // `,"event_ts":"`
  std::vector<Kept> rows_;
  std::deque<Bad> bad_;         // the first kBadRowsKeptMax, not yet handed out
  std::uint64_t bad_rows_ = 0;  // all of them
  std::uint64_t bad_told_ = 0;  // handed out
  std::uint64_t rows_read_ = 0;
  std::size_t bytes_kept_ = 0;
  double threshold_ = 1;
  std::string message_;
};

// Appends `prefix` (`,"field":"`), `stamp` and `"}` in place of the closing brace of `object`.
void append_stamped(std::string& out, std::string_view object, std::string_view prefix,
                    std::string_view stamp);
// `,"field":"`
std::string stamp_prefix(std::string_view field);

}  // namespace millrace::ingest
