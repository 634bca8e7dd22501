#include "ingest/profile.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "codec/row_decoder.h"
#include "env/file.h"
#include "ingest/internal/yaml_text.h"
#include "spec/pipeline.h"

namespace millrace::ingest {
namespace {

class Profile : public testing::Test {
 protected:
  std::string write(const std::string& text, const std::string& name = "in.csv") {
    const env::Path path = folder_->path() / name;
    EXPECT_TRUE(env::write_file_atomic(path, text));
    return path.string();
  }

  spec::Pipeline profile(const std::string& path, const std::string& target) {
    const auto yaml = starter_pipeline("starter", path, target, stop_);
    EXPECT_TRUE(yaml) << yaml.error().message();
    if (!yaml) return {};
    yaml_ = *yaml;
    auto parsed = spec::parse_pipeline(*yaml, "starter.yaml");
    EXPECT_TRUE(parsed) << parsed.error().message();
    return parsed ? parsed->pipeline : spec::Pipeline{};
  }

  Error refusal(const std::string& path, const std::string& target) {
    const auto yaml = starter_pipeline("starter", path, target, stop_);
    EXPECT_FALSE(yaml) << *yaml;
    return yaml ? Error(ErrorCode::kInternal, "") : yaml.error();
  }

  // Every row of the file satisfies the pipeline, with its label.
  std::uint64_t expect_all_rows_valid(const spec::Pipeline& pipeline, const std::string& path) {
    const auto format = codec::format_of_path(path);
    auto reader = codec::TableReader::open(path, format, pipeline.csv, pipeline.schema);
    EXPECT_TRUE(reader) << reader.error().message();
    auto decoder = codec::RowDecoder::make(pipeline.schema, reader->columns(), pipeline.csv,
                                           codec::Purpose::kTraining);
    EXPECT_TRUE(decoder) << decoder.error().message();
    std::vector<data::Cell> cells(pipeline.schema.size());
    codec::TableRow row;
    std::uint64_t rows = 0;
    while (*reader->read(row)) {
      data::RecordErrors errors;
      EXPECT_TRUE(decoder->decode(row, cells, errors)) << row.line << ": " << errors[0].message();
      if (!errors.empty()) break;
      ++rows;
    }
    return rows;
  }

  static const data::Field& field(const spec::Pipeline& pipeline, const std::string& name) {
    return pipeline.schema.field(*pipeline.schema.find(name));
  }

  Result<env::TemporaryFolder> folder_ = env::TemporaryFolder::make("profile");
  env::StopToken stop_;
  std::string yaml_;
};

std::string many_rows() {
  std::string text = "code;age;income;plan;flag;note;when;same;left\n";
  for (int i = 0; i < 200; ++i) {
    text += "c" + std::to_string(i) + ";" + std::to_string(20 + i % 50) + ";" +
            (i % 10 == 0 ? " " : std::to_string(1000 + i) + "," + std::to_string(i % 7)) + ";" +
            (i % 3 == 0   ? "pro"
             : i % 3 == 1 ? "basic"
                          : "\"free; for all\"") +
            ";" + (i % 2 == 0 ? "true" : "false") + ";text " + std::to_string(i % 150) +
            ";2024-01-02T03:04:0" + std::to_string(i % 10) + "Z;x;" + (i % 5 == 0 ? "yes" : "no") +
            "\n";
  }
  return text;
}

TEST_F(Profile, FindsDialectTypesKeyAndLabel) {
  const std::string path = write(many_rows());
  const spec::Pipeline pipeline = profile(path, "left");
  EXPECT_EQ(pipeline.csv.separator, ';');
  EXPECT_TRUE(pipeline.csv.decimal_comma);
  EXPECT_EQ(pipeline.input.key, "code");
  EXPECT_EQ(pipeline.input.event_time, "when");
  EXPECT_EQ(field(pipeline, "age").type, data::FieldType::kInteger);
  EXPECT_EQ(field(pipeline, "age").max, std::numeric_limits<double>::infinity());
  EXPECT_EQ(field(pipeline, "income").type, data::FieldType::kNumber);
  EXPECT_TRUE(field(pipeline, "income").accept_text);
  EXPECT_EQ(field(pipeline, "income").blank, data::Policy::kMissing);
  EXPECT_EQ(field(pipeline, "plan").values,
            (std::vector<std::string>{"basic", "free; for all", "pro"}));
  EXPECT_EQ(field(pipeline, "flag").type, data::FieldType::kCategory);
  EXPECT_EQ(field(pipeline, "note").type, data::FieldType::kString);
  EXPECT_EQ(field(pipeline, "left").values, (std::vector<std::string>{"no", "yes"}));
  EXPECT_TRUE(field(pipeline, "left").label);
  EXPECT_EQ(pipeline.output.positive, "yes");
  EXPECT_EQ(pipeline.output.topic.name, TopicName("starter.predictions"));
  EXPECT_EQ(pipeline.output.key_field, "code");
  ASSERT_EQ(pipeline.features.size(), 3U);
  EXPECT_EQ(std::get<features::Numeric>(pipeline.features[0]).fields,
            std::vector<std::string>{"age"});
  EXPECT_EQ(std::get<features::Impute>(pipeline.features[1]).fields,
            std::vector<std::string>{"income"});
  EXPECT_EQ(std::get<features::OneHot>(pipeline.features[2]).fields,
            (std::vector<std::string>{"plan", "flag"}));
  EXPECT_NE(yaml_.find("the same in every row"), std::string::npos) << yaml_;
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 200U);
}

TEST_F(Profile, TheRarerLevelIsThePositiveOne) {
  EXPECT_EQ(profile(write("a,y\n1,yes\n2,yes\n3,no\n1,yes\n"), "y").output.positive, "no");
}

TEST_F(Profile, AnUnnamedIndexColumnIsLeftOut) {
  const std::string path = write(",a,y\n0,5,0\n1,7,1\n2,5,0\n3,5,0\n");
  const spec::Pipeline pipeline = profile(path, "y");
  EXPECT_EQ(pipeline.csv.ignore_columns, std::vector<std::string>{""});
  EXPECT_EQ(pipeline.schema.names(), (std::vector<std::string>{"a", "y", "event_ts"}));
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 4U);
}

TEST_F(Profile, WithoutAUniqueColumnKeysAreNull) {
  const spec::Pipeline pipeline = profile(write("a,y\n5,p\n5,q\n6,p\n6,p\n"), "y");
  EXPECT_EQ(pipeline.input.key, "");
  EXPECT_EQ(pipeline.input.event_time, "event_ts");
}

TEST_F(Profile, AMeasureThatHappensToBeUniqueIsNoKey) {
  const spec::Pipeline pipeline = profile(write("price,y\n10,p\n35,q\n20,p\n17,p\n"), "y");
  EXPECT_EQ(pipeline.input.key, "");
  EXPECT_EQ(std::get<features::Numeric>(pipeline.features[0]).fields,
            std::vector<std::string>{"price"});
}

TEST_F(Profile, AnIntegerIdIsAKeyAndNoFeature) {
  const spec::Pipeline pipeline = profile(write("user_id,a,y\n9,1,p\n4,2,q\n7,2,p\n"), "y");
  EXPECT_EQ(pipeline.input.key, "user_id");
  EXPECT_EQ(std::get<features::Numeric>(pipeline.features[0]).fields,
            std::vector<std::string>{"a"});
}

TEST_F(Profile, CodesWithLeadingZerosAreNoNumbers) {
  const spec::Pipeline pipeline =
      profile(write("zip,a,y\n007,1,p\n007,2,q\n012,2,p\n012,1,p\n"), "y");
  EXPECT_EQ(field(pipeline, "zip").type, data::FieldType::kCategory);
  EXPECT_EQ(field(pipeline, "zip").values, (std::vector<std::string>{"007", "012"}));
}

TEST_F(Profile, NdjsonIsProfiledToo) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += R"({"id":"u)" + std::to_string(i) + R"(","n":)" + std::to_string(i % 7) + R"(,"t":")" +
            std::to_string(i % 5) + R"(","ok":)" + (i % 2 == 0 ? "true" : "false") +
            (i % 4 == 0 ? "" : R"(,"plan":"x")") + R"(,"y":")" + (i % 8 == 0 ? "a" : "b") + "\"}\n";
  }
  const std::string path = write(text, "in.ndjson");
  const spec::Pipeline pipeline = profile(path, "y");
  EXPECT_EQ(pipeline.input.key, "id");
  EXPECT_EQ(field(pipeline, "n").type, data::FieldType::kInteger);
  EXPECT_FALSE(field(pipeline, "n").accept_text);
  EXPECT_TRUE(field(pipeline, "t").accept_text);
  EXPECT_EQ(field(pipeline, "ok").type, data::FieldType::kBoolean);
  EXPECT_FALSE(field(pipeline, "plan").required);
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 40U);
}

TEST_F(Profile, NamesThatYamlWouldMisreadAreQuoted) {
  const std::string path =
      write("no,true,a: b,'q',#x,y\n1,off,5,null,3,yes\n2,on,6,~,4,no\n2,on,6,~,4,no\n");
  const spec::Pipeline pipeline = profile(path, "y");
  EXPECT_EQ(pipeline.schema.names(),
            (std::vector<std::string>{"no", "true", "a: b", "'q'", "#x", "y", "event_ts"}));
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 3U);
}

TEST_F(Profile, RefusesTargetsThatAreNotOfTwoLevels) {
  EXPECT_EQ(refusal(write("a,y\n1,p\n2,q\n3,r\n"), "y").code(), ErrorCode::kNotBuilt);
  const Error number = refusal(write("a,y\n1,1.5\n2,2.5\n3,3\n"), "y");
  EXPECT_EQ(number.code(), ErrorCode::kNotBuilt);
  EXPECT_NE(number.message().find("regression"), std::string::npos) << number.message();
  EXPECT_EQ(refusal(write("a,y\n1,p\n2,p\n"), "y").code(), ErrorCode::kBadData);
  EXPECT_EQ(refusal(write("a,y\n1,\n2,\n"), "y").code(), ErrorCode::kBadData);
}

TEST_F(Profile, NamesTheNearestColumnForAWrongTarget) {
  const Error error = refusal(write("a,churn\n1,p\n2,q\n"), "Chrun");
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_NE(error.message().find("did you mean 'churn'"), std::string::npos) << error.message();
}

TEST_F(Profile, AMissingFileIsNoInput) {
  EXPECT_EQ(refusal((folder_->path() / "none.csv").string(), "y").code(), ErrorCode::kNoInput);
}

TEST_F(Profile, ABadNameIsAUsageError) {
  const std::string path = write("a,y\n1,p\n2,q\n1,p\n");
  EXPECT_EQ(starter_pipeline("Bad Name", path, "y", stop_).error().code(), ErrorCode::kUsage);
}

TEST(YamlText, QuotesWhatOtherReadersWouldMisread) {
  EXPECT_EQ(yaml_text("Month-to-month"), "Month-to-month");
  EXPECT_EQ(yaml_text("Bank transfer (automatic)"), "Bank transfer (automatic)");
  EXPECT_EQ(yaml_text("No"), "'No'");
  EXPECT_EQ(yaml_text("1"), "'1'");
  EXPECT_EQ(yaml_text(""), "''");
  EXPECT_EQ(yaml_text("it's"), "'it''s'");
  EXPECT_EQ(yaml_text("a: b"), "'a: b'");
  EXPECT_EQ(yaml_text("tab\there"), "\"tab\\there\"");
}

// ----------------------------------------------------------------------------------------------
// the real files

class RealFile : public Profile {
 protected:
  void SetUp() override {
    const char* const folder = std::getenv("MILLRACE_DATA_DIR");
    if (folder == nullptr || !std::filesystem::exists(folder)) {
      GTEST_SKIP() << "SKIPPED: no data at MILLRACE_DATA_DIR";
    }
    data_ = folder;
  }
  std::string at(const char* name) const { return (data_ / name).string(); }
  env::Path data_;
};

TEST_F(RealFile, TelcoIsProfiled) {
  const std::string path = at("Telco-Customer-Churn.csv");
  const spec::Pipeline pipeline = profile(path, "Churn");
  EXPECT_EQ(pipeline.input.key, "customerID");
  EXPECT_EQ(pipeline.output.positive, "Yes");
  EXPECT_EQ(field(pipeline, "SeniorCitizen").type, data::FieldType::kInteger);
  EXPECT_EQ(field(pipeline, "TotalCharges").type, data::FieldType::kNumber);
  EXPECT_TRUE(field(pipeline, "TotalCharges").accept_text);
  EXPECT_EQ(field(pipeline, "Contract").values,
            (std::vector<std::string>{"Month-to-month", "One year", "Two year"}));
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 7043U);
}

TEST_F(RealFile, BothBankFilesAreProfiled) {
  const spec::Pipeline small = profile(at("bank.csv"), "y");
  EXPECT_EQ(small.csv.separator, ';');
  EXPECT_EQ(small.input.key, "");
  EXPECT_EQ(field(small, "job").values.size(), 12U);
  EXPECT_EQ(field(small, "balance").type, data::FieldType::kInteger);
  EXPECT_EQ(expect_all_rows_valid(small, at("bank.csv")), 4521U);
  const spec::Pipeline full = profile(at("bank-full.csv"), "y");
  EXPECT_EQ(full.output.positive, "yes");
  EXPECT_EQ(expect_all_rows_valid(full, at("bank-full.csv")), 45211U);
}

TEST_F(RealFile, NumbersAndMoreThanTwoLevelsAreRefused) {
  EXPECT_EQ(refusal(at("Sales Dataset.csv"), "Total Amount").code(), ErrorCode::kNotBuilt);
  EXPECT_EQ(refusal(at("Sales Dataset.csv"), "Product Category").code(), ErrorCode::kNotBuilt);
  const Error air = refusal(at("AirQualityUCI.csv"), "CO(GT)");
  EXPECT_EQ(air.code(), ErrorCode::kNotBuilt);
  EXPECT_NE(air.message().find("regression"), std::string::npos) << air.message();
  EXPECT_EQ(refusal(at("bank_marketing_data.csv"), "y").code(), ErrorCode::kUsage);
}

TEST_F(RealFile, SalesIsProfiledForATargetOfTwoLevels) {
  const std::string path = at("Sales Dataset.csv");
  const spec::Pipeline pipeline = profile(path, "Gender");
  EXPECT_EQ(pipeline.csv.ignore_columns, std::vector<std::string>{""});
  EXPECT_EQ(expect_all_rows_valid(pipeline, path), 1000U);
}

}  // namespace
}  // namespace millrace::ingest
