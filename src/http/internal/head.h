// A strict look at a request's head before Beast parses it: what proxies and servers understand in
// different ways (folded lines, bare line feeds, two lengths) is refused, not guessed.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::http::internal {

struct HeadCheck {
  enum class State { kIncomplete, kComplete, kRefused } state = State::kIncomplete;
  std::size_t size = 0;           // kComplete: bytes of the head, its empty line included
  int status = 0;                 // kRefused: the answer
  std::string_view reason;        // kRefused: for people
  bool expects_continue = false;  // "Expect: 100-continue"
};

// `bytes`: what came so far of a request, maybe with what follows its head.
HeadCheck check_head(std::string_view bytes);

}  // namespace millrace::http::internal
