#include "model/internal/documents.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "env/clock.h"
#include "env/digest.h"

namespace millrace::model::internal {
namespace {

constexpr std::string_view kManifestFormat = "millrace-model-manifest";
constexpr std::string_view kCanaryFormat = "millrace-canary";
constexpr int kFormatVersion = 1;
constexpr std::string_view kDigestKey = "manifest_digest";
constexpr std::size_t kCanaryRowsMax = 10'000;

Error bad(std::string_view where, std::string_view what) {
  return {ErrorCode::kBadModel, std::string(where) + ": " + std::string(what)};
}

std::string_view name_of(ClassWeight weight) {
  return weight == ClassWeight::kBalanced ? "balanced" : "none";
}

constexpr std::array<std::string_view, 2> kAlgorithms = {"gradient_boosting", "arima"};
constexpr std::array<std::string_view, 3> kLosses = {"squared", "absolute", "pseudo_huber"};

json::Value to_json(const TrainingParameters& parameters) {
  const bool regression = parameters.objective == Objective::kRegression;
  json::Value out = {{"algorithm", kAlgorithms[static_cast<std::size_t>(parameters.algorithm)]},
                     {"objective", regression ? "regression" : "binary"},
                     {"trees", parameters.trees},
                     {"depth", parameters.depth},
                     {"learning_rate", parameters.learning_rate},
                     {"subsample", parameters.subsample},
                     {"column_sample", parameters.column_sample},
                     {"min_child_weight", parameters.min_child_weight},
                     {"l2", parameters.l2},
                     {"min_split_gain", parameters.min_split_gain},
                     {"bins", parameters.bins},
                     {"class_weight", name_of(parameters.class_weight)},
                     {"seed", parameters.seed},
                     {"threshold", parameters.threshold}};
  if (regression) {
    out["loss"] = kLosses[static_cast<std::size_t>(parameters.loss)];
    out["huber_slope"] = parameters.huber_slope;
  }
  return out;
}

// Reads keys of one object into variables; remembers the first error.
class Reader {
 public:
  Reader(const json::Value& object, std::string_view where) : object_(object), where_(where) {}

  template <class T>
  void read(std::string_view key, T& into) {
    ++keys_;
    auto value = json::get<T>(object_, key);
    if (value) {
      into = std::move(*value);
    } else if (status_) {
      status_ = bad(where_, value.error().message());
    }
  }

  // JSON counts are only taken when they are non-negative integers that fit.
  template <class Unsigned>
  void read_count(std::string_view key, Unsigned& into) {
    json::Value value;
    read(key, value);
    if (!status_) return;
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::numeric_limits<Unsigned>::max()) {
      status_ = bad(where_, "'" + std::string(key) + "' is not a count");
      return;
    }
    into = value.get<Unsigned>();
  }

  void expect(std::string_view key, const json::Value& wanted) {
    json::Value value;
    read(key, value);
    if (status_ && value != wanted) {
      status_ = bad(where_, "'" + std::string(key) + "' is not " + json::to_line(wanted) +
                                "; this program reads no other");
    }
  }

  // Every key was read, none besides.
  Status finish() {
    if (status_ && object_.size() != keys_) status_ = bad(where_, "has unknown keys");
    return std::move(status_);
  }

 private:
  const json::Value& object_;
  std::string_view where_;
  std::size_t keys_ = 0;
  Status status_;
};

Result<TrainingParameters> parameters_from_json(const json::Value& value, std::string_view where) {
  const std::string place = std::string(where) + ": 'parameters'";
  TrainingParameters parameters;
  std::string class_weight;
  Reader reader(value, place);
  std::string algorithm;
  reader.read("algorithm", algorithm);
  const auto known = std::find(kAlgorithms.begin(), kAlgorithms.end(), algorithm);
  if (known == kAlgorithms.end()) return bad(place, "'algorithm' is none that this program knows");
  parameters.algorithm = static_cast<Algorithm>(known - kAlgorithms.begin());
  std::string objective;
  reader.read("objective", objective);
  if (objective == "regression") {
    std::string loss;
    reader.read("loss", loss);
    reader.read("huber_slope", parameters.huber_slope);
    const auto found = std::find(kLosses.begin(), kLosses.end(), loss);
    if (found == kLosses.end()) return bad(place, "'loss' is not known");
    parameters.objective = Objective::kRegression;
    parameters.loss = static_cast<Loss>(found - kLosses.begin());
  } else if (objective != "binary") {
    return bad(place, "'objective' is neither \"binary\" nor \"regression\"");
  }
  reader.read_count("trees", parameters.trees);
  reader.read_count("depth", parameters.depth);
  reader.read("learning_rate", parameters.learning_rate);
  reader.read("subsample", parameters.subsample);
  reader.read("column_sample", parameters.column_sample);
  reader.read("min_child_weight", parameters.min_child_weight);
  reader.read("l2", parameters.l2);
  reader.read("min_split_gain", parameters.min_split_gain);
  reader.read_count("bins", parameters.bins);
  reader.read("class_weight", class_weight);
  reader.read_count("seed", parameters.seed);
  reader.read("threshold", parameters.threshold);
  MILLRACE_TRY(reader.finish());
  if (class_weight != "none" && class_weight != "balanced") {
    return bad(place, "'class_weight' is neither \"none\" nor \"balanced\"");
  }
  parameters.class_weight =
      class_weight == "balanced" ? ClassWeight::kBalanced : ClassWeight::kNone;
  return parameters;
}

json::Value number_to_json(double number) {
  if (std::isnan(number)) return nullptr;
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return number;
}

Result<double> number_from_json(const json::Value& value, std::string_view where) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.is_number()) return value.get<double>();
  if (value == "inf") return kInfinity;
  if (value == "-inf") return -kInfinity;
  return bad(where, "a row holds something that is not a number");
}

// Parses, and gives the error this module's code.
Result<json::Value> parse(std::string_view text, std::string_view where) {
  auto value = json::parse(text, where);
  if (!value) return Error(ErrorCode::kBadModel, value.error().message());
  return value;
}

}  // namespace
}  // namespace millrace::model::internal

namespace millrace::model {

json::Value to_json(const Manifest& manifest) {
  using namespace internal;
  json::Value document = {{"format", kManifestFormat},
                          {"format_version", kFormatVersion},
                          {"pipeline", manifest.pipeline},
                          {"version", manifest.version},
                          {"created", env::format_rfc3339(manifest.created)},
                          {"program_version", manifest.program_version},
                          {"algorithm", manifest.algorithm},
                          {"parameters", to_json(manifest.parameters)},
                          {"label", manifest.label},
                          {"label_values", manifest.label_values},
                          {"threshold", manifest.threshold},
                          {"features", manifest.features},
                          {"feature_fingerprint", manifest.feature_fingerprint}};
  document["transform"] = manifest.transform;
  document["schema"] = manifest.schema;
  document["feature_statistics"] = manifest.feature_statistics;
  document["feature_importances"] = manifest.feature_importances;
  document["metrics_holdout"] = manifest.metrics_holdout;
  document["metrics_train"] = manifest.metrics_train;
  document["rows_trained"] = manifest.rows_trained;
  document["rows_holdout"] = manifest.rows_holdout;
  if (!manifest.forecast.is_null()) document["forecast"] = manifest.forecast;
  if (!manifest.drift_reference.is_null()) document["drift_reference"] = manifest.drift_reference;
  document["data_digest"] = manifest.data_digest;
  document["model_digest"] = manifest.model_digest;
  document["canary_digest"] = manifest.canary_digest;
  document[std::string(kDigestKey)] = env::sha256_hex(json::to_line(document));
  return document;
}

}  // namespace millrace::model

namespace millrace::model::internal {

std::string manifest_text(const Manifest& manifest) { return json::to_pretty(to_json(manifest)); }

Result<Manifest> manifest_from_text(std::string_view text, std::string_view where) {
  MILLRACE_ASSIGN(json::Value document, parse(text, where));
  if (!document.is_object()) return bad(where, "not an object");
  Manifest manifest;
  std::string created;
  std::string digest;
  json::Value parameters;
  Reader reader(document, where);
  reader.expect("format", std::string(kManifestFormat));
  reader.expect("format_version", kFormatVersion);
  reader.read(kDigestKey, digest);
  reader.read("pipeline", manifest.pipeline);
  reader.read("version", manifest.version);
  reader.read("created", created);
  reader.read("program_version", manifest.program_version);
  reader.read("algorithm", manifest.algorithm);
  reader.read("parameters", parameters);
  reader.read("label", manifest.label);
  reader.read("label_values", manifest.label_values);
  reader.read("threshold", manifest.threshold);
  reader.read("features", manifest.features);
  reader.read("feature_fingerprint", manifest.feature_fingerprint);
  reader.read("transform", manifest.transform);
  reader.read("schema", manifest.schema);
  reader.read("feature_statistics", manifest.feature_statistics);
  reader.read("feature_importances", manifest.feature_importances);
  reader.read("metrics_holdout", manifest.metrics_holdout);
  reader.read("metrics_train", manifest.metrics_train);
  reader.read_count("rows_trained", manifest.rows_trained);
  reader.read_count("rows_holdout", manifest.rows_holdout);
  if (document.contains("forecast")) reader.read("forecast", manifest.forecast);
  if (document.contains("drift_reference")) {
    reader.read("drift_reference", manifest.drift_reference);
  }
  reader.read("data_digest", manifest.data_digest);
  reader.read("model_digest", manifest.model_digest);
  reader.read("canary_digest", manifest.canary_digest);
  MILLRACE_TRY(reader.finish());
  document.erase(std::string(kDigestKey));
  if (env::sha256_hex(json::to_line(document)) != digest) {
    return bad(where, "was changed after it was written (its digest does not fit)");
  }
  MILLRACE_ASSIGN(manifest.parameters, parameters_from_json(parameters, where));
  auto time = env::parse_rfc3339(created);
  if (!time) return bad(where, "'created' is not a time");
  manifest.created = *time;
  return manifest;
}

std::string canary_text(const Canary& canary) {
  json::Value rows = json::Value::array();
  for (const std::vector<double>& row : canary.rows) {
    json::Value values = json::Value::array();
    for (const double number : row) values.push_back(number_to_json(number));
    rows.push_back(std::move(values));
  }
  json::Value probabilities = json::Value::array();
  for (const float probability : canary.probabilities) {
    probabilities.push_back(number_to_json(double{probability}));
  }
  json::Value document = {{"format", kCanaryFormat}, {"format_version", kFormatVersion}};
  document["rows"] = std::move(rows);
  document["probabilities"] = std::move(probabilities);
  return json::to_line(document) + "\n";
}

Result<Canary> canary_from_text(std::string_view text, std::string_view where) {
  MILLRACE_ASSIGN(const json::Value document, parse(text, where));
  if (!document.is_object()) return bad(where, "not an object");
  json::Value rows;
  json::Value probabilities;
  Reader reader(document, where);
  reader.expect("format", std::string(kCanaryFormat));
  reader.expect("format_version", kFormatVersion);
  reader.read("rows", rows);
  reader.read("probabilities", probabilities);
  MILLRACE_TRY(reader.finish());
  if (!rows.is_array() || !probabilities.is_array() || rows.size() != probabilities.size() ||
      rows.empty() || rows.size() > kCanaryRowsMax) {
    return bad(where, "needs as many rows as probabilities, 1 to 10,000");
  }
  Canary canary;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_array()) return bad(where, "a row is not an array");
    std::vector<double>& row = canary.rows.emplace_back();
    for (const json::Value& value : rows[i]) {
      MILLRACE_ASSIGN(const double number, number_from_json(value, where));
      row.push_back(number);
    }
    MILLRACE_ASSIGN(const double probability, number_from_json(probabilities[i], where));
    if (!(std::abs(probability) <= double{std::numeric_limits<float>::max()})) {
      return bad(where, "a probability is not a 32-bit float");
    }
    canary.probabilities.push_back(static_cast<float>(probability));
  }
  return canary;
}

}  // namespace millrace::model::internal
