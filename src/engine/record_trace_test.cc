#include "engine/record_trace.h"

#include <gtest/gtest.h>

#include <memory>

#include "env/testing/manual_clock.h"
#include "features/transform.h"

namespace millrace::engine {
namespace {

constexpr const char* kPipeline = R"(
version: 1
name: plans
input: {topic: in, key: id}
output: {topic: out, key: id}
dead_letter: {topic: dead}
schema:
  id: {type: string}
  plan: {type: category, values: [basic, pro]}
  usage: {type: number, min: 0}
  left: {type: category, values: ['no', 'yes'], label: true, required: false}
features:
  - {numeric: [usage]}
  - {one_hot: [plan]}
)";

class RecordTracing : public testing::Test {
 protected:
  RecordTracing() {
    auto loaded = spec::parse_pipeline(kPipeline, "test.yaml");
    EXPECT_TRUE(loaded) << loaded.error().message();
    pipeline_ = std::move(loaded->pipeline);
    // One tree: usage below 50 leaves.
    model::TreeEnsemble ensemble;
    ensemble.features = 3;
    ensemble.trees = {
        model::Tree{{{1, 2, 0, 50.0F, true}, {-1, -1, 0, 2.0F, true}, {-1, -1, 0, -2.0F, true}}}};
    model_.ensemble = std::make_shared<const model::TreeEnsemble>(ensemble);
    const auto transform = features::Transform::fit(
        pipeline_.features, pipeline_.schema, features::CellTable(pipeline_.schema.size()), {});
    EXPECT_TRUE(transform) << transform.error().message();
    model_.manifest.pipeline = "plans";
    model_.manifest.version = "1-00000000";
    model_.manifest.label = "left";
    model_.manifest.label_values = {"no", "yes"};
    model_.manifest.features = transform->names();
    model_.manifest.feature_fingerprint = transform->fingerprint();
    model_.manifest.transform = transform->to_json();
  }

  env::ManualClock clock_;
  spec::Pipeline pipeline_;
  model::LoadedModel model_;
};

// What the tracer says of a record is what the scorer published for it.
TEST_F(RecordTracing, TellsTheStepsOfThePublishedAnswer) {
  auto tracer = RecordTracer::make(pipeline_, model_, clock_);
  auto scorer = RecordScorer::make(pipeline_, model_, clock_);
  ASSERT_TRUE(tracer && scorer);
  Arena bytes;
  const auto record_of = [&bytes](std::string_view value) {
    log::Record record;
    record.key = "k";
    record.value = bytes.copy(value);
    return record;
  };
  for (const char* value :
       {R"({"id":"a","plan":"pro","usage":10})", R"({"id":"b","plan":"basic","usage":90})",
        R"({"id":"c","plan":"gold","usage":-1})", "{broken"}) {
    const log::Record record = record_of(value);
    const RecordTrace trace = tracer->trace(record);
    ScoredBatch scored;
    scorer->score({&record, 1}, clock_.steady(), scored);
    EXPECT_EQ(trace.outcome, scored.records[0].outcome) << value;
    EXPECT_EQ(trace.message, scored.records[0].message) << value;
    EXPECT_EQ(trace.probability, scored.records[0].probability) << value;
    EXPECT_EQ(trace.features.empty(), trace.outcome == Outcome::kDeadLetter) << value;
  }
  const RecordTrace left = tracer->trace(record_of(R"({"id":"a","plan":"pro","usage":10})"));
  EXPECT_EQ(left.label, "yes");
  EXPECT_EQ(left.margin, 2.0F);
  ASSERT_EQ(left.features.size(), 3U);
  EXPECT_EQ(left.features[0], (std::pair<std::string, double>("usage", 10)));
  EXPECT_EQ(left.fields[1].text, "pro");
  const RecordTrace bad = tracer->trace(record_of(R"({"id":"c","plan":"gold","usage":-1})"));
  ASSERT_EQ(bad.errors.size(), 2U);
  EXPECT_EQ(bad.fields[0].text, "c");
  EXPECT_EQ(bad.fields[1].state, data::CellState::kInvalid);
  log::Record tombstone;
  EXPECT_EQ(tracer->trace(tombstone).errors.at(0).code, data::RecordCode::kTombstone);
}

}  // namespace
}  // namespace millrace::engine
