#include "http/testing/raw_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace millrace::http::testing {

RawClient::RawClient(std::uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(*-reinterpret-cast): how the C API takes addresses
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool RawClient::fill() {
  pollfd wait{fd_, POLLIN, 0};
  if (fd_ < 0 || ::poll(&wait, 1, kPatienceMs) <= 0) return false;
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  std::string piece(kPiece, '\0');
  const ssize_t n = ::recv(fd_, piece.data(), piece.size(), 0);
  if (n <= 0) return false;
  buffer_.append(piece, 0, static_cast<std::size_t>(n));
  return true;
}

Answer RawClient::read(bool with_body) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  std::size_t end = 0;
  while ((end = buffer_.find(kHeadEnd)) == std::string::npos) {
    if (!fill()) return {};
  }
  Answer answer;
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + kHeadEnd.size());
  constexpr std::size_t kStatusAt = std::string_view("HTTP/1.1 ").size();
  answer.status = std::atoi(head.c_str() + kStatusAt);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    answer.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  if (!with_body || answer.status < 200) return answer;
  const auto size = static_cast<std::size_t>(
      std::strtoull(answer.headers["content-length"].c_str(), nullptr, 10));
  while (buffer_.size() < size) {
    if (!fill()) return {};
  }
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

bool RawClient::closed() {
  while (true) {
    pollfd wait{fd_, POLLIN, 0};
    if (fd_ < 0) return true;
    if (::poll(&wait, 1, kPatienceMs) <= 0) return false;
    if (!fill()) return true;
  }
}

Answer get(std::uint16_t port, std::string_view path) {
  RawClient client(port);
  client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client.read();
}

}  // namespace millrace::http::testing
