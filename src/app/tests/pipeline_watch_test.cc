// What `top` makes of a pipeline's topics, on the log in memory.
#include "app/pipeline_watch.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "app/terminal/width.h"
#include "app/top_view.h"
#include "env/testing/manual_clock.h"
#include "json/json.h"
#include "log/testing/memory_log.h"

namespace millrace::app {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPipeline = R"(
version: 1
name: plans
input: {topic: in, partitions: 2, key: id}
output: {topic: out, partitions: 2, key: id}
dead_letter: {topic: dead}
schema:
  id: {type: string}
  usage: {type: number, min: 0}
  left: {type: category, values: ['no', 'yes'], label: true, required: false}
features:
  - {numeric: [usage]}
)";

class Watched : public testing::Test {
 protected:
  Watched() : log_(clock_) {
    auto loaded = spec::parse_pipeline(kPipeline, "test.yaml");
    EXPECT_TRUE(loaded) << loaded.error().message();
    pipeline_ = std::move(loaded->pipeline);
    for (const spec::TopicSpec* topic :
         {&pipeline_.input.topic, &pipeline_.output.topic, &pipeline_.dead_letter.topic}) {
      EXPECT_TRUE(log_.admin().create_topic(topic->name, topic->config));
    }
  }

  void put(const std::string& topic, int count, const std::string& value,
           std::span<const log::Header> headers = {}) {
    auto producer = log_.open_producer({TopicName(topic), ""});
    ASSERT_TRUE(producer);
    const auto handle = *(*producer)->open_topic(TopicName(topic));
    for (int i = 0; i < count; ++i) {
      log::NewRecord record;
      record.value = value;
      record.headers = headers;
      record.timestamp = Timestamp(1000);
      ASSERT_TRUE((*producer)->append(handle, record));
    }
    ASSERT_TRUE((*producer)->commit(RowNumber(0)));
  }

  void predict(int count, double probability, double latency_ms = 2) {
    put("out", count,
        R"({"id":"k","prediction":"yes","probability":)" + std::to_string(probability) +
            R"(,"processed_ts":"1970-01-01T00:00:01.250Z","model_version":"3-ab",)"
            R"("inference_latency_ms":)" +
            std::to_string(latency_ms) + "}");
  }

  PipelineWatch watch() {
    auto opened = PipelineWatch::open(log_, pipeline_, clock_);
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }

  PipelineView look(PipelineWatch& watch) {
    EXPECT_TRUE(watch.read(clock_.steady() + Milliseconds(1)));
    auto view = watch.look();
    EXPECT_TRUE(view) << view.error().message();
    return view.value_or(PipelineView());
  }

  env::ManualClock clock_;
  log::testing::MemoryLog log_;
  spec::Pipeline pipeline_;
};

TEST_F(Watched, RatesAreOfTheTimeBetweenTwoLooks) {
  put("in", 50, "{}");
  predict(40, 0.5);
  PipelineWatch watched = watch();
  EXPECT_FALSE(look(watched).rates.has_value());
  put("in", 30, "{}");
  predict(20, 0.5);
  clock_.advance(std::chrono::seconds(2));
  const PipelineView view = look(watched);
  ASSERT_TRUE(view.rates.has_value());
  EXPECT_EQ(view.rates->in, 15);
  EXPECT_EQ(view.rates->predicted, 10);
  EXPECT_EQ(view.rates->dead_lettered, 0);
}

TEST_F(Watched, WhatWasThereBeforeIsSeenButIsNoRate) {
  predict(10, 0.31);
  predict(5, 0.99, 8);
  PipelineWatch watched = watch();
  look(watched);
  clock_.advance(std::chrono::seconds(1));
  const PipelineView view = look(watched);
  EXPECT_EQ(view.rates->predicted, 0);
  EXPECT_EQ(view.scores, 15U);
  EXPECT_EQ(view.histogram[3], 10U);
  EXPECT_EQ(view.histogram[9], 5U);
  EXPECT_EQ(view.inference_ms->p50, 2);
  EXPECT_EQ(view.inference_ms->p99, 8);
  EXPECT_EQ(view.end_to_end_ms->p50, 250);
  EXPECT_EQ(view.model_version, "3-ab");
}

TEST_F(Watched, DeadLettersAreCountedByReasonAndReasonsAreBounded) {
  const log::Header parse{"__millrace.errors.code", "parse_error"};
  put("dead", 3, "x", {&parse, 1});
  for (std::size_t i = 0; i < PipelineWatch::kCodesMax + 10; ++i) {
    const std::string code = "code-" + std::to_string(i);
    const log::Header header{"__millrace.errors.code", std::string_view(code)};
    put("dead", 1, "x", {&header, 1});
  }
  PipelineWatch watched = watch();
  const PipelineView view = look(watched);
  EXPECT_EQ(view.dead_letters.at("parse_error"), 3U);
  EXPECT_EQ(view.dead_letters.at("(other)"), 11U);
  EXPECT_EQ(view.dead_letters.size(), PipelineWatch::kCodesMax + 1);
}

TEST_F(Watched, AMessageThatIsNoPredictionIsOnlyCounted) {
  PipelineWatch watched = watch();
  look(watched);
  put("out", 4, "not JSON");
  clock_.advance(std::chrono::seconds(1));
  const PipelineView view = look(watched);
  EXPECT_EQ(view.rates->predicted, 4);
  EXPECT_EQ(view.scores, 0U);
}

TEST_F(Watched, TheGroupShowsItsMembersAndWhatIsLeftToDo) {
  put("in", 6, "{}");
  PipelineWatch watched = watch();
  EXPECT_EQ(look(watched).group_state, "none");
  log::ConsumerOptions consume;
  consume.group = pipeline_.group;
  consume.topics = {pipeline_.input.topic.name};
  const auto consumer = log_.open_consumer(consume);
  ASSERT_TRUE(consumer);
  ASSERT_TRUE((*consumer)->poll(clock_.steady()));
  const PipelineView view = look(watched);
  EXPECT_EQ(view.group_state, "stable");
  ASSERT_EQ(view.members.size(), 1U);
  ASSERT_EQ(view.partitions.size(), 2U);
  EXPECT_EQ(view.partitions[0].member, (*consumer)->member_id());
  EXPECT_EQ(view.consumer_lag, 6);
}

TEST_F(Watched, WatchingJoinsNoGroup) {
  PipelineWatch watched = watch();
  predict(10, 0.5);
  look(watched);
  const auto groups = log_.admin().groups();
  ASSERT_TRUE(groups);
  EXPECT_TRUE(groups->empty());
}

TEST_F(Watched, AMissingTopicIsAnError) {
  ASSERT_TRUE(log_.admin().delete_topic(TopicName("out")));
  const auto opened = PipelineWatch::open(log_, pipeline_, clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kUnknownTopic);
}

// Whatever the size of the window, no line is wider and there are not more lines than it has.
TEST_F(Watched, EveryScreenIsKept) {
  predict(100, 0.7);
  put("in", 20, "{}");
  const log::Header code{"__millrace.errors.code", "a_code_with_a_rather_long_name"};
  put("dead", 3, "x", {&code, 1});
  log::ConsumerOptions consume;
  consume.group = pipeline_.group;
  consume.topics = {pipeline_.input.topic.name};
  const auto consumer = log_.open_consumer(consume);
  ASSERT_TRUE((*consumer)->poll(clock_.steady()));
  PipelineWatch watched = watch();
  look(watched);
  clock_.advance(std::chrono::seconds(1));
  const PipelineView view = look(watched);
  TopContext context;
  context.pipeline = "plans";
  context.log = "sqlite:/a/rather/long/path/to/the/folder/where/everything/is/kept/log.db";
  context.group = pipeline_.group.value();
  context.predicted.assign(300, 5.0);
  for (const auto& [rows, columns] : std::vector<std::pair<std::size_t, std::size_t>>{
           {24, 80}, {40, 120}, {10, 40}, {5, 20}, {60, 200}}) {
    Screen screen;
    screen.rows = rows;
    screen.columns = columns;
    screen.symbols = Screen::Symbols::kUnicode;
    const auto lines = top_lines(view, context, screen);
    EXPECT_LE(lines.size(), rows);
    for (const std::string& line : lines) EXPECT_LE(display_width(line), columns) << line;
  }
  std::string plain;
  for (const std::string& line : top_lines(view, context, Screen())) plain += line + "\n";
  EXPECT_THAT(plain, HasSubstr("plans-consumer, stable, 1 member"));
  EXPECT_THAT(plain, HasSubstr("a_code_with_a_rather_long_name"));
  EXPECT_THAT(plain, HasSubstr("consumer lag  20"));
}

TEST_F(Watched, JsonHasEverythingTheScreenHas) {
  predict(2, 0.7);
  PipelineWatch watched = watch();
  look(watched);
  clock_.advance(std::chrono::seconds(1));
  const json::Value object = to_json(look(watched), TopContext());
  EXPECT_EQ(object["rates"]["predicted_per_s"], 0);
  EXPECT_EQ(object["score_histogram"][7], 2);
  EXPECT_EQ(object["inference_latency_ms"]["p50"], 2);
  EXPECT_EQ(object["group_state"], "none");
}

}  // namespace
}  // namespace millrace::app
