// Vector kernels for CPUs with AVX2 and POPCNT; compiled with flags of its own.
#include <immintrin.h>

#include "model/internal/lanes_run.h"

namespace millrace::model::internal {
namespace {

struct Common {
  using Vector = __m256i;
  using Mask = __m256i;
  static constexpr std::size_t kBytes = 32;
  static Vector load(const unsigned char* at) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(at));
  }
  static void store(unsigned char* at, Vector value) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(at), value);
  }
  static Vector select(Mask mask, Vector no, Vector yes) {
    return _mm256_blendv_epi8(no, yes, mask);
  }
};

struct Rank8 : Common {
  using Values = __m256i;
  static constexpr std::size_t kLanes = 32;
  static Values load_values(const unsigned char* at) { return load(at); }
  static Values splat(std::uint32_t bits) { return _mm256_set1_epi32(static_cast<int>(bits)); }
  static Mask right(Values values, Values threshold) {
    return _mm256_cmpgt_epi8(values, threshold);
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector number(int i) { return _mm256_set1_epi8(static_cast<char>(i)); }
  static __m256i widen(const unsigned char* at, std::size_t part) {
    return _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at + part * sizeof(std::uint64_t))));
  }
};

struct Float32 : Common {
  using Values = __m256;
  static constexpr std::size_t kLanes = 8;
  static Values load_values(const unsigned char* at) {
    return _mm256_load_ps(reinterpret_cast<const float*>(at));
  }
  static Values splat(std::uint32_t bits) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(bits)));
  }
  static Mask right(Values values, Values threshold) {
    return _mm256_castps_si256(_mm256_cmp_ps(values, threshold, _CMP_GE_OQ));
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector number(int i) { return _mm256_set1_epi32(i); }
  static __m256i widen(const unsigned char* at, std::size_t) { return load(at); }
};

void add_to(float* sums, __m256 values) {
  _mm256_store_ps(sums, _mm256_add_ps(_mm256_load_ps(sums), values));
}

struct Tables {
  struct Table8 {
    static constexpr std::size_t kFloats = 8;
    explicit Table8(const float* leaves) : a(_mm256_loadu_ps(leaves)) {}
    __m256 get(__m256i number) const { return _mm256_permutevar8x32_ps(a, number); }
    void add(__m256i number, float* sums) const { add_to(sums, get(number)); }
    __m256 a;
  };
  struct Table16 {
    static constexpr std::size_t kFloats = 8;
    explicit Table16(const float* leaves) : low(leaves), high(leaves + 8) {}
    __m256 get(__m256i number) const {
      const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(number, 28));  // bit 3 on top
      return _mm256_blendv_ps(low.get(number), high.get(number), upper);
    }
    void add(__m256i number, float* sums) const { add_to(sums, get(number)); }
    Table8 low;
    Table8 high;
  };
  struct Table32 {
    static constexpr std::size_t kFloats = 8;
    explicit Table32(const float* leaves) : low(leaves), high(leaves + 16) {}
    void add(__m256i number, float* sums) const {
      const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(number, 27));  // bit 4 on top
      add_to(sums, _mm256_blendv_ps(low.get(number), high.get(number), upper));
    }
    Table16 low;
    Table16 high;
  };
  struct TableMany {
    static constexpr std::size_t kFloats = 8;
    explicit TableMany(const float* leaves_in) : leaves(leaves_in) {}
    void add(__m256i number, float* sums) const {
      add_to(sums, _mm256_i32gather_ps(leaves, number, sizeof(float)));
    }
    const float* leaves;
  };
  using Table64 = TableMany;
};

__m256i at_most(const float* thresholds, __m256 value) {
  return _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(thresholds), value, _CMP_LE_OQ));
}

// Number of thresholds <= value, for up to 255: which block of 32, then which place in it.
void encode_rank8(const float* values, std::size_t count, const RankTable& table, void* lanes) {
  alignas(32) float pivots[8];
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t last = 32 * i + 31;
    pivots[i] = last < table.padded ? table.thresholds[last] : __builtin_nanf("");
  }
  const __m256 pivot = _mm256_load_ps(pivots);
  auto* const out = static_cast<unsigned char*>(lanes);
  for (std::size_t i = 0; i < count; ++i) {
    const __m256 value = _mm256_set1_ps(values[i]);
    const auto before =
        static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(pivot, value, _CMP_LE_OQ)));
    const auto block = static_cast<unsigned>(__builtin_popcount(before));
    const float* const within = table.thresholds + 32 * std::size_t{block};
    const __m256i a = _mm256_packs_epi32(at_most(within, value), at_most(within + 8, value));
    const __m256i b = _mm256_packs_epi32(at_most(within + 16, value), at_most(within + 24, value));
    const auto bits = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_packs_epi16(a, b)));
    const auto place = static_cast<unsigned>(__builtin_popcount(bits));
    out[i] = static_cast<unsigned char>((32 * block + place) ^ 0x80U);
  }
}

}  // namespace

const Kernel kAvx2Kernels[2] = {
    {"avx2-u8", Lane::kRank8, Rank8::kBytes, Rank8::kLanes, encode_rank8, run<Rank8, Tables>},
    {"avx2-f32", Lane::kFloat32, Float32::kBytes, Float32::kLanes, nullptr, run<Float32, Tables>},
};

}  // namespace millrace::model::internal
