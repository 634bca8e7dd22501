// Records made up after a pipeline's simulator.yaml (docs/formats/simulator.md): realistic levels,
// numbers and label, broken records on request, and drift on request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "data/schema.h"

namespace millrace::ingest {

struct SimulatorOptions {
  double poison_rate = 0;                    // share of broken records, [0, 1]
  std::optional<std::uint64_t> drift_after;  // records before the world changes
  // How far series, numbers drawn from quantiles, and the noise of linear ones move then, in
  // standard deviations. Not set: 0 where the file has a drift section, which says what changes,
  // else 1.
  std::optional<double> drift_sigma;
  // Fields that change then; none named: all. A named field of numbers always moves (by 1 where
  // drift_sigma is not set).
  std::vector<std::string> drift_fields;
  std::optional<std::uint64_t> stations;  // of a series, instead of the file's number
};

inline constexpr double kDriftSigmaMax = 10;

// The ways in which a record can be broken on purpose.
enum class Poison {
  kNone,
  kTruncated,
  kWrongType,
  kOutOfRange,
  kUnknownCategory,
  kInvalidUtf8,
  kDuplicateKey,
  kEmpty,
  kNotAnObject,
};

std::string_view to_string(Poison poison);

// Deterministic: the same file, schema, seed and options give the same records on every machine.
// Not thread-safe.
class Simulator {
 public:
  // `key_field` names the field that is a record's key, "" for none. `origin` starts messages.
  // Errors: kConfig with file:line:col for what the file says wrongly or the schema does not know;
  // kUsage for rates outside their range.
  static Result<Simulator> make(const data::Schema& schema, std::string_view yaml,
                                const std::string& origin, const std::string& key_field,
                                std::uint64_t seed, const SimulatorOptions& options);
  Simulator(Simulator&&) noexcept;
  Simulator& operator=(Simulator&&) noexcept;
  ~Simulator();

  // Clears both and writes one record as JSON, fields in the order of the schema, label included,
  // and its key ("" without one; broken records have the key that they would have had).
  Poison next(std::string& json, std::string& key);

  // Whether records hold `field`.
  bool draws(std::string_view field) const;
  // The time of the last record's step, where the file makes series.
  std::optional<Timestamp> step_time() const;

 private:
  struct State;
  explicit Simulator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::ingest
