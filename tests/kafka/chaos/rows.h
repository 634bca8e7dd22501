// Rows for chaos: made-up customers with few keys, unique event times, and some that are broken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "env/random.h"
#include "kafka/chaos/oracle.h"

namespace millrace::kafka_testing {

// Makes rows and remembers them. The same seed makes the same keys and broken rows.
class Rows {
 public:
  // `templates`: valid rows as NDJSON.
  Rows(const std::string& templates, int producers, std::uint64_t seed, std::int64_t first_ms);

  // The next `count` rows, as one NDJSON file a producer; all rows of a key are one producer's.
  std::vector<std::string> make(int count);
  const Given& given() const { return given_; }

 private:
  std::vector<std::string> templates_;
  int producers_;
  env::Random random_;
  Given given_;
};

}  // namespace millrace::kafka_testing
