#include "app/trial_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::app {
namespace {

using testing::HasSubstr;

class TrialJournalTest : public testing::Test {
 protected:
  env::TemporaryFolder folder_ = *env::TemporaryFolder::make("journal");
  env::Path path_ = folder_.path() / "reports" / "tune.ndjson";
};

TEST_F(TrialJournalTest, KeepsTrialsToTheBit) {
  const Trial first{{{"depth", 6}, {"learning_rate", 0.1}}, 1.0 / 3, {0.1, 0.2, 0.7}};
  const Trial second{{{"depth", 3}, {"learning_rate", 0.1}}, 0.5, {0.5, 0.5}};
  {
    auto journal = TrialJournal::open(path_, "k");
    ASSERT_TRUE(journal) << journal.error().message();
    EXPECT_TRUE(journal->trials().empty());
    ASSERT_TRUE(journal->add(first));
    ASSERT_TRUE(journal->add(second));
  }
  const auto journal = TrialJournal::open(path_, "k");
  ASSERT_TRUE(journal) << journal.error().message();
  ASSERT_EQ(journal->trials().size(), 2U);
  const Trial* found = journal->find(first.parameters);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->error, first.error);
  EXPECT_EQ(found->folds, first.folds);
  EXPECT_EQ(journal->find({{"depth", 6}}), nullptr);
}

TEST_F(TrialJournalTest, IsOfOneSearchAndOneProcess) {
  {
    auto journal = TrialJournal::open(path_, "k");
    ASSERT_TRUE(journal->add({{{"depth", 6}}, 1, {1}}));
    const auto second = TrialJournal::open(path_, "k");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kLockHeld);
  }
  const auto other = TrialJournal::open(path_, "another");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(other.error().message(), HasSubstr("line 1: this is another search"));
}

TEST_F(TrialJournalTest, AFileThatIsNoneIsRefusedWithItsLine) {
  {
    auto journal = TrialJournal::open(path_, "k");
    ASSERT_TRUE(journal->add({{{"depth", 6}}, 1, {1}}));
  }
  const std::string sound = *env::read_file(path_, 1 << 20);
  for (const char* line : {"{", "[]", "{}", R"({"params":{},"cv_mae":"x","folds":[]})",
                           R"({"params":{"a":"b"},"cv_mae":1,"folds":[]})",
                           R"({"params":[1],"cv_mae":1,"folds":[]})"}) {
    ASSERT_TRUE(env::write_file_atomic(path_, sound + line + "\n"));
    const auto refused = TrialJournal::open(path_, "k");
    ASSERT_FALSE(refused) << line;
    EXPECT_EQ(refused.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(refused.error().message(), HasSubstr("line 3"));
  }
}

}  // namespace
}  // namespace millrace::app
