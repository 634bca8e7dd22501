#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <sstream>

#include "codec/record_decoder.h"
#include "env/file.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::spec {
namespace {

using testing::HasSubstr;

constexpr const char* kMinimal =
    "version: 1\nname: small\nschema:\n  a: {type: number}\n"
    "  left: {type: category, values: ['No', 'Yes'], label: true}\nfeatures: [{numeric: [a]}]\n";

TEST(LoadPipeline, ShippedPipelinesAreInsideTheProgram) {
  EXPECT_THAT(shipped_pipelines(), testing::IsSupersetOf({"air-quality", "telco-churn"}));
  for (const std::string& name : shipped_pipelines()) {
    const auto loaded = load_pipeline(name);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->pipeline.name, name);
    EXPECT_EQ(loaded->pipeline.origin, "built-in " + name);
    EXPECT_FALSE(loaded->pipeline.simulator.empty());
    for (const char* file : {"README.md", "sample.ndjson", "schemas/prediction.json"}) {
      EXPECT_TRUE(shipped_file(name, file)) << name << " " << file;
    }
  }
}

TEST(LoadPipeline, EmbeddedFilesEqualTheFilesOfTheRepository) {
  const char* root = std::getenv("MILLRACE_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "run through ctest, or set MILLRACE_SOURCE_DIR";
  for (const char* file : {"pipeline.yaml", "simulator.yaml", "schemas/customer.json"}) {
    const auto text = env::read_file(env::Path(root) / "pipelines/telco-churn" / file, 1 << 20);
    ASSERT_TRUE(text) << text.error().message();
    EXPECT_EQ(shipped_file("telco-churn", file), *text) << file;
  }
}

TEST(LoadPipeline, AFolderMeansItsPipelineFile) {
  auto folder = env::TemporaryFolder::make("spec");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(env::write_file_atomic(folder->path() / "pipeline.yaml", kMinimal));
  ASSERT_TRUE(env::write_file_atomic(folder->path() / "simulator.yaml", "version: 1\n"));
  for (const env::Path& path : {folder->path(), folder->path() / "pipeline.yaml"}) {
    const auto loaded = load_pipeline(path.string());
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->pipeline.name, "small");
    EXPECT_EQ(loaded->pipeline.simulator, "version: 1\n");
    EXPECT_EQ(loaded->pipeline.origin, (folder->path() / "pipeline.yaml").string());
  }
}

TEST(LoadPipeline, UnknownNamesNameTheNearest) {
  const auto loaded = load_pipeline("telco-chrun");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), ErrorCode::kNoInput);
  EXPECT_EQ(loaded.error().exit_code(), 66);
  EXPECT_THAT(loaded.error().message(), HasSubstr("did you mean 'telco-churn'?"));
  for (const char* name : {"", "nowhere.yaml", "./nowhere", "/nowhere/at/all"}) {
    const auto missing = load_pipeline(name);
    ASSERT_FALSE(missing) << name;
    EXPECT_EQ(missing.error().code(), ErrorCode::kNoInput) << name;
  }
}

TEST(LoadPipeline, AFolderWithoutAPipelineSaysSo) {
  auto folder = env::TemporaryFolder::make("spec");
  ASSERT_TRUE(folder);
  const auto loaded = load_pipeline(folder->path().string());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), ErrorCode::kNoInput);
  EXPECT_THAT(loaded.error().message(), HasSubstr("holds no pipeline.yaml"));
}

TEST(LoadPipeline, AHugeFileIsRefusedWithoutBeingParsed) {
  auto folder = env::TemporaryFolder::make("spec");
  ASSERT_TRUE(folder);
  const env::Path path = folder->path() / "pipeline.yaml";
  ASSERT_TRUE(env::write_file_atomic(path, std::string(std::size_t{100} << 20, 'a')));
  const auto loaded = load_pipeline(path.string());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().exit_code(), 78);
}

TEST(TelcoChurn, IsAsTheReferenceSays) {
  const auto loaded = load_pipeline("telco-churn");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Pipeline& p = loaded->pipeline;
  EXPECT_EQ(p.schema.size(), 22U);
  EXPECT_EQ(p.schema.field(0).name, "customerID");
  ASSERT_TRUE(p.schema.label());
  EXPECT_EQ(p.schema.field(*p.schema.label()).name, "Churn");
  EXPECT_FALSE(p.schema.unknown_fields_allowed);
  for (const char* name : {"Churn", "event_ts"}) {
    EXPECT_FALSE(p.schema.field(*p.schema.find(name)).required) << name;
  }
  const data::Field& total = p.schema.field(*p.schema.find("TotalCharges"));
  EXPECT_TRUE(total.accept_text);
  EXPECT_EQ(total.blank, data::Policy::kMissing);
  EXPECT_EQ(total.null, data::Policy::kMissing);
  EXPECT_EQ(p.input.topic.name.value(), "telco.raw.customers");
  EXPECT_EQ(p.output.topic.name.value(), "telco.churn.predictions");
  EXPECT_EQ(p.dead_letter.topic.name.value(), "telco.deadletter");
  EXPECT_EQ(p.input.topic.config.partitions, 3);
  EXPECT_EQ(p.output.topic.config.partitions, 3);
  EXPECT_EQ(p.dead_letter.topic.config.partitions, 1);
  for (const TopicSpec* topic : {&p.input.topic, &p.output.topic, &p.dead_letter.topic}) {
    EXPECT_EQ(topic->config.retention, Milliseconds(604'800'000));
    EXPECT_EQ(topic->config.other.at("cleanup.policy"), "delete");
  }
  EXPECT_EQ(p.group.value(), "telco-churn-consumer");
  EXPECT_EQ(p.output.positive, "Yes");
  EXPECT_EQ(p.model.threshold, 0.5);
}

TEST(TelcoChurn, ItsFeaturesAreTheNineteenOfTheReference) {
  const auto loaded = load_pipeline("telco-churn");
  ASSERT_TRUE(loaded) << loaded.error().message();
  std::set<std::string> used;
  for (const features::Operator& op : loaded->pipeline.features) {
    std::visit([&](const auto& any) { used.insert(any.fields.begin(), any.fields.end()); }, op);
  }
  EXPECT_EQ(used.size(), 19U);
  for (const char* name : {"customerID", "Churn", "event_ts"}) EXPECT_EQ(used.count(name), 0U);
}

// Golden files: MILLRACE_UPDATE_GOLDEN=1 writes them anew.
void expect_golden(const env::Path& path, const std::string& content) {
  if (std::getenv("MILLRACE_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(env::make_folders(path.parent_path()));
    ASSERT_TRUE(env::write_file_atomic(path, content));
  }
  const auto kept = env::read_file(path, 1 << 20);
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_EQ(*kept, content) << path << " differs; MILLRACE_UPDATE_GOLDEN=1 writes it anew";
}

TEST(ShippedPipelines, JsonSchemasAreWhatTheCodeGenerates) {
  const char* root = std::getenv("MILLRACE_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "run through ctest, or set MILLRACE_SOURCE_DIR";
  for (const std::string& name : shipped_pipelines()) {
    const auto loaded = load_pipeline(name);
    ASSERT_TRUE(loaded) << loaded.error().message();
    const Pipeline& p = loaded->pipeline;
    const env::Path folder = env::Path(root) / "pipelines" / name / "schemas";
    expect_golden(folder / (p.report.noun + ".json"), json::to_pretty(input_json_schema(p)));
    expect_golden(folder / "prediction.json", json::to_pretty(prediction_json_schema(p)));
    expect_golden(folder / "dead_letter.json", json::to_pretty(dead_letter_json_schema(p)));
  }
}

TEST(ShippedPipelines, SampleRecordsAreValid) {
  for (const std::string& name : shipped_pipelines()) {
    const auto loaded = load_pipeline(name);
    ASSERT_TRUE(loaded) << loaded.error().message();
    const data::Schema& schema = loaded->pipeline.schema;
    auto decoder = codec::RecordDecoder::make(schema, codec::Purpose::kScoring);
    ASSERT_TRUE(decoder) << decoder.error().message();
    std::istringstream lines{std::string(*shipped_file(name, "sample.ndjson"))};
    std::vector<data::Cell> cells(schema.size());
    int records = 0;
    for (std::string line; std::getline(lines, line); ++records) {
      data::RecordErrors errors;
      EXPECT_TRUE(decoder->decode_copy(line, cells, errors))
          << line << ": " << (errors.empty() ? "" : errors.front().message());
    }
    EXPECT_EQ(records, 12) << name;
  }
}

// Reference 2.1 to 2.3.
TEST(AirQuality, IsAsTheReferenceSays) {
  const auto loaded = load_pipeline("air-quality");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Pipeline& p = loaded->pipeline;
  for (const char* sensor :
       {"CO", "PT08.S1(CO)", "NMHC", "Benzene", "PT08.S2(NMHC)", "NOx", "PT08.S3(NOx)", "NO2",
        "PT08.S4(NO2)", "PT08.S5(O3)", "T", "RH", "AH"}) {
    const auto index = p.schema.find(sensor);
    ASSERT_TRUE(index) << sensor;
    const data::Field& field = p.schema.field(*index);
    EXPECT_THAT(field.sentinels, testing::ElementsAre(-200)) << sensor;
    EXPECT_EQ(field.null, data::Policy::kMissing) << sensor;
  }
  EXPECT_EQ(p.input.key, "station");
  EXPECT_EQ(p.input.event_time, "event_ts");
  EXPECT_EQ(p.input.topic.name.value(), "air_quality.raw");
  EXPECT_EQ(p.input.topic.config.partitions, 3);
  EXPECT_EQ(p.output.topic.name.value(), "air_quality.forecasts");
  EXPECT_EQ(p.dead_letter.topic.name.value(), "air_quality.deadletter");
  EXPECT_EQ(p.alerts_topic.value(), "air_quality.alerts");
  EXPECT_EQ(p.csv.separator, ';');
  EXPECT_TRUE(p.csv.decimal_comma);
  EXPECT_TRUE(p.csv.drop_empty_trailing_columns);
  ASSERT_TRUE(p.csv.timestamp);
  EXPECT_EQ(p.csv.timestamp->step, std::chrono::hours(1));
  EXPECT_THAT(p.csv.constants, testing::ElementsAre(testing::Pair("station", "sensor_1")));
}

TEST(JsonSchema, PredictionsHaveExactlyTheFieldsOfTheReferenceAndTheModelVersion) {
  const auto loaded = load_pipeline("telco-churn");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const json::Value schema = prediction_json_schema(loaded->pipeline);
  EXPECT_EQ(schema["required"],
            json::Value({"customerID", "churn_probability", "prediction", "event_ts",
                         "processed_ts", "inference_latency_ms", "model_version"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"].size(), 7U);
}

TEST(JsonSchema, InputsSayPoliciesOfBlanksNullsAndLabels) {
  const auto loaded = load_pipeline("telco-churn");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const json::Value schema = input_json_schema(loaded->pipeline);
  EXPECT_EQ(schema["properties"].size(), 22U);
  EXPECT_EQ(schema["required"].size(), 20U);
  EXPECT_EQ(schema["properties"]["TotalCharges"]["anyOf"].size(), 4U);
  EXPECT_EQ(schema["properties"]["customerID"]["pattern"], "^(?:[0-9]{4}-[A-Z]{5})$");
  EXPECT_EQ(schema["properties"]["tenure"]["maximum"], 100);
}

}  // namespace
}  // namespace millrace::spec
