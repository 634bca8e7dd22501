// Decodes texts against a schema and keeps what came of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/record_decoder.h"

namespace millrace::codec::testing {

class DecodeHarness {
 public:
  explicit DecodeHarness(data::Schema schema, Purpose purpose = Purpose::kScoring,
                         const DecodeLimits& limits = {}, Reading reading = Reading::kPredicted)
      : schema_(std::move(schema)),
        decoder_(std::move(*RecordDecoder::make(schema_, purpose, limits, reading))),
        cells_(schema_.size()) {}

  // Whether the record is good.
  bool decode(std::string_view value) {
    errors_.clear();
    const bool good = decoder_.decode_copy(value, cells_, errors_);
    CHECK(good == errors_.empty());
    return good;
  }
  // "code field" of every error of `value`, sorted as reported, joined by "; "; "" when it is good.
  std::string errors_of(std::string_view value) {
    decode(value);
    std::string text;
    for (const data::RecordError& error : errors_) {
      if (!text.empty()) text += "; ";
      text += std::string(data::to_string(error.code)) + " " + error.field;
    }
    return text;
  }
  const data::Cell& cell(std::string_view field) const { return cells_[*schema_.find(field)]; }
  const std::vector<data::Cell>& cells() const { return cells_; }
  const data::RecordErrors& errors() const { return errors_; }
  const data::Schema& schema() const { return schema_; }

 private:
  data::Schema schema_;
  RecordDecoder decoder_;
  std::vector<data::Cell> cells_;
  data::RecordErrors errors_;
};

}  // namespace millrace::codec::testing
