#include "codec/record_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

using ::testing::ElementsAre;

class Table : public ::testing::Test {
 protected:
  void add(std::string_view value) { add({}, value); }
  void add(std::optional<std::string_view> key, std::optional<std::string_view> value) {
    records_.push_back(
        {Offset(static_cast<std::int64_t>(records_.size())), Timestamp(1), key, value});
  }
  std::span<const ColumnValues> fill(std::vector<ColumnHead> typed = {}) {
    table_.emplace(std::move(typed));
    for (const StoredRecord& record : records_) table_->look(record);
    table_->decide();
    return table_->fill(PartitionId(3), records_);
  }
  // "name:kind" of the columns before _partition.
  std::vector<std::string> fields() const {
    std::vector<std::string> names;
    for (const ColumnHead& head : table_->columns()) {
      if (head.name == "_partition") break;
      names.push_back(head.name + ":" + std::to_string(static_cast<int>(head.kind)));
    }
    return names;
  }

  std::vector<StoredRecord> records_;
  std::optional<RecordTable> table_;
};

TEST_F(Table, KindsAreWhatAllRecordsHold) {
  add(R"({"i":1,"d":1,"b":true,"t":"x","m":1,"n":null,"o":{},"w":1,"u":1})");
  add(R"({"i":-5,"d":0.5,"b":false,"t":"","m":"1","w":9007199254740993,"u":18446744073709551615})");
  add(R"({"w":0.5})");
  fill();
  EXPECT_THAT(fields(), ElementsAre("i:2", "d:3", "b:1", "t:5", "m:5", "o:5", "w:5", "u:5"));
}

TEST_F(Table, NumbersThatAllAreWholeStayExact) {
  add(R"({"i":9007199254740993})");
  add(R"({"i":-1})");
  const auto columns = fill();
  EXPECT_EQ(static_cast<const std::int64_t*>(columns[0].values())[0], 9007199254740993);
}

TEST_F(Table, TypedFieldsComeFirstAndAlways) {
  add(R"({"x":1,"level":"0.5"})");
  const auto columns = fill({{"level", ColumnKind::kNumber}, {"at", ColumnKind::kTimestamp}});
  EXPECT_THAT(fields(), ElementsAre("level:3", "at:4", "x:2"));
  EXPECT_EQ(static_cast<const double*>(columns[0].values())[0], 0.5);
  EXPECT_EQ(columns[1].valid()[0], 0);
  EXPECT_EQ(table_->kept_whole(), 0U);
}

TEST_F(Table, WhatDoesNotFitItsTypeIsKeptWhole) {
  const std::vector<ColumnHead> typed = {{"a", ColumnKind::kInteger},
                                         {"b", ColumnKind::kBoolean},
                                         {"t", ColumnKind::kTimestamp},
                                         {"s", ColumnKind::kText}};
  for (const char* value :
       {R"({"a":"x"})", R"({"a":0.5})", R"({"a":1e300})", R"({"b":1})", R"({"t":"yesterday"})",
        R"({"t":5})", R"({"s":[1]})", R"({"a":1,"a":2})", "[]", "", "{", R"({"":1})"}) {
    records_.clear();
    add(value);
    const auto columns = fill(typed);
    EXPECT_EQ(table_->kept_whole(), 1U) << value;
    EXPECT_EQ(columns.back().valid()[0], 1) << value;
    EXPECT_EQ(
        std::string(columns.back().bytes(), static_cast<std::size_t>(columns.back().offsets()[1])),
        value);
  }
  for (const char* value : {R"({"a":"7"})", R"({"a":7.0})", R"({"a":" "})", R"({"t":""})",
                            R"({"s":7})", R"({"b":null})", "{}"}) {
    records_.clear();
    add(value);
    fill(typed);
    EXPECT_EQ(table_->kept_whole(), 0U) << value;
  }
}

TEST_F(Table, NamesOfOursAreLeftToUs) {
  add(R"({"_offset":7,"date":"d"})");
  const auto columns = fill();
  EXPECT_THAT(fields(), ElementsAre("_offset_:2", "date_:5"));
  EXPECT_EQ(static_cast<const std::int64_t*>(columns[0].values())[0], 7);
  EXPECT_EQ(table_->kept_whole(), 0U);
  records_.clear();
  add(R"({"date":"d","date_":"e"})");
  fill();
  EXPECT_EQ(table_->kept_whole(), 1U);
}

TEST_F(Table, TombstonesAndKeysThatAreNoText) {
  add("k", std::nullopt);
  add("\xFF", "{}");
  const auto columns = fill();
  EXPECT_EQ(table_->columns().back().name, "_key_bytes");
  EXPECT_EQ(table_->kept_whole(), 0U);
  const ColumnValues& key = columns[columns.size() - 3];
  EXPECT_EQ(key.valid()[0], 1);
  EXPECT_EQ(key.valid()[1], 0);
  EXPECT_EQ(columns.back().valid()[0], 0);
  EXPECT_EQ(columns.back().valid()[1], 1);
}

TEST_F(Table, MoreFieldsThanColumnsMayBeAreKeptWhole) {
  std::string value = "{";
  for (std::size_t i = 0; i <= RecordTable::kFieldsMax; ++i) {
    value += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":1";
  }
  value += "}";
  add(value);
  const auto columns = fill();
  EXPECT_EQ(columns.size(), RecordTable::kFieldsMax + 5);
  EXPECT_EQ(table_->kept_whole(), 1U);
}

TEST_F(Table, TimesAreFoundInAField) {
  RecordTable table({});
  const StoredRecord record{Offset(0), Timestamp(1), {}, R"({"at":"2004-03-10T18:00:00Z","n":1})"};
  EXPECT_EQ(table.time_of(record, "at"), Timestamp(1'078'941'600'000));
  EXPECT_EQ(table.time_of(record, "n"), std::nullopt);
  EXPECT_EQ(table.time_of(record, "other"), std::nullopt);
}

}  // namespace
}  // namespace millrace::codec
