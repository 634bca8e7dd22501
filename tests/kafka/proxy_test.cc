#include "kafka/proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

namespace millrace::kafka_testing {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kDeadlineMs = 10000;

sockaddr_in on_loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Nothing came within the time.
bool silent(int socket, int wait_ms) {
  pollfd waiting{socket, POLLIN, 0};
  return ::poll(&waiting, 1, wait_ms) == 0;
}

// Answers every byte with the same byte, on any number of connections one after the other.
class Echo {
 public:
  Echo() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = on_loopback(0);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, raw, size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, raw, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Echo() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }

 private:
  void run() const {
    for (;;) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::array<char, 65536> buffer{};
      for (;;) {
        const ssize_t size = ::recv(connection, buffer.data(), buffer.size(), 0);
        if (size <= 0) break;
        ::send(connection, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
      ::close(connection);
    }
  }

  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

class Peer {
 public:
  explicit Peer(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = on_loopback(port);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::connect(socket_, raw, sizeof(address)), 0);
  }
  ~Peer() { ::close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void say(const std::string& text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What came until `size` bytes are there, the end or a reset; "!" when nothing came at all.
  std::string hear(std::size_t size) const {
    std::string heard;
    while (heard.size() < size) {
      if (silent(socket_, kDeadlineMs)) return heard + "!";
      std::array<char, 65536> buffer{};
      const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got < 0) return heard + "(reset)";
      if (got == 0) return heard + "(end)";
      heard.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return heard;
  }
  void end() const { ::shutdown(socket_, SHUT_WR); }
  int socket() const { return socket_; }

 private:
  int socket_;
};

TEST(Proxy, PassesBytesBothWaysAndTheEnd) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  Peer peer(proxy.port());
  peer.say("hello");
  EXPECT_EQ(peer.hear(5), "hello");
  peer.end();
  EXPECT_EQ(peer.hear(1), "(end)");
  EXPECT_EQ(proxy.accepted(), 1U);
  EXPECT_EQ(proxy.delivered(Direction::kToServer), 5U);
  EXPECT_EQ(proxy.delivered(Direction::kToClient), 5U);
}

TEST(Proxy, MoreBytesThanItBuffersArriveUnchanged) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  Peer peer(proxy.port());
  std::string text(3 * Proxy::kBufferBytesMax, '.');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  std::thread talker([&] { peer.say(text); });
  const std::string heard = peer.hear(text.size());
  talker.join();
  EXPECT_TRUE(heard == text) << heard.size();
}

TEST(Proxy, ADelayedByteComesNoSoonerThanTheDelayOfBothDirections) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  Peer peer(proxy.port());
  proxy.delay(milliseconds(40));
  const auto start = Clock::now();
  peer.say("x");
  EXPECT_EQ(peer.hear(1), "x");
  EXPECT_GE(Clock::now() - start, milliseconds(80));
}

TEST(Proxy, AStalledAnswerWaitsAndComesAfterHealing) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  Peer peer(proxy.port());
  peer.say("a");
  ASSERT_EQ(peer.hear(1), "a");
  proxy.stall(Direction::kToClient);
  peer.say("b");
  EXPECT_TRUE(silent(peer.socket(), 50));
  EXPECT_EQ(proxy.delivered(Direction::kToClient), 1U);
  proxy.heal();
  EXPECT_EQ(peer.hear(1), "b");
}

TEST(Proxy, AStalledRequestDoesNotReachTheServer) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  proxy.stall(Direction::kToServer);
  Peer peer(proxy.port());
  peer.say("a");
  EXPECT_TRUE(silent(peer.socket(), 50));
  EXPECT_EQ(proxy.delivered(Direction::kToServer), 0U);
  proxy.heal();
  EXPECT_EQ(peer.hear(1), "a");
}

TEST(Proxy, CutConnectionsAreResetAndNewOnesWork) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  Peer first(proxy.port());
  first.say("a");
  ASSERT_EQ(first.hear(1), "a");
  proxy.cut();
  EXPECT_EQ(first.hear(1), "(reset)");
  EXPECT_EQ(proxy.connections(), 0);
  Peer second(proxy.port());
  second.say("b");
  EXPECT_EQ(second.hear(1), "b");
}

TEST(Proxy, RefusedConnectionsAreResetUntilItHeals) {
  Echo echo;
  Proxy proxy(Proxy::kAnyPort, echo.port());
  proxy.refuse();
  Peer refused(proxy.port());
  EXPECT_EQ(refused.hear(1), "(reset)");
  proxy.heal();
  Peer welcome(proxy.port());
  welcome.say("b");
  EXPECT_EQ(welcome.hear(1), "b");
}

TEST(Proxy, AServerThatIsAwayResetsTheClient) {
  int port = 0;
  {
    Echo echo;
    port = echo.port();
  }
  Proxy proxy(Proxy::kAnyPort, port);
  Peer peer(proxy.port());
  EXPECT_EQ(peer.hear(1), "(reset)");
}

}  // namespace
}  // namespace millrace::kafka_testing
