// Records broken on purpose: which field, and how.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/schema.h"
#include "env/random.h"
#include "ingest/simulator.h"

namespace millrace::ingest {

// The value of one field as JSON text, in place of its own.
struct Override {
  std::size_t field = 0;
  std::string json;
};

// What to do to one record.
struct PoisonPlan {
  Poison poison = Poison::kNone;
  std::optional<Override> replaced;
};

// Plans damage that the given schema is sure to refuse. Not thread-safe.
class Poisoner {
 public:
  // `drawn`: the fields that records hold.
  Poisoner(const data::Schema& schema, const std::vector<std::size_t>& drawn);

  PoisonPlan plan(env::Random& random) const;
  // What is done to the finished text: cut, emptied, wrapped, a key doubled.
  static void damage(Poison poison, env::Random& random, std::string& json);

 private:
  std::size_t any(const std::vector<std::size_t>& fields, env::Random& random) const;

  const data::Schema& schema_;
  std::vector<std::size_t> drawn_;       // without the label, which scoring may ignore
  std::vector<std::size_t> bounded_;     // numbers with a minimum or maximum
  std::vector<std::size_t> categories_;  // with closed levels
};

}  // namespace millrace::ingest
