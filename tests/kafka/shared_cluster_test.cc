// The brokers that ctest starts are those it promises.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "kafka/cluster.h"
#include "kafka/metadata.h"

namespace millrace::kafka_testing {
namespace {

TEST(SharedCluster, Answers) {
  const auto cluster = Cluster::shared();
  EXPECT_EQ(cluster->nodes(), 1);
  EXPECT_TRUE(sees_brokers(cluster->bootstrap(), {1}));
}

TEST(SharedCluster, IsOfTheVersionThatWasAskedFor) {
  const char* wanted = std::getenv("MILLRACE_KAFKA_VERSION");
  ASSERT_NE(wanted, nullptr) << "ctest sets it";
  EXPECT_EQ(Cluster::shared()->version(), wanted);
}

TEST(SharedCluster, NamesAreUnique) { EXPECT_NE(unique_name("topic"), unique_name("topic")); }

}  // namespace
}  // namespace millrace::kafka_testing
