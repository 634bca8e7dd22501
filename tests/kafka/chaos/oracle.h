// The checker of chaos: every row that was given is once on the input topic and has one committed
// prediction or dead letter, in order per key. Knows a row by its event time, which is unique.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::kafka_testing {

// A message as a reader of committed ones sees it.
struct Seen {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::string key;
};

// What was given to the producers: row i has event time `first_ms` + i.
struct Given {
  std::int64_t first_ms = 0;
  std::vector<std::string> keys;
  std::vector<bool> broken;  // belongs to the dead letters
};

// Rows from `begin` up to `end`.
struct Verdict {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t dead_letters = 0;
  std::size_t missing = 0;       // on the input topic, or in the outputs
  std::size_t twice = 0;         // too many of the same, on any topic
  std::size_t out_of_order = 0;  // behind a later one of its key
  std::size_t wrong = 0;         // unknown, under another key, or on the wrong topic

  std::vector<std::size_t> not_on_input;  // the rows of `missing`, those of each kind
  std::vector<std::size_t> without_output;

  bool good() const { return missing == 0 && twice == 0 && out_of_order == 0 && wrong == 0; }
};

struct Topics {
  std::vector<Seen> inputs;
  std::vector<Seen> outputs;
  std::vector<Seen> dead_letters;
};

Verdict judge(const Given& given, std::size_t begin, std::size_t end, const Topics& topics);

}  // namespace millrace::kafka_testing
