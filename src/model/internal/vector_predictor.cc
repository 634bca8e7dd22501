#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>

#include "base/check.h"
#include "model/internal/predictors.h"
#include "model/internal/scalar_predictor.h"

namespace millrace::model::internal {
namespace {

constexpr std::size_t kAlignment = 64;
// Bytes of one column in a block: a few dozen columns then share the first cache.
constexpr std::size_t kColumnBytes = 512;
// Rows that are transposed together.
constexpr std::size_t kTile = 16;

// Zeroed memory for vectors.
class AlignedBytes {
 public:
  explicit AlignedBytes(std::size_t size)
      : bytes_(static_cast<unsigned char*>(::operator new(size + 1, kAlign))) {
    std::memset(bytes_.get(), 0, size);
  }
  unsigned char* data() { return bytes_.get(); }
  float* floats() { return reinterpret_cast<float*>(bytes_.get()); }

 private:
  static constexpr std::align_val_t kAlign{kAlignment};
  struct Delete {
    void operator()(unsigned char* bytes) const { ::operator delete(bytes, kAlign); }
  };
  std::unique_ptr<unsigned char, Delete> bytes_;
};

class VectorPredictor final : public Predictor {
 public:
  VectorPredictor(std::shared_ptr<const Forest> forest, const Kernel& kernel)
      : forest_(std::move(forest)),
        kernel_(kernel),
        packed_(*forest_->ensemble, forest_->columns, forest_->ranking, kernel.lane, kColumnBytes),
        scalar_(forest_),
        groups_max_(kColumnBytes / kernel.vector_bytes),
        rows_max_(groups_max_ * kernel.lanes),
        width_(forest_->columns.size()),
        floats_(width_ * rows_max_ * sizeof(float)),
        lanes_(packed_.lane_columns().size() * kColumnBytes),
        stack_(packed_.stack_entries() * kColumnBytes),
        sums_(rows_max_ * sizeof(float)) {
    for (const TreeProgram& tree : packed_.trees()) has_unpacked_ |= tree.count == 0;
    if (has_unpacked_) rows_.resize(rows_max_ * width_);
    vector_rows_min_ = vector_rows_min();
  }

  std::string_view engine() const override { return kernel_.name; }
  std::size_t features() const override { return forest_->ensemble->features; }

  void predict(const data::FeatureBatch& batch, std::span<float> out) override {
    const std::size_t features = forest_->ensemble->features;
    CHECK(batch.columns() == features);
    CHECK(out.size() == batch.rows());
    const double* rows = batch.data();
    while (!out.empty()) {
      std::size_t count = std::min(rows_max_, out.size());
      const std::size_t rest = count % kernel_.lanes;
      if (rest < vector_rows_min_) count -= rest;  // few rows are faster one by one
      if (count > 0) {
        score_block(rows, out.first(count));
      } else {
        count = rest;
        scalar_.score(rows, out.first(count));
      }
      rows += count * features;
      out = out.subspan(count);
    }
  }

 private:
  // Rows from which on a vector beats the scalar forest: by rough cycles of both.
  std::size_t vector_rows_min() const {
    constexpr std::size_t kCyclesATreelet = 16;
    constexpr std::size_t kCyclesALevel = 2;
    std::size_t vector = 0;
    std::size_t scalar = 0;
    for (std::size_t t = 0; t < packed_.trees().size(); ++t) {
      const std::size_t treelets = packed_.trees()[t].count;
      if (treelets == 0) continue;  // scalar both ways
      vector += kCyclesATreelet * treelets + kernel_.lanes / 2;
      scalar += kCyclesALevel * (1 + depth_of(forest_->ensemble->trees[t]));
    }
    return scalar == 0 ? 1 : std::clamp<std::size_t>(vector / scalar, 1, kernel_.lanes);
  }

  void score_block(const double* rows, std::span<float> out) {
    const std::size_t groups = (out.size() + kernel_.lanes - 1) / kernel_.lanes;
    const std::size_t padded = groups * kernel_.lanes;
    transpose(rows, out.size(), padded);
    unsigned char* const columns = encode(padded);
    if (has_unpacked_) {
      for (std::size_t r = 0; r < out.size(); ++r) {
        forest_->columns.fill_row(rows + r * features(), rows_.data() + r * width_);
      }
    }
    float* const sums = sums_.floats();
    std::fill_n(sums, padded, forest_->ensemble->base_margin);
    run(columns, groups, out.size());
    for (std::size_t r = 0; r < out.size(); ++r) {
      out[r] = apply_link(forest_->ensemble->link, sums[r]);
    }
  }

  // Rows of doubles to columns of floats, rows_max_ apart, missing values decided.
  void transpose(const double* rows, std::size_t count, std::size_t padded) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::size_t features = forest_->ensemble->features;
    const std::vector<Column>& sources = forest_->columns.columns();
    for (std::size_t tile = 0; tile < count; tile += kTile) {
      const std::size_t end = std::min(count, tile + kTile);
      float* out = floats_.floats();
      for (const Column& column : sources) {
        const float missing = column.missing_right ? kInfinity : -kInfinity;
        for (std::size_t r = tile; r < end; ++r) {
          const auto value = static_cast<float>(rows[r * features + column.feature]);
          out[r] = std::isnan(value) ? missing : value;
        }
        out += rows_max_;
      }
    }
    for (std::size_t c = 0; c < width_; ++c) {
      std::fill(floats_.floats() + c * rows_max_ + count, floats_.floats() + c * rows_max_ + padded,
                0.0F);
    }
  }

  // The columns as lanes.
  unsigned char* encode(std::size_t padded) {
    if (kernel_.lane == Lane::kFloat32) return floats_.data();
    const std::vector<Column>& columns = forest_->columns.columns();
    unsigned char* lanes = lanes_.data();
    for (const LaneColumn& lane : packed_.lane_columns()) {
      kernel_.encode(floats_.floats() + lane.column * rows_max_, padded,
                     forest_->ranking.table(columns[lane.column].feature, lane.page), lanes);
      lanes += kColumnBytes;
    }
    return lanes_.data();
  }

  // All trees in order, so that sums are added in the order of the definition.
  void run(unsigned char* columns, std::size_t groups, std::size_t count) {
    const std::vector<TreeProgram>& trees = packed_.trees();
    std::size_t t = 0;
    while (t < trees.size()) {
      std::size_t end = t;
      while (end < trees.size() && trees[end].count != 0) ++end;
      const RunJob job = {packed_.treelets().data(),
                          trees.data() + t,
                          end - t,
                          packed_.leaves().data(),
                          columns,
                          stack_.data(),
                          groups,
                          groups_max_,
                          sums_.floats()};
      kernel_.run(job);
      for (t = end; t < trees.size() && trees[t].count == 0; ++t) {
        forest_->scalar.add(t, rows_.data(), width_, count, sums_.floats());
      }
    }
  }

  std::shared_ptr<const Forest> forest_;
  const Kernel& kernel_;
  PackedForest packed_;
  ScalarScorer scalar_;
  std::size_t groups_max_;
  std::size_t rows_max_;
  std::size_t width_;
  AlignedBytes floats_;  // columns of floats
  AlignedBytes lanes_;   // the same as ranks
  AlignedBytes stack_;
  AlignedBytes sums_;
  std::vector<float> rows_;  // rows of floats, for trees that are not packed
  bool has_unpacked_ = false;
  std::size_t vector_rows_min_ = 1;
};

}  // namespace

std::vector<const Kernel*> legal_kernels() {
  std::vector<const Kernel*> kernels;
  const auto add = [&](const Kernel& kernel) { kernels.push_back(&kernel); };
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("popcnt") != 0) {
    std::for_each(std::begin(kAvx2Kernels), std::end(kAvx2Kernels), add);
  }
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("popcnt") != 0) {
    std::for_each(std::begin(kAvx512Kernels), std::end(kAvx512Kernels), add);
  }
  return kernels;
}

std::unique_ptr<Predictor> make_vector_predictor(std::shared_ptr<const Forest> forest,
                                                 const Kernel& kernel) {
  return std::make_unique<VectorPredictor>(std::move(forest), kernel);
}

}  // namespace millrace::model::internal
