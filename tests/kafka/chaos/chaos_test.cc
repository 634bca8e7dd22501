// The short version of `make chaos`.
#include "kafka/chaos/chaos.h"

#include <gtest/gtest.h>

namespace millrace::kafka_testing {
namespace {

// Faults F1, F3, F18 and F21.
TEST(Chaos, EachRowHasOneOutputWhateverIsKilled) {
  Chaos chaos(short_plan(7));
  const Report report = chaos.run();
  EXPECT_TRUE(report.good()) << report.text();
  // The faults did happen.
  EXPECT_GE(report.all.kills, 8) << report.text();
  EXPECT_GE(report.kills_at.size(), 5u) << report.text();
}

}  // namespace
}  // namespace millrace::kafka_testing
