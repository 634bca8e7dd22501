// A client that sends any bytes, right or wrong, and reads what comes back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace millrace::http::testing {

struct Answer {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One connection to 127.0.0.1. Every wait ends after kPatience at the latest.
class RawClient {
 public:
  static constexpr int kPatienceMs = 20'000;
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  // False when the server has closed.
  bool send(std::string_view bytes) const;
  // The next answer; `with_body` false for the answer to HEAD.
  Answer read(bool with_body = true);
  // Waits for the server's end of the connection, throwing away what comes.
  bool closed();
  // What came, and was not part of an answer.
  const std::string& rest() const { return buffer_; }

 private:
  bool fill();

  int fd_ = -1;
  std::string buffer_;
};

// One request on a connection of its own.
Answer get(std::uint16_t port, std::string_view path);

}  // namespace millrace::http::testing
