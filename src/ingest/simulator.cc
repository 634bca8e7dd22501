#include "ingest/simulator.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "env/random.h"
#include "ingest/internal/poison.h"
#include "ingest/internal/random_streams.h"
#include "ingest/internal/series_run.h"
#include "ingest/internal/simulator_file.h"
#include "json/text.h"

namespace millrace::ingest {
namespace {

// Records drawn by make(), with and without drift, to find combinations of levels that the file
// forgot.
constexpr std::uint64_t kTrialRecords = 1000;

// Rounded already: at most `decimals` digits behind the point, trailing zeros dropped.
void append_decimal(std::string& out, double value, int decimals) {
  double power = 1;
  for (int i = 0; i < decimals; ++i) power *= 10;
  const double scaled = std::round(value * power);
  if (!(std::abs(scaled) < 9e15)) {
    json::append_number(out, value);
    return;
  }
  auto whole = static_cast<std::int64_t>(scaled);
  if (whole < 0) {
    out += '-';
    whole = -whole;
  }
  char digits[24];
  const auto unit = static_cast<std::int64_t>(power);
  char* end = std::to_chars(digits, digits + sizeof(digits), whole / unit).ptr;
  out.append(digits, end);
  std::int64_t fraction = whole % unit;
  if (fraction == 0) return;
  out += '.';
  for (std::int64_t place = unit / 10; place > 0 && fraction > 0; place /= 10) {
    out += static_cast<char>('0' + fraction / place);
    fraction %= place;
  }
}

}  // namespace

struct Simulator::State {
  State(const data::Schema& schema_in, SimulatorFile file_in, std::uint64_t seed_in,
        const SimulatorOptions& options_in)
      : schema(schema_in),
        file(std::move(file_in)),
        seed(seed_in),
        options(options_in),
        draws(schema_in.size()),
        poisoner(schema, fields_of(file)),
        drawn_at(schema_in.size(), SIZE_MAX) {
    for (std::size_t i = 0; i < file.fields.size(); ++i) drawn_at[file.fields[i].field] = i;
    const bool file_says = file.drifts && options.drift_fields.empty();
    numeric_shift = options.drift_sigma.value_or(file_says ? 0 : 1);
    moves.assign(schema.size(), options.drift_fields.empty());
    for (const std::string& name : options.drift_fields) moves[*schema.find(name)] = true;
    prepare_tokens();
    restart();
  }

  // The next row drawn is row 0.
  void restart() {
    if (!file.series) return;
    SeriesPlan plan = *file.series;
    plan.stations = options.stations.value_or(plan.stations);
    series.emplace(std::move(plan), seed, schema.size());
  }

  static std::vector<std::size_t> fields_of(const SimulatorFile& file) {
    std::vector<std::size_t> fields;
    for (const DrawnField& one : file.fields) fields.push_back(one.field);
    return fields;
  }

  void prepare_tokens() {
    names.resize(schema.size());
    levels.resize(schema.size());
    for (std::size_t i = 0; i < schema.size(); ++i) {
      json::append_string(names[i], schema.field(i).name);
      names[i] += ':';
      const bool bare = data::is_numeric(schema.field(i).type);
      for (const std::string& level : file.levels[i].names) {
        std::string token;
        if (bare) {
          token = level;
        } else {
          json::append_string(token, level);
        }
        levels[i].push_back(std::move(token));
      }
    }
  }

  // Draws all fields of row `n`; false where a combination of levels was not given.
  bool draw_row(std::uint64_t n, bool row_drifted) {
    env::Random random = random_of(seed, RandomStream::kValues, n);
    bool complete = true;
    if (series) series->begin(n);
    for (const DrawnField& one : file.fields) {
      const double uniform = random.uniform();
      const bool drifted = row_drifted && moves[one.field];
      const Generator& generator = drifted && one.after_drift ? *one.after_drift : one.generator;
      const double shift = drifted ? numeric_shift : 0;
      if (const auto* of_series = std::get_if<Series>(&generator.kind)) {
        series->draw(*of_series, one.field, generator.decimals, uniform, shift, draws);
        continue;
      }
      complete &= draw(generator, one.field, uniform, shift, draws) == Drawn::kAsGiven;
      const std::vector<double>& numbers = file.levels[one.field].numbers;
      if (!numbers.empty()) {
        draws.number[one.field] = numbers[static_cast<std::size_t>(draws.level[one.field])];
      }
    }
    return complete;
  }

  bool drifted(std::uint64_t n) const { return options.drift_after && n >= *options.drift_after; }

  const Generator& generator_of(const DrawnField& one) const {
    return drifted(row) && moves[one.field] && one.after_drift ? *one.after_drift : one.generator;
  }

  // The value as text, without quotes.
  void append_text(std::size_t field, std::string& out) const {
    const DrawnField& one = file.fields[drawn_at[field]];
    const Generator& generator = generator_of(one);
    if (const auto* id = std::get_if<IdPattern>(&generator.kind)) {
      id->append(row, out);
    } else if (std::holds_alternative<StationName>(generator.kind)) {
      series->append_station(out);
    } else if (std::holds_alternative<StepTime>(generator.kind)) {
      series->append_time(out);
    } else if (!levels[field].empty()) {
      out += file.levels[field].names[static_cast<std::size_t>(draws.level[field])];
    } else if (draws.blank[field] != 0) {
      out += ' ';
    } else {
      append_decimal(out, draws.number[field], generator.decimals);
    }
  }

  void append_value(std::size_t field, std::string& out) const {
    const data::Field& declared = schema.field(field);
    if (!levels[field].empty()) {
      out += levels[field][static_cast<std::size_t>(draws.level[field])];
      return;
    }
    const bool quoted = !data::is_numeric(declared.type) || declared.accept_text;
    if (quoted) out += '"';
    append_text(field, out);
    if (quoted) out += '"';
  }

  void append_record(const std::optional<Override>& replaced, std::string& out) const {
    char separator = '{';
    for (std::size_t i = 0; i < schema.size(); ++i) {
      if (drawn_at[i] == SIZE_MAX) continue;
      out += separator;
      separator = ',';
      out += names[i];
      if (replaced && replaced->field == i) [[unlikely]] {
        out += replaced->json;
      } else {
        append_value(i, out);
      }
    }
    out += '}';
  }

  data::Schema schema;
  SimulatorFile file;
  std::uint64_t seed;
  SimulatorOptions options;
  Draws draws;
  Poisoner poisoner;
  std::optional<SeriesRun> series;
  std::vector<std::size_t> drawn_at;  // by field: its place in file.fields, SIZE_MAX without
  double numeric_shift = 0;
  std::vector<std::string> names;                // `"field":`
  std::vector<std::vector<std::string>> levels;  // as JSON
  std::optional<std::size_t> key_field;
  std::vector<bool> moves;  // by field of the schema: whether drift changes it
  std::uint64_t row = 0;
};

Simulator::Simulator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Simulator::Simulator(Simulator&&) noexcept = default;
Simulator& Simulator::operator=(Simulator&&) noexcept = default;
Simulator::~Simulator() = default;

Result<Simulator> Simulator::make(const data::Schema& schema, std::string_view yaml,
                                  const std::string& origin, const std::string& key_field,
                                  std::uint64_t seed, const SimulatorOptions& options) {
  if (!(options.poison_rate >= 0 && options.poison_rate <= 1)) {
    return Error(ErrorCode::kUsage, "--poison-rate must be from 0 to 1.");
  }
  if (options.drift_sigma && !(std::abs(*options.drift_sigma) <= kDriftSigmaMax)) {
    return Error(ErrorCode::kUsage, "--drift-sigma must be from -10 to 10.");
  }
  if (options.stations && (*options.stations < 1 || *options.stations > kStationsMax)) {
    return Error(ErrorCode::kUsage, "--stations must be from 1 to 100000.");
  }
  MILLRACE_ASSIGN(SimulatorFile file, read_simulator_file(yaml, origin, schema, seed));
  if (options.stations && !file.series) {
    return Error(ErrorCode::kUsage,
                 "--stations is for pipelines whose simulator makes series, and " + origin +
                     " has no section 'series'.");
  }
  for (const std::string& name : options.drift_fields) {
    const auto is_it = [&](const DrawnField& one) { return schema.field(one.field).name == name; };
    if (std::any_of(file.fields.begin(), file.fields.end(), is_it)) continue;
    std::vector<std::string> drawn;
    for (const DrawnField& one : file.fields) drawn.push_back(schema.field(one.field).name);
    return Error(ErrorCode::kUsage, "--drift-fields: the simulator draws no field '" +
                                        printable(name, 100) + "'" + did_you_mean(name, drawn) +
                                        ".");
  }
  auto state = std::make_unique<State>(schema, std::move(file), seed, options);
  if (!key_field.empty()) {
    state->key_field = schema.find(key_field);
    if (!state->key_field || state->drawn_at[*state->key_field] == SIZE_MAX) {
      return Error(ErrorCode::kConfig,
                   origin + ": the key field '" + printable(key_field) + "' is not drawn");
    }
  }
  for (std::uint64_t n = 0; n < kTrialRecords; ++n) {
    if (state->draw_row(n, false) && state->draw_row(n, true)) continue;
    return Error(ErrorCode::kConfig,
                 origin +
                     ": a combination of levels comes up for which 'weights' or 'values' "
                     "under a 'given' say nothing");
  }
  state->restart();
  return Simulator(std::move(state));
}

bool Simulator::draws(std::string_view field) const {
  const auto index = state_->schema.find(field);
  return index && state_->drawn_at[*index] != SIZE_MAX;
}

std::optional<Timestamp> Simulator::step_time() const {
  if (!state_->series) return std::nullopt;
  return state_->series->step_time();
}

Poison Simulator::next(std::string& json, std::string& key) {
  State& state = *state_;
  json.clear();
  key.clear();
  state.draw_row(state.row, state.drifted(state.row));
  if (state.key_field) state.append_text(*state.key_field, key);
  PoisonPlan plan;
  if (state.options.poison_rate > 0) {
    env::Random random = random_of(state.seed, RandomStream::kPoison, state.row);
    if (random.uniform() < state.options.poison_rate) {
      plan = state.poisoner.plan(random);
      state.append_record(plan.replaced, json);
      Poisoner::damage(plan.poison, random, json);
      ++state.row;
      return plan.poison;
    }
  }
  state.append_record(std::nullopt, json);
  ++state.row;
  return Poison::kNone;
}

}  // namespace millrace::ingest
