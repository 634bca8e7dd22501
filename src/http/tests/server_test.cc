#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <stdexcept>

#include "http/testing/raw_client.h"

namespace millrace::http {
namespace {

using testing::Answer;
using testing::get;
using testing::RawClient;

constexpr std::string_view kHost = "Host: localhost\r\n";

Router routes() {
  Router router;
  router.add(Method::kGet, "/live",
             [](const Request&) {
               return Response{200, "", "yes", {}};
             })
      .add(Method::kPost, "/echo",
           [](const Request& r) {
             const auto length = std::string(r.header("x-mark").value_or("none"));
             return Response{200, "text/plain", r.body, {{"X-Mark", length}}};
           })
      .add(Method::kGet, "/throw",
           [](const Request&) -> Response { throw std::runtime_error("secret"); });
  return router;
}

std::unique_ptr<Server> serve(ServerOptions options = {}) {
  auto server = Server::start(std::move(options), routes(), env::real_clock());
  EXPECT_TRUE(server.has_value()) << server.error().message();
  return std::move(*server);
}

ServerOptions with(void (*change)(Limits&)) {
  ServerOptions options;
  change(options.limits);
  return options;
}

std::string request(std::string_view line, std::string_view more = "") {
  return std::string(line) + " HTTP/1.1\r\n" + std::string(kHost) + std::string(more) + "\r\n";
}

// The status that these bytes are answered with; the connection must be closed after an error.
int status_of(const Server& server, const std::string& bytes) {
  RawClient client(server.port());
  client.send(bytes);
  const int status = client.read().status;
  if (status >= 400 && status != 404 && status != 405) {
    EXPECT_TRUE(client.closed()) << bytes.substr(0, 80);
    EXPECT_EQ(client.rest(), "") << bytes.substr(0, 80);
  }
  return status;
}

TEST(Server, AnswersOnAFreePort) {
  const auto server = serve();
  EXPECT_GT(server->port(), 0);
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(server->port()));
  const Answer answer = get(server->port(), "/live");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "yes");
  EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
}

TEST(Server, TakenPortIsAClearError) {
  const auto server = serve();
  ServerOptions options;
  options.port = server->port();
  const auto second = Server::start(options, routes(), env::real_clock());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message(), ::testing::HasSubstr("is taken by another program"));
}

TEST(Server, UnknownAddressIsAUsageError) {
  ServerOptions options;
  options.address = "not an address";
  EXPECT_EQ(Server::start(options, routes(), env::real_clock()).error().code(), ErrorCode::kUsage);
}

TEST(Server, HeadIsGetWithoutTheBody) {
  const auto server = serve();
  RawClient client(server->port());
  client.send(request("HEAD /live"));
  const Answer answer = client.read(false);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-length"), "3");
  client.send(request("GET /live"));
  EXPECT_EQ(client.read().body, "yes");
}

TEST(Server, UnknownPathsAndMethodsKeepTheConnection) {
  const auto server = serve();
  RawClient client(server->port());
  client.send(request("GET /nothing"));
  EXPECT_EQ(client.read().status, 404);
  client.send(request("DELETE /live"));
  const Answer refused = client.read();
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.at("allow"), "GET, HEAD");
  client.send(request("TRACE /live"));
  EXPECT_EQ(client.read().status, 405);
  client.send(request("GET /live"));
  EXPECT_EQ(client.read().status, 200);
}

TEST(Server, PipelinedRequestsAreAnsweredInTurn) {
  const auto server = serve();
  RawClient client(server->port());
  std::string many;
  constexpr int kMany = 200;
  for (int i = 0; i < kMany; ++i) {
    const std::string text = std::to_string(i);
    many += request("POST /echo", "Content-Length: " + std::to_string(text.size()) + "\r\n") + text;
  }
  client.send(many);
  for (int i = 0; i < kMany; ++i) ASSERT_EQ(client.read().body, std::to_string(i));
}

TEST(Server, BodiesComeWithLengthOrInChunks) {
  const auto server = serve();
  RawClient client(server->port());
  client.send(request("POST /echo", "Transfer-Encoding: chunked\r\n") +
              "3;name=value\r\nabc\r\n2\r\nde\r\n0\r\nX-Mark: trailer\r\n\r\n");
  const Answer chunked = client.read();
  EXPECT_EQ(chunked.body, "abcde");
  EXPECT_EQ(chunked.headers.at("x-mark"), "none");  // a trailer is no header
  client.send(request("POST /echo", "Content-Length: 2\r\nX-Mark: 1\r\n") + "ok");
  EXPECT_EQ(client.read().headers.at("x-mark"), "1");
}

TEST(Server, AsksForTheBodyWhereTheClientWaits) {
  const auto server = serve();
  RawClient client(server->port());
  client.send(request("POST /echo", "Content-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send("ok");
  EXPECT_EQ(client.read().body, "ok");
  client.send(request("POST /echo", "Content-Length: 99999999\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closed());
}

TEST(Server, TooLargeIsSaidAndClosed) {
  const auto server = serve(with([](Limits& limits) { limits.body_bytes_max = 1000; }));
  EXPECT_EQ(status_of(*server,
                      request("POST /echo", "Content-Length: 1001\r\n") + std::string(1001, 'x')),
            413);
  EXPECT_EQ(status_of(*server, request("POST /echo", "Transfer-Encoding: chunked\r\n") + "3e9\r\n" +
                                   std::string(1001, 'x') + "\r\n0\r\n\r\n"),
            413);
  EXPECT_EQ(status_of(*server, request("GET /live", "X: " + std::string(20'000, 'x') + "\r\n")),
            431);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "a:\r\n";
  EXPECT_EQ(status_of(*server, request("GET /live", many.substr(0, 4000))), 431);
  EXPECT_EQ(status_of(*server, request("GET /live", many)), 431);
  EXPECT_EQ(status_of(*server, request("GET /" + std::string(1 << 20, 'x'))), 414);
}

TEST(Server, MalformedRequestsAreRefusedAndClosed) {
  const auto server = serve();
  const std::string chunked = request("POST /echo", "Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(status_of(*server, "GET /live\r\n"), 400);  // HTTP/0.9
  EXPECT_EQ(status_of(*server, "GET /live HTTP/3.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of(*server, "GET /live HTTP/1.1\r\n\r\n"), 400);  // no host
  EXPECT_EQ(status_of(*server, chunked + "-2\r\nab\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status_of(*server, chunked + "zz\r\nab\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(status_of(*server, chunked + "2\r\nabXX0\r\n\r\n"), 400);
  EXPECT_EQ(status_of(*server, chunked + "ffffffffffffffffff\r\nab\r\n"), 400);
  EXPECT_EQ(status_of(*server, request("GET /%zz")), 400);
  EXPECT_EQ(status_of(*server, std::string("\x16\x03\x01\x02\x00\x01", 6)), 400);  // TLS
}

// What a proxy before us may understand in another way never reaches a handler, and what stands
// behind it is not taken for a request.
TEST(Server, SmugglingIsRefused) {
  const auto server = serve();
  const std::string hidden = "0\r\n\r\nGET /live HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const char* lines : {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                            "Content-Length: 5\r\nContent-Length: 6\r\n",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                            "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding : chunked\r\n",
                            "Transfer-Encoding:\r\n chunked\r\n", "X: y\r\n folded\r\n",
                            "X: y\nTransfer-Encoding: chunked\r\n"}) {
    const int status = status_of(*server, request("POST /echo", lines) + hidden);
    EXPECT_TRUE(status == 400 || status == 501) << status << " " << lines;
  }
}

TEST(Server, ExceptionsOfHandlersAre500AndTellNothing) {
  const auto server = serve();
  const Answer answer = get(server->port(), "/throw");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, ::testing::Not(::testing::HasSubstr("secret")));
}

TEST(Server, SlowHeadsAreCutOff) {
  const auto server = serve(with([](Limits& limits) { limits.head_max = Milliseconds(200); }));
  RawClient silent(server->port());
  RawClient begun(server->port());
  begun.send("GET /live HTTP/1.1\r\nHost:");
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(begun.closed());
}

// A byte now and then does not move the deadline.
TEST(Server, DrippingHeadsAreCutOffAsWell) {
  const auto server = serve(with([](Limits& limits) { limits.head_max = Milliseconds(200); }));
  RawClient client(server->port());
  client.send("GET /live HTTP/1.1\r\nX: ");
  // Each look at another connection takes a moment, and must work.
  while (client.send("x")) ASSERT_EQ(get(server->port(), "/live").status, 200);
  EXPECT_EQ(client.read().status, 0);
}

TEST(Server, SlowBodiesAndIdleConnectionsAreCutOff) {
  const auto server = serve(with([](Limits& limits) {
    limits.body_max = Milliseconds(200);
    limits.idle_max = Milliseconds(200);
  }));
  RawClient body(server->port());
  body.send(request("POST /echo", "Content-Length: 10\r\n") + "half");
  EXPECT_TRUE(body.closed());
  RawClient idle(server->port());
  idle.send(request("GET /live"));
  EXPECT_EQ(idle.read().status, 200);
  EXPECT_TRUE(idle.closed());
}

TEST(Server, HalfOpenConnectionsDoNotKeepProbesOut) {
  const auto server = serve();
  std::deque<RawClient> half;
  for (int i = 0; i < 64; ++i) half.emplace_back(server->port()).send("GET /live HTT");
  EXPECT_EQ(get(server->port(), "/live").status, 200);
  EXPECT_GE(server->connections(), 64U);
}

TEST(Server, ConnectionsAboveTheLimitsAreAnswered503) {
  for (const bool per_peer : {true, false}) {
    ServerOptions options;
    (per_peer ? options.limits.connections_peer_max : options.limits.connections_max) = 2;
    const auto server = serve(options);
    RawClient first(server->port());
    RawClient second(server->port());
    first.send(request("GET /live"));
    second.send(request("GET /live"));
    EXPECT_EQ(first.read().status, 200);
    EXPECT_EQ(second.read().status, 200);
    RawClient third(server->port());
    const Answer refused = third.read();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.at("retry-after"), "1");
    EXPECT_EQ(server->refused(), 1U);
    first.send(request("GET /live", "Connection: close\r\n"));
    EXPECT_EQ(first.read().status, 200);
    EXPECT_TRUE(first.closed());
  }
}

TEST(Server, AnswersAreTold) {
  std::atomic<int> told{0};
  ServerOptions options;
  options.on_answer = [&told](const Answered& answered) {
    EXPECT_EQ(answered.route, "/live");
    EXPECT_EQ(answered.status, 200);
    ++told;
  };
  const auto server = serve(std::move(options));
  get(server->port(), "/live");
  EXPECT_EQ(told, 1);
}

TEST(Server, StopClosesIdleConnectionsAndThePort) {
  auto server = serve();
  RawClient idle(server->port());
  idle.send(request("GET /live"));
  EXPECT_EQ(idle.read().status, 200);
  const std::uint16_t port = server->port();
  server->stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(port).connected());
  server->stop();  // once more does nothing
}

TEST(Server, StopDoesNotWaitForASlowClient) {
  auto server = serve();
  RawClient slow(server->port());
  slow.send("GET /live HTTP/1.1\r\n");
  RawClient body(server->port());
  body.send(request("POST /echo", "Content-Length: 10\r\n"));
  EXPECT_EQ(get(server->port(), "/live").status, 200);
  server->stop();
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(body.closed());
}

}  // namespace
}  // namespace millrace::http
