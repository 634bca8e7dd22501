// A network that misbehaves on demand: a TCP proxy on loopback that delays, stalls and cuts.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace millrace::kafka_testing {

enum class Direction { kToServer, kToClient };

// Listens on 127.0.0.1 and passes every connection on to another port there. Starts transparent.
// Thread-safe: the bytes are moved by a thread of its own, which lives as long as the object. What
// has been ordered holds when the call returns. A port that is taken fails a CHECK.
class Proxy {
 public:
  static constexpr int kAnyPort = 0;

  // At most so many connections at a time; a further one is refused.
  static constexpr int kConnectionsMax = 256;
  // Bytes that wait in one direction of one connection; the sender is held back beyond.
  static constexpr std::size_t kBufferBytesMax = std::size_t{4} << 20;

  Proxy(int listen_port, int target_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  int port() const;

  // Every byte from now on arrives so much later, in each direction.
  void delay(std::chrono::milliseconds latency);
  // Bytes of this direction wait; connections stay open. Both directions stalled is what a
  // partition looks like to both ends; kToClient alone loses answers to requests that worked.
  void stall(Direction direction);
  // Resets all connections, with what waits in them; new ones are welcome.
  void cut();
  // Resets all connections and lets new ones in only to reset them at once.
  void refuse();
  // Ends stalls and refusals; what waited goes on.
  void heal();

  // Connections that are open now, and that were accepted ever.
  int connections() const;
  std::uint64_t accepted() const;
  // Bytes delivered so far.
  std::uint64_t delivered(Direction direction) const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace millrace::kafka_testing
