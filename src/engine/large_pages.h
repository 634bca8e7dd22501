// Memory for arrays that are read at random: where one is large, the system is asked for pages of
// 2 MiB, so that most of what is read needs no walk through the page tables. It may decline.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace millrace::engine {

// An allocator for std::vector. Failure: std::bad_alloc, as of any other.
template <class T>
struct LargePages {
  using value_type = T;
  static constexpr std::size_t kPageBytes = std::size_t{2} << 20;

  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) {}  // NOLINT(google-explicit-constructor): allocators convert

  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = count * sizeof(T);
    void* const at = ::operator new(bytes, alignment(bytes));
    // Advice only: without it everything works, slower.
    if (bytes >= kPageBytes) (void)::madvise(at, bytes / kPageBytes * kPageBytes, MADV_HUGEPAGE);
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t count) { ::operator delete(at, alignment(count * sizeof(T))); }
  bool operator==(const LargePages&) const = default;

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(bytes >= kPageBytes ? kPageBytes : alignof(T) < 16 ? 16 : alignof(T));
  }
};

}  // namespace millrace::engine
