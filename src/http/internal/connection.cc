#include "http/internal/connection.h"

#include "http/internal/head.h"

namespace millrace::http::internal {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

namespace {

// A head, and what a client may have sent behind it meanwhile.
constexpr std::size_t kBufferBytesMax = kHeadBytesMax + (std::size_t{16} << 10);
constexpr std::size_t kReadBytes = std::size_t{4} << 10;

std::string text_of(beast::string_view text) { return {text.data(), text.size()}; }

// The answer as bytes. `keep`: another request may follow.
std::string write(const Response& response, bool keep, bool with_body) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " +
                    std::string(reason_of(response.status)) + "\r\n";
  const auto add = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) add(name, value);
  add("Connection", keep ? "keep-alive" : "close");
  out += "\r\n";
  if (with_body) out += response.body;
  return out;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, std::string peer, Shared& shared,
                       std::function<void(Connection&)> on_end)
    : stream_(std::move(socket)),
      peer_(std::move(peer)),
      shared_(shared),
      on_end_(std::move(on_end)),
      buffer_(kBufferBytesMax) {}

Connection::~Connection() { on_end_(*this); }

std::string_view Connection::buffered() const {
  const auto data = buffer_.cdata();
  return {static_cast<const char*>(data.data()), data.size()};
}

void Connection::start() {
  beast::error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  next_request();
}

void Connection::refuse(const Response& response) {
  refused_ = true;
  send(response, true);
}

void Connection::drain() {
  if (waiting_) close();
}

void Connection::next_request() {
  parser_.reset();
  request_ = Request();
  if (!buffered().empty()) {
    stream_.expires_after(shared_.limits.head_max);
    look_at_head();
    return;
  }
  waiting_ = true;
  // A new connection has come to ask something: it gets no time to be idle first.
  stream_.expires_after(first_ ? shared_.limits.head_max : shared_.limits.idle_max);
  read_head();
}

void Connection::read_head() {
  stream_.async_read_some(
      buffer_.prepare(kReadBytes),
      beast::bind_front_handler(&Connection::on_head_bytes, shared_from_this()));
}

void Connection::on_head_bytes(Error error, std::size_t bytes) {
  if (error) return close();
  buffer_.commit(bytes);
  if (waiting_ && !first_) stream_.expires_after(shared_.limits.head_max);
  waiting_ = false;
  // Without a line's end there is little news: spares looking at each byte of a slow client's head
  // again and again.
  const std::string_view all = buffered();
  const bool first = all.size() == bytes;
  const bool news = first || all.substr(all.size() - bytes).find('\n') != std::string_view::npos;
  if (news || all.size() > kTargetBytesMax) return look_at_head();
  read_head();
}

void Connection::look_at_head() {
  const HeadCheck check = check_head(buffered());
  switch (check.state) {
    case HeadCheck::State::kIncomplete:
      return read_head();
    case HeadCheck::State::kRefused:
      return fail(check.status, check.reason);
    case HeadCheck::State::kComplete:
      return on_head(check.size, check.expects_continue);
  }
}

void Connection::on_head(std::size_t size, bool expects_continue) {
  first_ = false;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(kHeadBytesMax + 1));
  parser_->body_limit(shared_.limits.body_bytes_max);
  Error error;
  const std::size_t used = parser_->put(asio::buffer(buffered().substr(0, size)), error);
  if (error && error != bhttp::error::need_more) return fail(error);
  if (!parser_->is_header_done()) return fail(400, "no request");
  buffer_.consume(used);
  const auto& message = parser_->get();
  request_.method = parse_method(text_of(message.method_string()));
  request_.peer = peer_;
  // Taken now: the trailers of a chunked body must not pass for headers.
  for (const auto& field : message) {
    std::string name = text_of(field.name_string());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    request_.headers.emplace_back(std::move(name), text_of(field.value()));
  }
  keep_ = message.keep_alive();
  if (const Status target = parse_target(text_of(message.target()), request_); !target) {
    return fail(400, target.error().message());
  }
  if (parser_->is_done()) return answer();
  stream_.expires_after(shared_.limits.body_max);
  if (expects_continue && buffered().empty()) return send_continue();
  read_body();
}

void Connection::send_continue() {
  out_ = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(out_),
                    [self = shared_from_this()](Error error, std::size_t) {
                      if (error) return self->close();
                      self->read_body();
                    });
}

void Connection::read_body() {
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](Error error, std::size_t) {
                      if (error) return self->fail(error);
                      self->answer();
                    });
}

void Connection::answer() {
  const auto started = shared_.clock->steady();
  request_.body = std::move(parser_->get().body());
  Routed routed;
  try {
    routed = shared_.router.answer(request_);
  } catch (...) {
    routed = {error_response(500, "the answer could not be made"), "none"};
  }
  if (shared_.on_answer) {
    shared_.on_answer(request_, routed.route, routed.response.status,
                      shared_.clock->steady() - started);
  }
  ++answered_;
  keep_ = keep_ && !shared_.stopping && answered_ < kRequestsMax;
  send(routed.response, request_.method != Method::kHead);
}

void Connection::send(const Response& response, bool with_body) {
  keep_ = keep_ && !refused_;
  out_ = write(response, keep_, with_body);
  stream_.expires_after(shared_.limits.write_max);
  asio::async_write(
      stream_, asio::buffer(out_),
      [self = shared_from_this()](Error error, std::size_t) { self->on_sent(error); });
}

void Connection::on_sent(Error error) {
  if (error) return close();
  if (keep_ && !shared_.stopping) return next_request();
  // Nothing is left unread behind an ordinary request, so the answer is safe.
  if (!refused_ && buffered().empty()) return close();
  linger();
}

void Connection::fail(int status, std::string_view text) {
  refused_ = true;
  send(error_response(status, text), request_.method != Method::kHead);
}

void Connection::fail(const Error& error) {
  if (error == bhttp::error::body_limit) return fail(413, "the body is too large");
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return fail(431, "too many bytes of headers");
  }
  const bool malformed = error.category() == make_error_code(bhttp::error::bad_chunk).category() &&
                         error != bhttp::error::end_of_stream &&
                         error != bhttp::error::partial_message;
  if (malformed) return fail(400, "no request of HTTP/1.1: " + error.message());
  close();  // gone, or too slow
}

// The client may still be sending: closing now would reset the connection and lose the answer.
void Connection::linger() {
  Error ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(kLingerMax);
  buffer_.consume(buffer_.size());
  on_linger_bytes({}, 0);
}

void Connection::on_linger_bytes(Error error, std::size_t bytes) {
  lingered_ += bytes;
  if (error || lingered_ > kLingerBytesMax) return close();
  stream_.async_read_some(
      buffer_.prepare(kReadBytes),
      beast::bind_front_handler(&Connection::on_linger_bytes, shared_from_this()));
}

void Connection::close() { stream_.close(); }

}  // namespace millrace::http::internal
