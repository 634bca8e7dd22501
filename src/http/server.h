// An HTTP/1.1 server for probes, metrics and, later, the API.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/clock.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/router.h"

namespace millrace::http {

// What became of a request; `route` is a template or "none".
struct Answered {
  std::string_view route;
  Method method = Method::kGet;
  int status = 0;
  Nanoseconds took{0};  // from the whole request to its answer being ready
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  Limits limits;
  // Called for each answer to a whole request, on the server's thread.
  std::function<void(const Answered&)> on_answer;
};

// Serves from start() to stop() on a thread of its own; handlers run there, so they share nothing
// unguarded with other threads and do not wait. Signals stay with the other threads. Thread-safe.
class Server {
 public:
  // Errors: kUnavailable (the port is taken), kPermission (a port below 1024), kUsage (no such
  // address). `clock` must outlive the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Router router,
                                               env::Clock& clock);
  // stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  // "http://127.0.0.1:PORT".
  std::string url() const;
  // Takes no more connections, lets what is in flight end within kStopMax, closes everything.
  void stop();

  std::uint64_t connections() const;  // open now
  std::uint64_t refused() const;      // above the limits, since the start

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace millrace::http
