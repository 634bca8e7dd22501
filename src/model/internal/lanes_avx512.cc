// Vector kernels for CPUs with AVX-512 F, BW, DQ and VL; compiled with flags of its own.
#include <immintrin.h>

#include "model/internal/lanes_run.h"

namespace millrace::model::internal {
namespace {

struct Common {
  using Vector = __m512i;
  static constexpr std::size_t kBytes = 64;
  static Vector load(const unsigned char* at) { return _mm512_load_si512(at); }
  static void store(unsigned char* at, Vector value) { _mm512_store_si512(at, value); }
};

struct Rank8 : Common {
  using Values = __m512i;
  using Mask = __mmask64;
  static constexpr std::size_t kLanes = 64;
  static Values load_values(const unsigned char* at) { return _mm512_load_si512(at); }
  static Values splat(std::uint32_t bits) { return _mm512_set1_epi32(static_cast<int>(bits)); }
  static Mask right(Values values, Values threshold) {
    return _mm512_cmpgt_epi8_mask(values, threshold);
  }
  static Vector select(Mask mask, Vector no, Vector yes) {
    return _mm512_mask_blend_epi8(mask, no, yes);
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi8(a, b); }
  static Vector number(int i) { return _mm512_set1_epi8(static_cast<char>(i)); }
  static __m512i widen(const unsigned char* at, std::size_t part) {
    return _mm512_cvtepu8_epi32(
        _mm_load_si128(reinterpret_cast<const __m128i*>(at + part * sizeof(__m128i))));
  }
};

struct Float32 : Common {
  using Values = __m512;
  using Mask = __mmask16;
  static constexpr std::size_t kLanes = 16;
  static Values load_values(const unsigned char* at) { return _mm512_load_ps(at); }
  static Values splat(std::uint32_t bits) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(bits)));
  }
  static Mask right(Values values, Values threshold) {
    return _mm512_cmp_ps_mask(values, threshold, _CMP_GE_OQ);
  }
  static Vector select(Mask mask, Vector no, Vector yes) {
    return _mm512_mask_blend_epi32(mask, no, yes);
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector number(int i) { return _mm512_set1_epi32(i); }
  static __m512i widen(const unsigned char* at, std::size_t) { return load(at); }
};

void add_to(float* sums, __m512 values) {
  _mm512_store_ps(sums, _mm512_add_ps(_mm512_load_ps(sums), values));
}

struct Tables {
  struct Table16 {
    static constexpr std::size_t kFloats = 16;
    explicit Table16(const float* leaves) : a(_mm512_loadu_ps(leaves)) {}
    void add(__m512i number, float* sums) const { add_to(sums, _mm512_permutexvar_ps(number, a)); }
    __m512 a;
  };
  using Table8 = Table16;  // tables are padded to 16
  struct Table32 {
    static constexpr std::size_t kFloats = 16;
    explicit Table32(const float* leaves)
        : a(_mm512_loadu_ps(leaves)), b(_mm512_loadu_ps(leaves + 16)) {}
    __m512 get(__m512i number) const { return _mm512_permutex2var_ps(a, number, b); }
    void add(__m512i number, float* sums) const { add_to(sums, get(number)); }
    __m512 a;
    __m512 b;
  };
  struct Table64 {
    static constexpr std::size_t kFloats = 16;
    explicit Table64(const float* leaves) : low(leaves), high(leaves + 32) {}
    void add(__m512i number, float* sums) const {
      const __mmask16 upper = _mm512_test_epi32_mask(number, _mm512_set1_epi32(32));
      add_to(sums, _mm512_mask_blend_ps(upper, low.get(number), high.get(number)));
    }
    Table32 low;
    Table32 high;
  };
  struct TableMany {
    static constexpr std::size_t kFloats = 16;
    explicit TableMany(const float* leaves_in) : leaves(leaves_in) {}
    void add(__m512i number, float* sums) const {
      add_to(sums, _mm512_i32gather_ps(number, leaves, sizeof(float)));
    }
    const float* leaves;
  };
};

// Number of thresholds <= value for up to 31 thresholds: halving in two registers.
void encode_small(const float* values, std::size_t count, const RankTable& table, void* lanes) {
  const __m512 a = _mm512_loadu_ps(table.thresholds);
  const __m512 b = _mm512_loadu_ps(table.thresholds + 16);
  for (std::size_t i = 0; i < count; i += 16) {
    const __m512 value = _mm512_load_ps(values + i);
    __m512i rank = _mm512_setzero_si512();
    for (int step = 16; step > 0; step /= 2) {
      const __m512i next = _mm512_add_epi32(rank, _mm512_set1_epi32(step));
      const __m512i last = _mm512_sub_epi32(next, _mm512_set1_epi32(1));
      const __m512 pivot = _mm512_permutex2var_ps(a, last, b);
      rank = _mm512_mask_mov_epi32(rank, _mm512_cmp_ps_mask(pivot, value, _CMP_LE_OQ), next);
    }
    const __m128i bytes = _mm512_cvtepi32_epi8(rank);
    _mm_store_si128(reinterpret_cast<__m128i*>(static_cast<unsigned char*>(lanes) + i),
                    _mm_xor_si128(bytes, _mm_set1_epi8(-128)));
  }
}

// The same for up to 255: which sixteenth, then which place in it.
void encode_rank8(const float* values, std::size_t count, const RankTable& table, void* lanes) {
  if (table.count < 32) return encode_small(values, count, table, lanes);
  alignas(64) float pivots[16];
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t last = 16 * i + 15;
    pivots[i] = last < table.padded ? table.thresholds[last] : __builtin_nanf("");
  }
  const __m512 pivot = _mm512_load_ps(pivots);
  auto* const out = static_cast<unsigned char*>(lanes);
  for (std::size_t i = 0; i < count; ++i) {
    const __m512 value = _mm512_set1_ps(values[i]);
    const auto bucket =
        static_cast<unsigned>(__builtin_popcount(_mm512_cmp_ps_mask(pivot, value, _CMP_LE_OQ)));
    const __m512 within = _mm512_loadu_ps(table.thresholds + 16 * std::size_t{bucket});
    const auto place =
        static_cast<unsigned>(__builtin_popcount(_mm512_cmp_ps_mask(within, value, _CMP_LE_OQ)));
    out[i] = static_cast<unsigned char>((16 * bucket + place) ^ 0x80U);
  }
}

}  // namespace

const Kernel kAvx512Kernels[2] = {
    {"avx512-u8", Lane::kRank8, Rank8::kBytes, Rank8::kLanes, encode_rank8, run<Rank8, Tables>},
    {"avx512-f32", Lane::kFloat32, Float32::kBytes, Float32::kLanes, nullptr, run<Float32, Tables>},
};

}  // namespace millrace::model::internal
