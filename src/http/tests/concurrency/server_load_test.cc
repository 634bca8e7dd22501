// Many clients at once, and a stop in the middle of it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "http/server.h"
#include "http/testing/raw_client.h"

namespace millrace::http {
namespace {

using testing::Answer;
using testing::RawClient;

constexpr int kClients = 8;

std::string request() { return "GET /count HTTP/1.1\r\nHost: localhost\r\n\r\n"; }

class Load : public ::testing::Test {
 protected:
  Load() {
    Router router;
    router.add(Method::kGet, "/count", [this](const Request&) {
      return Response{200, "", std::to_string(++count_), {}};
    });
    auto server = Server::start({}, std::move(router), env::real_clock());
    EXPECT_TRUE(server.has_value());
    server_ = std::move(*server);
  }

  std::atomic<int> count_{0};
  std::unique_ptr<Server> server_;
};

TEST_F(Load, EveryRequestOfManyClientsIsAnswered) {
  constexpr int kRequests = 200;
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      RawClient client(server_->port());
      for (int n = 0; n < kRequests; ++n) {
        client.send(request());
        if (client.read().status == 200) ++answered;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(answered, kClients * kRequests);
  EXPECT_EQ(count_, kClients * kRequests);
}

// Under load a stop ends; what was answered was answered whole.
TEST_F(Load, StopUnderLoadEnds) {
  std::vector<std::thread> clients;
  clients.reserve(kClients);
  std::atomic<int> answered{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      while (true) {
        RawClient client(server_->port());
        if (!client.connected()) return;
        client.send(request());
        const Answer answer = client.read();
        if (answer.status == 0) continue;
        EXPECT_EQ(answer.status, 200);
        EXPECT_NE(answer.body, "");
        ++answered;
      }
    });
  }
  while (answered < kClients * 4) std::this_thread::yield();
  server_->stop();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(Load, StopsFromSeveralThreadsAreOne) {
  std::vector<std::thread> stoppers;
  stoppers.reserve(kClients);
  for (int i = 0; i < kClients; ++i) stoppers.emplace_back([this] { server_->stop(); });
  for (std::thread& stopper : stoppers) stopper.join();
  EXPECT_FALSE(RawClient(server_->port()).connected());
}

}  // namespace
}  // namespace millrace::http
