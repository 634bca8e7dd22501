#include "http/server.h"

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "http/internal/connection.h"

namespace millrace::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using internal::Connection;

// After accept(2) fails (no descriptor is free): the wait before it is tried again.
constexpr Milliseconds kAcceptRetry{100};

Error cannot_listen(const tcp::endpoint& endpoint, const error_code& error) {
  const std::string where =
      "port " + std::to_string(endpoint.port()) + " of " + endpoint.address().to_string();
  if (error == asio::error::address_in_use) {
    return {ErrorCode::kUnavailable,
            where + " is taken by another program; choose another, or 0 for a free one"};
  }
  if (error == asio::error::access_denied) {
    return {ErrorCode::kPermission, "no right to listen on " + where};
  }
  return {ErrorCode::kUnavailable, "cannot listen on " + where + ": " + error.message()};
}

// A thread that no signal is delivered to: they belong to the thread that waits for them.
std::thread quiet_thread(const std::function<void()>& run) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(run);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

struct Server::State {
  State(ServerOptions&& options, Router&& router, env::Clock& clock)
      : address(std::move(options.address)), acceptor(io), timer(io) {
    shared.clock = &clock;
    shared.limits = options.limits;
    shared.router = std::move(router);
    if (options.on_answer) {
      shared.on_answer = [tell = std::move(options.on_answer)](const Request& request,
                                                               std::string_view route, int status,
                                                               Nanoseconds took) {
        tell({route, request.method, status, took});
      };
    }
  }

  Status listen(std::uint16_t wanted);
  void accept();
  void on_accept(error_code error, tcp::socket socket);
  void take(tcp::socket socket);
  void refuse(tcp::socket socket);
  void begin_stop();
  void end_when_done();

  const std::string address;
  std::uint16_t port = 0;
  internal::Shared shared;
  // The server's thread only.
  std::set<Connection*> live;
  std::map<std::string, std::size_t> peers;
  std::set<Connection*> refusing;  // their 503 is on its way
  bool serving = true;             // until the thread has ended

  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> refused{0};
  std::mutex stop_mutex;  // of the thread's end
  // Connections die with the context at the latest, and tell the members above.
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  std::thread thread;
};

Status Server::State::listen(std::uint16_t wanted) {
  error_code error;
  const auto host = asio::ip::make_address(address, error);
  if (error) return Error(ErrorCode::kUsage, "'" + address + "' is no address to listen on");
  const tcp::endpoint endpoint(host, wanted);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(endpoint, error);
  port = acceptor.local_endpoint(error).port();
  return {};
}

void Server::State::accept() {
  acceptor.async_accept(
      [this](error_code error, tcp::socket socket) { on_accept(error, std::move(socket)); });
}

void Server::State::on_accept(error_code error, tcp::socket socket) {
  if (shared.stopping) return;
  if (!error) {
    take(std::move(socket));
    return accept();
  }
  timer.expires_after(kAcceptRetry);
  timer.async_wait([this](error_code waited) {
    if (!waited && !shared.stopping) accept();
  });
}

void Server::State::take(tcp::socket socket) {
  error_code error;
  const std::string peer = socket.remote_endpoint(error).address().to_string();
  if (error) return;  // gone already
  std::size_t& of_peer = peers[peer];
  if (live.size() >= shared.limits.connections_max ||
      of_peer >= shared.limits.connections_peer_max) {
    if (of_peer == 0) peers.erase(peer);
    return refuse(std::move(socket));
  }
  ++of_peer;
  const auto connection =
      std::make_shared<Connection>(std::move(socket), peer, shared, [this](Connection& ended) {
        live.erase(&ended);
        open = live.size();
        const auto found = peers.find(ended.peer());
        if (--found->second == 0) peers.erase(found);
        end_when_done();
      });
  live.insert(connection.get());
  open = live.size();
  connection->start();
}

void Server::State::refuse(tcp::socket socket) {
  ++refused;
  if (refusing.size() >= kRefusalsMax) return;
  const auto connection =
      std::make_shared<Connection>(std::move(socket), "", shared, [this](Connection& ended) {
        refusing.erase(&ended);
        end_when_done();
      });
  refusing.insert(connection.get());
  Response response = error_response(503, "too many connections");
  response.headers.emplace_back("Retry-After", "1");
  connection->refuse(response);
}

void Server::State::begin_stop() {
  shared.stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  for (Connection* connection : std::set(live)) connection->drain();
  timer.expires_after(kStopMax);
  timer.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    for (Connection* connection : std::set(live)) connection->close();
    for (Connection* connection : std::set(refusing)) connection->close();
  });
  end_when_done();
}

void Server::State::end_when_done() {
  if (serving && shared.stopping && live.empty() && refusing.empty()) timer.cancel();
}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Router router,
                                              env::Clock& clock) {
  const std::uint16_t port = options.port;
  auto state = std::make_unique<State>(std::move(options), std::move(router), clock);
  MILLRACE_TRY(state->listen(port));
  state->accept();
  state->thread = quiet_thread([raw = state.get()] { raw->io.run(); });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

std::uint16_t Server::port() const { return state_->port; }

std::string Server::url() const {
  return "http://" + state_->address + ":" + std::to_string(state_->port);
}

void Server::stop() {
  const std::lock_guard lock(state_->stop_mutex);
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [this] { state_->begin_stop(); });
  state_->thread.join();
  state_->serving = false;
}

std::uint64_t Server::connections() const { return state_->open; }
std::uint64_t Server::refused() const { return state_->refused; }

}  // namespace millrace::http
