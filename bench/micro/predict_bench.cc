// Prediction: every engine against XGBoost's batched C API on one thread, same models, same rows.
//
// First a gate: all engines and XGBoost give the same floats bit for bit, else the program ends
// with 1. Then pairs in turn (A B A B ...), one line of JSON a result; ratio = XGBoost's time by
// ours, the median of the pairs, with the smallest and the largest. With --benchmark_filter=REGEX
// every engine is paired, and Google Benchmark's table of engines and batch sizes follows.
#include <benchmark/benchmark.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "env/clock.h"
#include "env/random.h"
#include "json/json.h"
#include "model/predictor.h"

namespace millrace {
namespace {

constexpr std::size_t kColumns = 30;
constexpr std::size_t kBatchRows = 1000;
constexpr std::size_t kTrainingRows = 20'000;
constexpr std::size_t kPairs = 11;
constexpr Nanoseconds kTurn = Milliseconds(60);

struct Shape {
  int trees;
  int depth;
  std::string name() const { return std::to_string(trees) + "xd" + std::to_string(depth); }
};
constexpr Shape kShapes[] = {{100, 3}, {100, 6}, {500, 6}, {500, 8}};

void must(int code) {
  if (code != 0) std::fprintf(stderr, "xgboost: %s\n", XGBGetLastError());
  CHECK(code == 0);
}

// Twenty numbers of several distributions, some missing, and ten zero-one columns: like one-hot
// encoded business data.
data::FeatureBatch rows_of(env::Random& random, std::size_t rows) {
  data::FeatureBatch batch(kColumns);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = batch.add_row();
    for (std::size_t c = 0; c < kColumns; ++c) {
      if (c % 3 == 2) {
        row[c] = random.uniform() < 0.3 ? 1 : 0;
      } else {
        row[c] = c % 2 == 0 ? random.normal() : random.uniform() * 100;
      }
    }
    if (random.below(10) == 0) row[0] = std::numeric_limits<double>::quiet_NaN();
  }
  return batch;
}

std::vector<float> floats_of(const data::FeatureBatch& batch) {
  std::vector<float> floats(batch.rows() * batch.columns());
  std::transform(batch.data(), batch.data() + floats.size(), floats.begin(),
                 [](double value) { return static_cast<float>(value); });
  return floats;
}

class Booster {
 public:
  explicit Booster(const Shape& shape) {
    env::Random random(42);
    const data::FeatureBatch rows = rows_of(random, kTrainingRows);
    const std::vector<float> floats = floats_of(rows);
    std::vector<float> labels;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const auto row = rows.row(i);
      const double score = std::isnan(row[0]) ? 0.7 : row[0] * (row[2] - 0.5) + row[4] * row[6];
      labels.push_back(score + 0.02 * row[1] + 0.3 * random.normal() > 1 ? 1 : 0);
    }
    DMatrixHandle matrix = nullptr;
    must(XGDMatrixCreateFromMat(floats.data(), rows.rows(), kColumns,
                                std::numeric_limits<float>::quiet_NaN(), &matrix));
    must(XGDMatrixSetFloatInfo(matrix, "label", labels.data(), labels.size()));
    must(XGBoosterCreate(&matrix, 1, &handle_));
    set("objective", "binary:logistic");
    set("tree_method", "hist");
    set("max_depth", std::to_string(shape.depth));
    set("eta", "0.05");
    set("subsample", "0.8");
    set("min_child_weight", "0.1");
    set("seed", "42");
    set("nthread", "2");
    for (int i = 0; i < shape.trees; ++i) must(XGBoosterUpdateOneIter(handle_, i, matrix));
    set("nthread", "1");
    XGDMatrixFree(matrix);
  }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;
  ~Booster() { XGBoosterFree(handle_); }

  // The booster's own JSON as an ensemble.
  std::shared_ptr<const model::TreeEnsemble> ensemble() const;

  // Probabilities of a dense batch, without building a DMatrix. Valid until the next call.
  const float* predict_inplace(const std::vector<float>& rows, std::size_t count) {
    static const std::string config =
        R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,)"
        R"("missing":NaN,"strict_shape":false,"cache_id":0})";
    char array[256];
    std::snprintf(array, sizeof array,
                  R"({"data":[%llu,true],"shape":[%zu,%zu],"typestr":"<f4","version":3})",
                  static_cast<unsigned long long>(std::bit_cast<std::uintptr_t>(rows.data())),
                  count, kColumns);
    const bst_ulong* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* result = nullptr;
    must(XGBoosterPredictFromDense(handle_, array, config.c_str(), nullptr, &shape, &dimensions,
                                   &result));
    return result;
  }

  // The same through a DMatrix, which has to be made for every batch.
  const float* predict_matrix(const std::vector<float>& rows, std::size_t count) {
    DMatrixHandle matrix = nullptr;
    must(XGDMatrixCreateFromMat(rows.data(), count, kColumns,
                                std::numeric_limits<float>::quiet_NaN(), &matrix));
    bst_ulong length = 0;
    const float* result = nullptr;
    must(XGBoosterPredict(handle_, matrix, 0, 0, 0, &length, &result));
    kept_.assign(result, result + length);
    XGDMatrixFree(matrix);
    return kept_.data();
  }

 private:
  void set(const char* name, const std::string& value) {
    must(XGBoosterSetParam(handle_, name, value.c_str()));
  }

  BoosterHandle handle_ = nullptr;
  std::vector<float> kept_;
};

// XGBoost's tree arrays as a tree; nodes that pruning left behind are dropped.
model::Tree tree_of(const json::Value& source) {
  const json::Value& left = source["left_children"];
  const json::Value& right = source["right_children"];
  std::vector<std::size_t> order = {0};
  model::Tree tree;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t at = order[i];
    model::TreeNode node;
    node.value = static_cast<float>(source["split_conditions"][at].get<double>());
    if (left[at].get<int>() >= 0) {
      node.feature = source["split_indices"][at].get<std::uint32_t>();
      const json::Value& default_left = source["default_left"][at];
      node.default_left =
          default_left.is_boolean() ? default_left.get<bool>() : default_left.get<int>() != 0;
      node.left = static_cast<std::int32_t>(order.size());
      node.right = node.left + 1;
      order.push_back(left[at].get<std::size_t>());
      order.push_back(right[at].get<std::size_t>());
    }
    tree.nodes.push_back(node);
  }
  return tree;
}

std::shared_ptr<const model::TreeEnsemble> Booster::ensemble() const {
  bst_ulong length = 0;
  const char* text = nullptr;
  must(XGBoosterSaveModelToBuffer(handle_, R"({"format":"json"})", &length, &text));
  const json::Value document = json::parse({text, length}, "xgboost").value();
  auto ensemble = std::make_shared<model::TreeEnsemble>();
  ensemble->features = kColumns;
  const float base =
      std::stof(document["learner"]["learner_model_param"]["base_score"].get<std::string>());
  ensemble->base_margin = -std::log(1.0F / base - 1.0F);
  for (const json::Value& tree : document["learner"]["gradient_booster"]["model"]["trees"]) {
    ensemble->trees.push_back(tree_of(tree));
  }
  const Status sound = ensemble->check();
  CHECK(sound.has_value());
  return ensemble;
}

// Everything about one model, made once.
struct Case {
  explicit Case(const Shape& wanted)
      : shape(wanted), booster(wanted), ensemble(booster.ensemble()) {
    env::Random random(7);
    for (int i = 0; i < 8; ++i) {  // several batches, so that branches cannot be learnt by heart
      batches.push_back(rows_of(random, kBatchRows));
      floats.push_back(floats_of(batches.back()));
    }
  }
  Shape shape;
  Booster booster;
  std::shared_ptr<const model::TreeEnsemble> ensemble;
  std::vector<data::FeatureBatch> batches;
  std::vector<std::vector<float>> floats;
};

bool equal_bits(const float* a, const float* b, std::size_t n) {
  return std::equal(a, a + n, b, [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

// Every engine equals XGBoost on every batch.
bool gate(Case& c) {
  std::vector<float> out(kBatchRows);
  for (const std::string& engine : model::legal_engines(*c.ensemble)) {
    const auto predictor = model::make_predictor(c.ensemble, engine).value();
    for (std::size_t b = 0; b < c.batches.size(); ++b) {
      predictor->predict(c.batches[b], out);
      const bool same =
          equal_bits(c.booster.predict_inplace(c.floats[b], kBatchRows), out.data(), kBatchRows) &&
          equal_bits(c.booster.predict_matrix(c.floats[b], kBatchRows), out.data(), kBatchRows);
      if (!same) {
        std::fprintf(stderr, "%s: engine %s differs from XGBoost\n", c.shape.name().c_str(),
                     engine.c_str());
        return false;
      }
    }
  }
  return true;
}

// CPU nanoseconds a row of `work(batch)`, over about kTurn. CPU time of this thread: both sides
// work on one thread, and other programs on the machine then matter less.
template <class Work>
double turn(std::size_t batches, Work work) {
  const Nanoseconds start = env::thread_cpu_time();
  std::size_t rows = 0;
  while (env::thread_cpu_time() - start < kTurn) {
    for (std::size_t b = 0; b < batches; ++b) work(b);
    rows += batches * kBatchRows;
  }
  return static_cast<double>((env::thread_cpu_time() - start).count()) / static_cast<double>(rows);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string machine() {
  std::ifstream cpu("/proc/cpuinfo");
  for (std::string line; std::getline(cpu, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

void compare(Case& c, const std::string& engine) {
  const auto predictor = model::make_predictor(c.ensemble, engine).value();
  std::vector<float> out(kBatchRows);
  std::vector<double> ours;
  std::vector<double> theirs;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < kPairs; ++i) {
    const double a = turn(c.batches.size(), [&](std::size_t b) {
      predictor->predict(c.batches[b], out);
      benchmark::DoNotOptimize(out.data());
    });
    const double inplace = turn(c.batches.size(), [&](std::size_t b) {
      benchmark::DoNotOptimize(c.booster.predict_inplace(c.floats[b], kBatchRows));
    });
    const double matrix = turn(c.batches.size(), [&](std::size_t b) {
      benchmark::DoNotOptimize(c.booster.predict_matrix(c.floats[b], kBatchRows));
    });
    ours.push_back(a);
    theirs.push_back(std::min(inplace, matrix));
    ratios.push_back(theirs.back() / a);
  }
  const char* commit = std::getenv("MILLRACE_BENCH_COMMIT");
  const json::Value line = {
      {"bench", "predict"},
      {"commit", commit == nullptr ? "unknown" : commit},
      {"machine", machine()},
      {"case", c.shape.name()},
      {"engine", std::string(predictor->engine()) + (engine.empty() ? " (chosen)" : "")},
      {"unit", "ns/row"},
      {"figure", median(ours)},
      {"xgboost", median(theirs)},
      {"ratio", median(ratios)},
      {"spread", {std::ranges::min(ratios), std::ranges::max(ratios)}}};
  std::printf("%s\n", json::to_line(line).c_str());
  std::fflush(stdout);
}

// Milliseconds from the text of model.json to a chosen predictor.
void time_load(const Case& c) {
  const std::string text = json::to_line(model::to_json(*c.ensemble));
  std::vector<double> parsing;
  std::vector<double> choosing;
  for (std::size_t i = 0; i < kPairs; ++i) {
    const Nanoseconds start = env::thread_cpu_time();
    const json::Value document = json::parse(text, "model.json").value();
    auto ensemble =
        std::make_shared<model::TreeEnsemble>(model::tree_ensemble_from_json(document).value());
    const Nanoseconds parsed = env::thread_cpu_time();
    benchmark::DoNotOptimize(model::make_predictor(std::move(ensemble)).value());
    parsing.push_back(static_cast<double>((parsed - start).count()) / 1e6);
    choosing.push_back(static_cast<double>((env::thread_cpu_time() - parsed).count()) / 1e6);
  }
  const json::Value line = {
      {"bench", "load"},      {"case", c.shape.name()},   {"unit", "ms"},
      {"bytes", text.size()}, {"parse", median(parsing)}, {"choose_engine", median(choosing)}};
  std::printf("%s\n", json::to_line(line).c_str());
}

void register_table(Case& c) {
  for (const std::string& engine : model::legal_engines(*c.ensemble)) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{16}, kBatchRows}) {
      const std::string name = c.shape.name() + "/" + engine + "/" + std::to_string(rows);
      benchmark::RegisterBenchmark(name.c_str(), [&c, engine, rows](benchmark::State& state) {
        const auto predictor = model::make_predictor(c.ensemble, engine).value();
        data::FeatureBatch batch(kColumns);
        for (std::size_t i = 0; i < rows; ++i) {
          const auto from = c.batches[0].row(i);
          std::copy(from.begin(), from.end(), batch.add_row().begin());
        }
        std::vector<float> out(rows);
        for (auto _ : state) {
          predictor->predict(batch, out);
          benchmark::DoNotOptimize(out.data());
        }
        state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
      });
    }
  }
}

int run(int argc, char** argv) {
  const bool table = argc > 1;
  benchmark::Initialize(&argc, argv);
  std::vector<std::unique_ptr<Case>> cases;
  for (const Shape& shape : kShapes) {
    cases.push_back(std::make_unique<Case>(shape));
    if (!gate(*cases.back())) return 1;
  }
  for (const auto& c : cases) {
    if (table) {
      for (const std::string& engine : model::legal_engines(*c->ensemble)) compare(*c, engine);
    }
    compare(*c, "");
    time_load(*c);
    if (table) register_table(*c);
  }
  if (table) benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) { return millrace::run(argc, argv); }
