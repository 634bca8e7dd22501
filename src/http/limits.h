// What a client may ask of the server, and for how long.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace millrace::http {

// Request line and headers together; more is 431.
inline constexpr std::size_t kHeadBytesMax = std::size_t{16} << 10;
// Of the request line; more is 414.
inline constexpr std::size_t kTargetBytesMax = std::size_t{4} << 10;
inline constexpr std::size_t kHeadersMax = 100;                            // more is 431
inline constexpr std::size_t kBodyBytesMaxDefault = std::size_t{1} << 20;  // more is 413
inline constexpr Milliseconds kHeadMax{5'000};       // from the first byte (or the connection) on
inline constexpr Milliseconds kBodyMax{30'000};      // for the whole body
inline constexpr Milliseconds kWriteMax{30'000};     // for the client to take the answer
inline constexpr Milliseconds kIdleMax{60'000};      // between two requests of a connection
inline constexpr std::size_t kConnectionsMax = 512;  // more are answered 503 and closed
inline constexpr std::size_t kConnectionsPeerMax = 256;  // of one address
inline constexpr std::size_t kRefusalsMax = 64;        // 503s on their way; more are closed without
inline constexpr std::uint64_t kRequestsMax = 10'000;  // of one connection, then it is closed
inline constexpr Milliseconds kStopMax{1'000};         // what is in flight may take at a stop
// After a refused request is answered, what the client still sends is thrown away for this long and
// up to so much: closing at once would take the answer away from it.
inline constexpr Milliseconds kLingerMax{1'000};
inline constexpr std::size_t kLingerBytesMax = std::size_t{1} << 20;

// The limits that a test or a route's needs may change.
struct Limits {
  std::size_t body_bytes_max = kBodyBytesMaxDefault;
  Milliseconds head_max = kHeadMax;
  Milliseconds body_max = kBodyMax;
  Milliseconds write_max = kWriteMax;
  Milliseconds idle_max = kIdleMax;
  std::size_t connections_max = kConnectionsMax;
  std::size_t connections_peer_max = kConnectionsPeerMax;
};

}  // namespace millrace::http
