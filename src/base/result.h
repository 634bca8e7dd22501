// Result<T>: a value or an Error. Status: Result<void>. Both are [[nodiscard]].
//
//   Result<int> half(int n) {
//     if (n % 2 != 0) return Error(ErrorCode::kBadData, "odd");
//     return n / 2;
//   }
//   MILLRACE_ASSIGN(int h, half(4));   // declares h, or returns the error to the caller
//   MILLRACE_TRY(check(h));            // same for a Status
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace millrace {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}  // NOLINT(*-explicit-*)
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
  using Base = tl::expected<void, Error>;

 public:
  using Base::Base;
  Result() = default;
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}  // NOLINT(*-explicit-*)
};

using Status = Result<void>;

}  // namespace millrace

#define MILLRACE_CONCAT_INNER(a, b) a##b
#define MILLRACE_CONCAT(a, b) MILLRACE_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result or Status) from the enclosing function, or goes on.
#define MILLRACE_TRY(expression)                                 \
  do {                                                           \
    if (auto millrace_status = (expression); !millrace_status) { \
      return std::move(millrace_status.error());                 \
    }                                                            \
  } while (false)

// `declaration` = the value of `expression` (a Result), or return its error.
#define MILLRACE_ASSIGN(declaration, expression) \
  MILLRACE_ASSIGN_INNER(MILLRACE_CONCAT(millrace_result_, __LINE__), declaration, expression)
#define MILLRACE_ASSIGN_INNER(name, declaration, expression) \
  auto name = (expression);                                  \
  if (!name) return std::move(name.error());                 \
  declaration = std::move(*name)
