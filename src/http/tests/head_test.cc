#include "http/internal/head.h"

#include <gtest/gtest.h>

#include <string>

#include "http/limits.h"

namespace millrace::http::internal {
namespace {

using State = HeadCheck::State;

// A request for /live with these header lines.
std::string head(const std::string& lines) { return "GET /live HTTP/1.1\r\n" + lines + "\r\n"; }

int refused(const std::string& bytes) {
  const HeadCheck check = check_head(bytes);
  return check.state == State::kRefused ? check.status : 0;
}

TEST(Head, OrdinaryRequestIsComplete) {
  const std::string bytes = head("Host: localhost\r\nAccept: */*\r\n");
  const HeadCheck check = check_head(bytes + "GET");
  EXPECT_EQ(check.state, State::kComplete);
  EXPECT_EQ(check.size, bytes.size());
  EXPECT_FALSE(check.expects_continue);
}

TEST(Head, EveryBeginningIsIncomplete) {
  const std::string bytes = head("Host: localhost\r\nContent-Length: 3\r\n");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(check_head(bytes.substr(0, i)).state, State::kIncomplete) << i;
  }
}

TEST(Head, OnlyHttp1IsSpoken) {
  EXPECT_EQ(refused("GET /\r\n"), 400);
  EXPECT_EQ(refused("\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/2.0\r\n"), 505);
  EXPECT_EQ(refused("GET / FTP/1.1\r\n"), 400);
  EXPECT_EQ(refused("GET  / HTTP/1.1\r\n"), 400);
  EXPECT_EQ(refused("GET /a b HTTP/1.1\r\n"), 400);
  EXPECT_EQ(refused("\x16\x03\x01\x02"), 400);
  EXPECT_EQ(check_head("GET / HTTP/1.0\r\n\r\n").state, State::kComplete);
}

TEST(Head, OneHostIsNeeded) {
  EXPECT_EQ(refused(head("")), 400);
  EXPECT_EQ(refused(head("Host: a\r\nHost: b\r\n")), 400);
}

TEST(Head, TwoLengthsAreRefused) {
  EXPECT_EQ(refused(head("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refused(head("Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(
      refused(head("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
      400);
  EXPECT_EQ(refused(head("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n")), 501);
  EXPECT_EQ(refused(head("Host: a\r\nTransfer-Encoding: xchunked\r\n")), 501);
  EXPECT_EQ(refused("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(Head, LengthIsDigits) {
  for (const char* length : {"+1", "-1", "1,1", "0x1", "", "1 1", "1e3"}) {
    EXPECT_EQ(refused(head("Host: a\r\nContent-Length: " + std::string(length) + "\r\n")), 400)
        << length;
  }
  EXPECT_EQ(refused(head("Host: a\r\nContent-Length: 99999999999999999999\r\n")), 413);
}

TEST(Head, FoldedLinesBareLineFeedsAndControlBytesAreRefused) {
  EXPECT_EQ(refused(head("Host: a\r\nX: 1\r\n 2\r\n")), 400);
  EXPECT_EQ(refused(head("Host: a\nX: 1\r\n")), 400);
  EXPECT_EQ(refused(head("Host: a\rX: 1\r\n")), 400);
  EXPECT_EQ(refused(head(std::string("Host: a\0b\r\n", 11))), 400);
  EXPECT_EQ(refused(head("Host : a\r\n")), 400);
  EXPECT_EQ(refused(head("Host\r\n")), 400);
  EXPECT_EQ(refused(head(": a\r\n")), 400);
}

TEST(Head, LimitsHold) {
  EXPECT_EQ(refused("GET /" + std::string(kTargetBytesMax, 'a')), 414);
  EXPECT_EQ(refused(std::string(kTargetBytesMax + 1, 'a')), 414);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nX: " + std::string(kHeadBytesMax, 'a')), 431);
  std::string many = "Host: a\r\n";
  for (std::size_t i = 0; i < kHeadersMax; ++i) many += "X: 1\r\n";
  EXPECT_EQ(refused(head(many)), 431);
}

TEST(Head, OnlyOneExpectationIsKnown) {
  EXPECT_TRUE(check_head(head("Host: a\r\nExpect: 100-Continue\r\n")).expects_continue);
  EXPECT_EQ(refused(head("Host: a\r\nExpect: a-miracle\r\n")), 417);
}

}  // namespace
}  // namespace millrace::http::internal
