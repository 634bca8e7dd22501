// The simulator as a source of records, for ever.
#pragma once

#include <string>

#include "ingest/internal/key_maker.h"
#include "ingest/internal/row_source.h"
#include "ingest/simulator.h"

namespace millrace::ingest {

class SimulatorSource final : public RowSource {
 public:
  // `stamp_field`: the event-time field that good records get on sending, "" for none.
  SimulatorSource(Simulator simulator, const KeyRule& key, const std::string& stamp_field);

  Result<bool> next(std::string_view stamp, SourceRow& row) override;
  Status skip_to(RowNumber row) override;

 private:
  Simulator simulator_;
  KeyMaker keys_;
  std::string stamp_prefix_;
  std::string json_;
  std::string key_;
  std::string message_;
  RowNumber row_;
};

}  // namespace millrace::ingest
