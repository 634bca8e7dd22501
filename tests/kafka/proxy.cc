#include "kafka/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"

namespace millrace::kafka_testing {
namespace {

using Time = std::chrono::steady_clock;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int open_socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  CHECK(socket >= 0);
  return socket;
}

// Closed with a reset: the other end sees a broken connection, not an end.
void close_with_reset(int socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  ::close(socket);
}

struct Chunk {
  Time::time_point due;
  std::string bytes;
};

// One direction of one connection.
struct Pipe {
  int from = -1;
  int to = -1;
  std::deque<Chunk> waiting;
  std::size_t waiting_bytes = 0;
  bool ended = false;   // `from` will send no more
  bool closed = false;  // and `to` was told so

  bool wants_to_read() const { return !ended && waiting_bytes < Proxy::kBufferBytesMax; }
};

struct Connection {
  std::array<Pipe, 2> pipes;  // by Direction
  bool broken = false;
};

}  // namespace

// The thread and what it works on. Orders change the state under the mutex and wait until the
// thread has gone through its loop once more.
class Proxy::Loop {
 public:
  Loop(int listen_port, int target_port);
  ~Loop();

  template <class Change>
  void order(Change change) {
    std::unique_lock lock(mutex);
    change(*this);
    const std::uint64_t mine = ++ordered_;
    wake();
    done_.wait(lock, [&] { return obeyed_ >= mine; });
  }

  int port = 0;
  mutable std::mutex mutex;
  // Under the mutex.
  std::chrono::milliseconds latency{0};
  std::array<bool, 2> stalled{};
  bool refusing = false;
  bool cut_now = false;
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, 2> delivered{};
  std::list<Connection> connections;

 private:
  void run();
  void wake() const;
  void accept_all();
  void begin(int client);
  void read(Pipe& pipe, Connection& connection) const;
  void write(std::size_t direction, Connection& connection);
  void break_all();
  void remove_finished();
  std::vector<pollfd> interests() const;
  int patience_ms() const;

  int listener_ = -1;
  int wake_ = -1;
  int target_port_;
  // Under the mutex.
  bool ending_ = false;
  std::uint64_t ordered_ = 0;
  std::uint64_t obeyed_ = 0;
  std::condition_variable done_;
  std::thread thread_;
};

Proxy::Loop::Loop(int listen_port, int target_port) : target_port_(target_port) {
  listener_ = open_socket();
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = loopback(listen_port);
  socklen_t size = sizeof(address);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the socket interface wants
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  CHECK(::bind(listener_, raw, size) == 0);
  CHECK(::listen(listener_, kConnectionsMax) == 0);
  CHECK(::getsockname(listener_, raw, &size) == 0);
  port = ntohs(address.sin_port);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(wake_ >= 0);
  thread_ = std::thread([this] { run(); });
}

Proxy::Loop::~Loop() {
  {
    const std::lock_guard lock(mutex);
    ending_ = true;
    wake();
  }
  thread_.join();
  break_all();
  remove_finished();
  ::close(listener_);
  ::close(wake_);
}

void Proxy::Loop::wake() const {
  const std::uint64_t one = 1;
  CHECK(::write(wake_, &one, sizeof(one)) == sizeof(one));
}

void Proxy::Loop::run() {
  std::unique_lock lock(mutex);
  while (!ending_) {
    std::vector<pollfd> interests = this->interests();
    const int patience = patience_ms();
    lock.unlock();
    ::poll(interests.data(), interests.size(), patience);
    lock.lock();
    std::uint64_t drained = 0;
    while (::read(wake_, &drained, sizeof(drained)) > 0) {
    }
    if (cut_now) break_all();
    cut_now = false;
    accept_all();
    for (Connection& connection : connections) {
      for (const std::size_t direction : {0U, 1U}) {
        read(connection.pipes[direction], connection);
        write(direction, connection);
      }
    }
    remove_finished();
    obeyed_ = ordered_;
    done_.notify_all();
  }
}

std::vector<pollfd> Proxy::Loop::interests() const {
  std::vector<pollfd> result = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
  const Time::time_point now = Time::now();
  for (const Connection& connection : connections) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Pipe& pipe = connection.pipes[i];
      if (pipe.wants_to_read()) result.push_back({pipe.from, POLLIN, 0});
      const bool due = !pipe.waiting.empty() && pipe.waiting.front().due <= now;
      if (due && !stalled[i]) result.push_back({pipe.to, POLLOUT, 0});
    }
  }
  return result;
}

// Until the next chunk is due; forever when none waits.
int Proxy::Loop::patience_ms() const {
  std::optional<Time::time_point> next;
  const Time::time_point now = Time::now();
  for (const Connection& connection : connections) {
    for (std::size_t i = 0; i < 2; ++i) {
      const Pipe& pipe = connection.pipes[i];
      if (stalled[i] || pipe.waiting.empty() || pipe.waiting.front().due <= now) continue;
      next = std::min(next.value_or(pipe.waiting.front().due), pipe.waiting.front().due);
    }
  }
  if (!next) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*next - now).count());
}

void Proxy::Loop::accept_all() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    if (refusing || connections.size() >= kConnectionsMax) {
      close_with_reset(client);
    } else {
      begin(client);
    }
  }
}

void Proxy::Loop::begin(int client) {
  const int server = open_socket();
  sockaddr_in address = loopback(target_port_);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the socket interface wants
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(server, raw, sizeof(address)) != 0 && errno != EINPROGRESS) {
    ::close(server);
    close_with_reset(client);
    return;
  }
  const int yes = 1;
  for (const int socket : {client, server}) {
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  }
  ++accepted;
  Connection& connection = connections.emplace_back();
  connection.pipes[0].from = connection.pipes[1].to = client;
  connection.pipes[0].to = connection.pipes[1].from = server;
}

void Proxy::Loop::read(Pipe& pipe, Connection& connection) const {
  std::array<char, 65536> buffer{};
  while (!connection.broken && pipe.wants_to_read()) {
    const ssize_t size = ::recv(pipe.from, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      pipe.waiting.push_back(
          {Time::now() + latency, std::string(buffer.data(), static_cast<std::size_t>(size))});
      pipe.waiting_bytes += static_cast<std::size_t>(size);
    } else if (size == 0) {
      pipe.ended = true;
    } else if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) {
      return;
    } else {
      connection.broken = true;
    }
  }
}

void Proxy::Loop::write(std::size_t direction, Connection& connection) {
  Pipe& pipe = connection.pipes[direction];
  if (stalled[direction]) return;
  const Time::time_point now = Time::now();
  while (!connection.broken && !pipe.waiting.empty() && pipe.waiting.front().due <= now) {
    std::string& bytes = pipe.waiting.front().bytes;
    const ssize_t size = ::send(pipe.to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) return;
      connection.broken = true;
      return;
    }
    const auto sent = static_cast<std::size_t>(size);
    delivered[direction] += sent;
    pipe.waiting_bytes -= sent;
    bytes.erase(0, sent);
    if (bytes.empty()) pipe.waiting.pop_front();
  }
  if (pipe.ended && !pipe.closed && pipe.waiting.empty()) {
    ::shutdown(pipe.to, SHUT_WR);
    pipe.closed = true;
  }
}

void Proxy::Loop::break_all() {
  for (Connection& connection : connections) connection.broken = true;
}

void Proxy::Loop::remove_finished() {
  for (auto it = connections.begin(); it != connections.end();) {
    const bool over = it->pipes[0].closed && it->pipes[1].closed;
    if (!over && !it->broken) {
      ++it;
      continue;
    }
    for (const Pipe& pipe : it->pipes) {
      it->broken ? close_with_reset(pipe.from) : static_cast<void>(::close(pipe.from));
    }
    it = connections.erase(it);
  }
}

Proxy::Proxy(int listen_port, int target_port)
    : loop_(std::make_unique<Loop>(listen_port, target_port)) {}
Proxy::~Proxy() = default;

int Proxy::port() const { return loop_->port; }

void Proxy::delay(std::chrono::milliseconds latency) {
  loop_->order([&](Loop& loop) { loop.latency = latency; });
}

void Proxy::stall(Direction direction) {
  loop_->order([&](Loop& loop) { loop.stalled[static_cast<std::size_t>(direction)] = true; });
}

void Proxy::cut() {
  loop_->order([](Loop& loop) { loop.cut_now = true; });
}

void Proxy::refuse() {
  loop_->order([](Loop& loop) { loop.cut_now = loop.refusing = true; });
}

void Proxy::heal() {
  loop_->order([](Loop& loop) {
    loop.stalled = {};
    loop.refusing = false;
  });
}

int Proxy::connections() const {
  const std::lock_guard lock(loop_->mutex);
  return static_cast<int>(loop_->connections.size());
}

std::uint64_t Proxy::accepted() const {
  const std::lock_guard lock(loop_->mutex);
  return loop_->accepted;
}

std::uint64_t Proxy::delivered(Direction direction) const {
  const std::lock_guard lock(loop_->mutex);
  return loop_->delivered[static_cast<std::size_t>(direction)];
}

}  // namespace millrace::kafka_testing
