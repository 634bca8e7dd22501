#include "ingest/quality.h"

#include <gtest/gtest.h>

#include "env/file.h"
#include "json/json.h"

namespace millrace::ingest {
namespace {

class Quality : public testing::Test {
 protected:
  Quality() {
    std::vector<data::Field> fields(3);
    fields[0].name = "place";
    fields[0].type = data::FieldType::kCategory;
    fields[0].values = {"a", "b"};
    fields[1].name = "x, raw";
    fields[1].type = data::FieldType::kNumber;
    fields[1].sentinels = {-200};
    fields[2].name = "note";
    fields[2].required = false;
    pipeline_.schema = *data::Schema::make(fields);
  }

  QualityReport measure(const std::string& text) {
    const env::Path path = folder_->path() / "in.csv";
    EXPECT_TRUE(env::write_file_atomic(path, text));
    auto report = measure_quality(pipeline_, path.string(), stop_);
    EXPECT_TRUE(report) << report.error().message();
    return report ? *report : QualityReport{};
  }

  Result<env::TemporaryFolder> folder_ = env::TemporaryFolder::make("quality");
  spec::Pipeline pipeline_;
  env::StopToken stop_;
};

TEST_F(Quality, CountsMissingValuesGapsAndMoments) {
  const QualityReport report = measure(
      "place,\"x, raw\"\n"
      "a,1\n"
      ",-200\n"
      "b,\n"
      "a,-200\n"
      "c,2\n"
      "b,6\n"
      "broken\n");
  EXPECT_EQ(report.rows, 6U);
  EXPECT_EQ(report.bad_rows, 1U);
  EXPECT_EQ(report.bad[0].line, 8);
  ASSERT_EQ(report.columns.size(), 2U);  // the file has no column 'note'
  const ColumnQuality& place = report.columns[0];
  EXPECT_EQ(place.total, 6U);
  EXPECT_EQ(place.missing, 1U);
  EXPECT_EQ(place.invalid, 1U);
  EXPECT_EQ(place.numbers, 0U);
  const ColumnQuality& x = report.columns[1];
  EXPECT_EQ(x.missing, 3U);
  EXPECT_DOUBLE_EQ(x.missing_percent(), 50);
  EXPECT_EQ(x.longest_gap, 3U);
  EXPECT_DOUBLE_EQ(x.mean, 3);
  EXPECT_DOUBLE_EQ(x.std_dev, std::sqrt(7.0));
  EXPECT_DOUBLE_EQ(x.min, 1);
  EXPECT_DOUBLE_EQ(x.max, 6);
}

// BUG-A4: the reference reported after it had filled everything in, so nothing was ever missing.
TEST_F(Quality, HoursWithoutARowAreGapsOfEveryColumn) {
  std::vector<data::Field> fields(2);
  fields[0].name = "ts";
  fields[0].type = data::FieldType::kTimestamp;
  fields[1].name = "x";
  fields[1].type = data::FieldType::kNumber;
  fields[1].sentinels = {-200};
  pipeline_.schema = *data::Schema::make(fields);
  pipeline_.csv.timestamp =
      codec::CsvTimestamp{"ts", {"day", "hour"}, "%d.%m.%Y %H", std::chrono::hours(1)};
  const QualityReport report = measure(
      "day,hour,x\n"
      "1.3.2004,0,5\n"
      "1.3.2004,1,-200\n"
      "1.3.2004,4,-200\n"  // two hours without a row between two without a value
      "1.3.2004,5,7\n"
      "1.3.2004,7,9\n");
  EXPECT_EQ(report.absent_steps, 3U);
  ASSERT_EQ(report.columns.size(), 2U);
  EXPECT_EQ(report.columns[0].longest_gap, 2U);
  EXPECT_EQ(report.columns[1].missing, 2U);
  EXPECT_EQ(report.columns[1].longest_gap, 4U);
  EXPECT_DOUBLE_EQ(report.columns[1].mean, 7);
}

TEST_F(Quality, IsWrittenAsCsvInTheReferencesColumns) {
  EXPECT_EQ(to_csv(measure("place,\"x, raw\"\na,1\nb,-200\na,4\n")),
            "column,total,missing,pct_missing,mean,std,min,max,longest_gap,invalid,type\n"
            "place,3,0,0,,,,,0,0,category\n"
            "\"x, raw\",3,1,33.33,2.5,2.1213203435596424,1,4,1,0,number\n");
}

TEST_F(Quality, IsWrittenAsJson) {
  const QualityReport report = measure("place,\"x, raw\"\na,1\nb,\n");
  const json::Value value = to_json(report);
  EXPECT_EQ(value["rows"], 2);
  EXPECT_TRUE(value["columns"][0]["mean"].is_null());
  EXPECT_EQ(value["columns"][1]["mean"], 1.0);
}

}  // namespace
}  // namespace millrace::ingest
