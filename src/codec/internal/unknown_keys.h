// The keys of one object that are not told apart by the schema: is one of them there twice?
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "codec/internal/name_table.h"

namespace millrace::codec::internal {

// Calls `report(key)` once for each key that stands more than once. May reorder `keys`.
template <class Report>
void report_duplicates(std::vector<FingerprintedText>::iterator begin,
                       std::vector<FingerprintedText>::iterator end, Report&& report) {
  constexpr std::ptrdiff_t kCompareAllMax = 24;  // few keys: cheaper than sorting
  if (end - begin <= kCompareAllMax) {
    for (auto key = begin; key != end; ++key) {
      if (std::find(begin, key, *key) != key && std::count(begin, key, *key) == 1) {
        report(key->text);
      }
    }
    return;
  }
  std::sort(begin, end, [](const FingerprintedText& a, const FingerprintedText& b) {
    if (a.print.size != b.print.size) return a.print.size < b.print.size;
    return a.text < b.text;
  });
  for (auto key = begin; key != end;) {
    auto next = key + 1;
    while (next != end && *next == *key) ++next;
    if (next - key > 1) report(key->text);
    key = next;
  }
}

}  // namespace millrace::codec::internal
