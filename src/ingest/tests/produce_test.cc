// Rows to records: messages, keys, times, what is skipped.
#include "ingest/produce.h"

#include <set>

#include "ingest/tests/produce_fixture.h"

namespace millrace::ingest {
namespace {

using testing::Seen;

class Produce : public testing::ProduceTest {};

TEST_F(Produce, RowsBecomeMessagesWithKeyAndStampedTime) {
  write("id,n,label\nk1,7,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 1U);
  EXPECT_TRUE(summary.finished);
  EXPECT_EQ(summary.stop, ProduceStop::kEndOfData);
  const auto all = read_all();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].key, "k1");
  EXPECT_EQ(all[0].value,
            R"({"id":"k1","n":7,"label":"No","event_ts":"2025-10-11T03:28:23.234Z"})");
  EXPECT_EQ(all[0].timestamp, Timestamp(1'760'153'303'234));
  EXPECT_EQ(all[0].headers, 0U);
}

TEST_F(Produce, AnEventTimeColumnIsKeptAndIsTheRecordsTime) {
  write("id,n,label,event_ts\nk1,7,No,2024-01-02T03:04:05.678Z\nk2,8,No,\n");
  run_well();
  const auto all = read_all();
  ASSERT_EQ(all.size(), 2U);
  std::map<std::string, Seen> by_key;
  for (const Seen& seen : all) by_key[*seen.key] = seen;
  EXPECT_EQ(by_key["k1"].timestamp, Timestamp(1'704'164'645'678));
  EXPECT_EQ(by_key["k1"].value,
            R"({"id":"k1","n":7,"label":"No","event_ts":"2024-01-02T03:04:05.678Z"})");
  EXPECT_EQ(by_key["k2"].timestamp, Timestamp(1'760'153'303'234));
}

TEST_F(Produce, NdjsonRowsPassUnchangedWithTheirKeyAndTime) {
  write(R"({ "n": 1, "id": "k1", "event_ts": "2024-01-02T03:04:05.678Z", "label": "No" })"
        "\n"
        R"({"id":"k2","n":2})"
        "\n",
        "in.ndjson");
  run_well();
  std::map<std::string, Seen> by_key;
  for (const Seen& seen : read_all()) by_key[*seen.key] = seen;
  ASSERT_EQ(by_key.size(), 2U);
  EXPECT_EQ(by_key["k1"].timestamp, Timestamp(1'704'164'645'678));
  EXPECT_EQ(by_key["k2"].value, R"({"id":"k2","n":2})");
  EXPECT_EQ(by_key["k2"].timestamp, Timestamp(1'760'153'303'234));
}

TEST_F(Produce, BadRowsAreSkippedCountedAndListedByLine) {
  write("id,n,label\nk1,1,No\nk2,2\nk3,3,No,more\nk4,x,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.bad_rows, 2U);
  ASSERT_EQ(summary.bad.size(), 2U);
  EXPECT_EQ(summary.bad[0].line, 3);
  EXPECT_EQ(summary.bad[1].line, 4);
  EXPECT_FALSE(summary.bad[0].message.empty());
  EXPECT_EQ(keys(), (std::map<std::string, int>{{"k1", 1}, {"k4", 1}}));
}

TEST_F(Produce, ValidationAlsoSkipsRowsAgainstTheSchema) {
  options_.check = ProduceOptions::Check::kSchema;
  write("id,n,label\nk1,1,No\nk2,x,No\nk3,2000000,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 1U);
  ASSERT_EQ(summary.bad.size(), 2U);
  EXPECT_NE(summary.bad[0].message.find("'n'"), std::string::npos) << summary.bad[0].message;
  EXPECT_EQ(summary.bad[1].line, 4);
}

TEST_F(Produce, ARowAboveTheMessageCapIsABadRow) {
  write("id,n,label\nk1,1,No\n" + std::string(1 << 20, 'k') + ",2,No\nk3,3,No\n");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.bad_rows, 1U);
  EXPECT_EQ(summary.bad[0].line, 3);
}

TEST_F(Produce, OnlyTheFirstThousandBadRowsAreListed) {
  std::string text = "id,n,label\n";
  for (int i = 0; i < 1500; ++i) text += "only-one-cell\n";
  write(text);
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.bad_rows, 1500U);
  EXPECT_EQ(summary.bad.size(), kBadRowsKeptMax);
}

TEST_F(Produce, RawLinesGoAsTheyAre) {
  options_.form = ProduceOptions::Form::kRaw;
  write("id,n\r\n\n\xFF{", "in.csv");
  const ProduceSummary summary = run_well();
  EXPECT_EQ(summary.sent, 3U);
  std::set<std::string> values;
  for (const Seen& seen : read_all()) {
    EXPECT_FALSE(seen.key);
    EXPECT_EQ(seen.headers, 0U);
    values.insert(seen.value);
  }
  EXPECT_EQ(values, (std::set<std::string>{"id,n\r", "", "\xFF{"}));
}

TEST_F(Produce, KeysComeFromWhereTheRuleSays) {
  write_rows(3);
  options_.checkpoint_file.clear();
  options_.key = KeyRule{KeyRule::Kind::kConstant, "same"};
  run_well();
  EXPECT_EQ(keys()["same"], 3);
  options_.key = KeyRule{KeyRule::Kind::kNone, ""};
  run_well();
  EXPECT_EQ(keys()["(null)"], 3);
  options_.key = KeyRule{KeyRule::Kind::kField, "label"};
  run_well();
  EXPECT_EQ(keys()["Yes"], 1);
}

TEST_F(Produce, AKeyColumnThatIsNotThereIsNamed) {
  write_rows(1);
  options_.key = KeyRule{KeyRule::Kind::kField, "lable"};
  const auto summary = run();
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code(), ErrorCode::kConfig);
  EXPECT_NE(summary.error().message().find("did you mean 'label'"), std::string::npos);
}

}  // namespace
}  // namespace millrace::ingest
