// One connection of the server: requests in, answers out, in turn.
#pragma once

#include <utility>
// <utility> first: Boost 1.74's asio uses std::exchange without including it.
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "env/clock.h"
#include "http/limits.h"
#include "http/message.h"
#include "http/router.h"

namespace millrace::http::internal {

// What connections share; outlives them.
struct Shared {
  env::Clock* clock = nullptr;
  Limits limits;
  Router router;
  std::function<void(const Request&, std::string_view route, int status, Nanoseconds took)>
      on_answer;
  bool stopping = false;  // the server's thread only
};

// Lives as long as an operation of it is under way (each holds a pointer to it). Belongs to the
// server's thread. Every wait has a deadline, after which the connection closes itself.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::string peer, Shared& shared,
             std::function<void(Connection&)> on_end);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // One answer, then the end: for connections above the limits.
  void refuse(const Response& response);
  // Ends now when idle, after the answer in the making otherwise.
  void drain();
  // Ends at once, whatever is in flight.
  void close();
  const std::string& peer() const { return peer_; }

 private:
  using Error = boost::beast::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void next_request();
  void look_at_head();
  void read_head();
  void on_head_bytes(Error error, std::size_t bytes);
  void on_head(std::size_t size, bool expects_continue);
  void send_continue();
  void read_body();
  void answer();
  void send(const Response& response, bool with_body);
  void on_sent(Error error);
  void fail(int status, std::string_view text);
  void fail(const Error& error);
  void linger();
  void on_linger_bytes(Error error, std::size_t bytes);
  std::string_view buffered() const;

  boost::beast::tcp_stream stream_;
  std::string peer_;
  Shared& shared_;
  std::function<void(Connection&)> on_end_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Request request_;
  std::string out_;  // the answer's bytes
  std::uint64_t answered_ = 0;
  std::size_t lingered_ = 0;
  bool keep_ = false;  // another request may follow the answer under way
  bool refused_ = false;
  bool first_ = true;     // no request has been answered yet
  bool waiting_ = false;  // for the first byte of a request
};

}  // namespace millrace::http::internal
