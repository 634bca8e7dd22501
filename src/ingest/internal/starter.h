// What `init` found in a file, and the pipeline text it makes of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/table_reader.h"
#include "data/schema.h"

namespace millrace::ingest {

// What a column is to the pipeline.
enum class Role {
  kNumeric,  // a feature, as it is
  kImputed,  // a feature, missing values filled in
  kOneHot,   // a feature, a column a level
  kKey,      // the record's key
  kEventTime,
  kLabel,
  kNone,  // in the schema, but nothing is learnt from it
};

struct StarterField {
  data::Field field;
  Role role = Role::kNone;
  std::string remark;  // why it is no feature, or what to look at
};

struct Starter {
  std::string name;
  std::string file;  // its name, without folders
  std::uint64_t rows = 0;
  std::uint64_t bad_rows = 0;
  std::int64_t first_bad_line = 0;
  codec::TableFormat format = codec::TableFormat::kCsv;
  codec::CsvDialect csv;
  std::vector<StarterField> fields;
  std::string key;                  // "" for none
  std::string event_time;           // "" for none
  bool stamped_event_time = false;  // no column: produce stamps it
  std::string positive;
  double positive_share = 0;
};

// The text of pipeline.yaml.
std::string to_yaml(const Starter& starter);

}  // namespace millrace::ingest
