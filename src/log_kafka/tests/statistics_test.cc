// What the library counts, read from its JSON.
#include "log_kafka/internal/statistics.h"

#include <gtest/gtest.h>

namespace millrace::log_kafka::internal {
namespace {

TEST(Statistics, CountsOfBrokersAndPartitionsAreSummed) {
  const auto read = read_statistics(R"({"name": "x", "tx": 12, "tx_bytes": 3400, "rx_bytes": 560,
    "msg_cnt": 7, "brokers": {
      "a:1/1": {"nodeid": 1, "req_timeouts": 2, "rtt": {"p50": 1500, "p99": 250000, "cnt": 9}},
      "b:1/2": {"nodeid": 2, "req_timeouts": 1, "rtt": {"p50": 0, "p99": 0, "cnt": 0}},
      "c:1/bootstrap": {"nodeid": -1, "req_timeouts": 1, "rtt": {"p50": 9, "p99": 9, "cnt": 1}}},
    "topics": {"t": {"partitions": {"0": {"fetchq_cnt": 30}, "1": {"fetchq_cnt": 4},
                                    "-1": {"fetchq_cnt": 0}}}}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->requests, 12U);
  EXPECT_EQ(read->request_timeouts, 4U);
  EXPECT_EQ(read->bytes_sent, 3400U);
  EXPECT_EQ(read->bytes_received, 560U);
  EXPECT_EQ(read->queued_messages, 41U);
  ASSERT_EQ(read->round_trips.size(), 1U);
  EXPECT_DOUBLE_EQ(read->round_trips.at(1).median_s, 0.0015);
  EXPECT_DOUBLE_EQ(read->round_trips.at(1).p99_s, 0.25);
}

TEST(Statistics, WhatIsMissingOrStrangeCountsAsNothing) {
  EXPECT_FALSE(read_statistics("no json").has_value());
  EXPECT_FALSE(read_statistics("[1]").has_value());
  const auto read = read_statistics(R"({"tx": "many", "rx_bytes": -5, "brokers": {"a": 1}})");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->requests, 0U);
  EXPECT_EQ(read->bytes_received, 0U);
}

TEST(Statistics, TheLastOfEachClientIsKept) {
  Statistics statistics;
  statistics.take("producer", R"({"tx": 1})");
  statistics.take("consumer", R"({"tx": 2})");
  statistics.take("consumer", R"({"tx": 3})");
  statistics.take("consumer", "torn");
  const auto all = statistics.all();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].client, "consumer");
  EXPECT_EQ(all[0].requests, 3U);
  EXPECT_EQ(all[1].requests, 1U);
}

}  // namespace
}  // namespace millrace::log_kafka::internal
