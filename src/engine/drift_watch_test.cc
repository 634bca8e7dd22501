// The watch of a score run on a log in memory: alerts go with transactions, and state comes back.
#include "engine/drift_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "env/random.h"
#include "env/testing/manual_clock.h"
#include "json/json.h"
#include "log/testing/memory_log.h"

namespace millrace::engine {
namespace {

constexpr const char* kPipeline = R"(
version: 1
name: plans
input: {topic: in, key: id, event_time: at}
output: {topic: out, key: id}
schema:
  id: {type: string}
  at: {type: timestamp}
  plan: {type: category, values: [basic, pro]}
  usage: {type: number, min: 0}
  usage_max: {type: number}
  left: {type: category, values: ['no', 'yes'], label: true, required: false}
features:
  - {numeric: [usage, usage_max]}
  - {one_hot: [plan]}
drift: {window: 1h, features: [usage, plan], statistics: [mean_shift, psi]}
)";

constexpr std::int64_t kMinuteMs = 60'000;
const std::vector<std::string> kColumns = {"usage", "usage_max", "plan=basic", "plan=pro"};

spec::Pipeline pipeline_of(const std::vector<std::string>& set = {}) {
  auto loaded = spec::parse_pipeline(kPipeline, "test.yaml", {.set = set});
  EXPECT_TRUE(loaded) << loaded.error().message();
  return std::move(loaded->pipeline);
}

std::vector<double> row_of(env::Random& random) {
  const double pro = random.below(2) == 0 ? 0 : 1;
  return {random.normal(), random.normal(), 1 - pro, pro};
}

Result<json::Value> reference_of(const spec::Pipeline& pipeline, std::size_t rows = 6000) {
  data::FeatureBatch batch(kColumns.size());
  std::vector<Timestamp> times;
  std::vector<double> scores;
  env::Random random(1);
  for (std::size_t i = 0; i < rows; ++i) {
    const std::vector<double> row = row_of(random);
    std::copy(row.begin(), row.end(), batch.add_row().begin());
    times.push_back(Timestamp(static_cast<std::int64_t>(i) * kMinuteMs));
    scores.push_back(random.uniform());
  }
  return drift_reference(pipeline, {kColumns, batch, times, scores});
}

model::Manifest manifest_of(const spec::Pipeline& pipeline) {
  auto reference = reference_of(pipeline);
  EXPECT_TRUE(reference) << reference.error().message();
  model::Manifest manifest;
  manifest.version = "3-abcdef01";
  manifest.features = kColumns;
  manifest.drift_reference = std::move(*reference);
  return manifest;
}

DriftWatch watch_of(const spec::Pipeline& pipeline) {
  auto made = DriftWatch::make(pipeline, manifest_of(pipeline));
  EXPECT_TRUE(made) << made.error().message();
  return std::move(**made);
}

// Observes minutes [begin, end); usage moved by `shift`.
void observe(DriftWatch& watch, env::Random& random, int begin, int end, double shift) {
  std::vector<double> watched;
  for (int i = begin; i < end; ++i) {
    std::vector<double> row = row_of(random);
    row[0] += shift;
    watch.pick(row, watched);
    watch.observe(PartitionId(2), Offset(i), Timestamp(i * kMinuteMs), watched, random.uniform());
  }
}

class Alerts {
 public:
  explicit Alerts(const spec::Pipeline& pipeline) : log_(clock_) {
    EXPECT_TRUE(log_.admin().create_topic(pipeline.alerts_topic, {}));
    auto producer = log_.open_producer({pipeline.alerts_topic, ""});
    EXPECT_TRUE(producer);
    producer_ = std::move(*producer);
    topic_ = *producer_->open_topic(pipeline.alerts_topic);
    name_ = pipeline.alerts_topic;
  }

  void take(DriftWatch& watch) {
    ASSERT_TRUE(watch.append_alerts(*producer_, topic_, Timestamp(77)));
    ASSERT_TRUE(producer_->commit(RowNumber(0)));
  }

  std::vector<json::Value> all() {
    std::vector<json::Value> out;
    auto reader = log_.open_reader({name_, {}, {}, false});
    EXPECT_TRUE(reader);
    while (!(*reader)->at_end()) {
      const auto batch = (*reader)->next(clock_.steady());
      EXPECT_TRUE(batch);
      if (!*batch) break;
      for (const log::Record& record : (*batch)->records) {
        out.push_back(json::parse(*record.value, "alert").value());
        EXPECT_EQ(out.back()["feature"], std::string(*record.key));
        EXPECT_EQ(record.timestamp, Timestamp(77));
      }
    }
    return out;
  }

 private:
  env::ManualClock clock_;
  log::testing::MemoryLog log_;
  std::unique_ptr<log::Producer> producer_;
  log::TopicHandle topic_;
  TopicName name_;
};

TEST(DriftWatch, WatchesColumnsByNameOrByFieldAndTheScore) {
  const spec::Pipeline pipeline = pipeline_of();
  const DriftWatch watch = watch_of(pipeline);
  EXPECT_EQ(watch.columns(), (std::vector<std::size_t>{0, 2, 3}));
  const auto& columns = watch.monitor().reference().columns;
  ASSERT_EQ(columns.size(), 4U);
  EXPECT_EQ(columns[1].profile.column.name, "plan=basic");
  EXPECT_EQ(columns[1].profile.column.group, "plan");
  EXPECT_EQ(columns[3].profile.column.name, "score");
  EXPECT_EQ(watch_of(pipeline_of({"drift.features=all"})).columns().size(), 4U);
  const DriftWatch unscored = watch_of(pipeline_of({"drift.score=false"}));
  EXPECT_EQ(unscored.monitor().reference().columns.size(), 3U);
}

TEST(DriftWatch, AnAlertSaysWhatWhereAndBeyondWhich) {
  const spec::Pipeline pipeline = pipeline_of();
  DriftWatch watch = watch_of(pipeline);
  Alerts alerts(pipeline);
  env::Random random(9);
  observe(watch, random, 0, 70, 0);
  alerts.take(watch);
  EXPECT_TRUE(watch.committed());
  EXPECT_TRUE(alerts.all().empty());
  observe(watch, random, 70, 130, 2);
  alerts.take(watch);
  const std::vector<json::Value> all = alerts.all();
  ASSERT_EQ(all.size(), 2U);
  std::set<std::string> statistics;
  for (const json::Value& alert : all) {
    statistics.insert(alert["statistic"]);
    EXPECT_EQ(alert["alert"], "drift");
    EXPECT_EQ(alert["state"], "raised");
    EXPECT_EQ(alert["pipeline"], "plans");
    EXPECT_EQ(alert["model_version"], "3-abcdef01");
    EXPECT_EQ(alert["feature"], "usage");
    EXPECT_GT(alert["value"].get<double>(), alert["threshold"].get<double>());
    EXPECT_EQ(alert["window_start"], "1970-01-01T01:00:00.000Z");
    EXPECT_EQ(alert["window_end"], "1970-01-01T02:00:00.000Z");
    EXPECT_EQ(alert["event_ts"], alert["window_end"]);
    EXPECT_EQ(alert["records"], 60);
    EXPECT_EQ(alert["source_topic"], "in");
    EXPECT_EQ(alert["offsets"][0]["partition"], 2);
    EXPECT_EQ(alert["offsets"][0]["first_offset"], 60);
    EXPECT_EQ(alert["offsets"][0]["last_offset"], 119);
    // All that its schema asks for, and nothing else.
    const json::Value schema = spec::drift_alert_json_schema(pipeline);
    EXPECT_EQ(alert.size(), schema["properties"].size());
    for (const json::Value& name : schema["required"]) {
      EXPECT_TRUE(alert.contains(name.get<std::string>())) << name;
    }
  }
  EXPECT_EQ(statistics, (std::set<std::string>{"mean_shift", "psi"}));
  alerts.take(watch);
  EXPECT_EQ(alerts.all().size(), 2U);  // each once
}

TEST(DriftWatch, AnAbortGoesBackToTheLastCommit) {
  const spec::Pipeline pipeline = pipeline_of();
  DriftWatch watch = watch_of(pipeline);
  DriftWatch straight = watch_of(pipeline);
  Alerts alerts(pipeline);
  env::Random random(9);
  env::Random same(9);
  observe(watch, random, 0, 100, 1.5);
  observe(straight, same, 0, 100, 1.5);
  watch.committed();
  straight.committed();
  env::Random other(10);
  observe(watch, other, 100, 260, 9);
  watch.aborted();
  alerts.take(watch);
  EXPECT_TRUE(alerts.all().empty());
  EXPECT_EQ(watch.save(), straight.save());
  observe(watch, random, 100, 200, 1.5);
  observe(straight, same, 100, 200, 1.5);
  watch.committed();
  straight.committed();
  EXPECT_EQ(watch.save(), straight.save());
}

TEST(DriftWatch, RemembersTheAlertsThatWereCommitted) {
  const spec::Pipeline pipeline = pipeline_of();
  DriftWatch watch = watch_of(pipeline);
  Alerts alerts(pipeline);
  env::Random random(9);
  observe(watch, random, 0, 100, 9);
  alerts.take(watch);
  watch.aborted();
  EXPECT_EQ(watch.told_count(), 0U);
  observe(watch, random, 0, 100, 9);
  alerts.take(watch);
  EXPECT_TRUE(watch.told().empty());
  watch.committed();
  ASSERT_FALSE(watch.told().empty());
  EXPECT_EQ(watch.told_count(), watch.told().size());
  EXPECT_EQ(watch.told()[0].feature, "usage");
}

TEST(DriftWatch, ARestartGoesOnFromWhatWasSaved) {
  const spec::Pipeline pipeline = pipeline_of();
  DriftWatch first = watch_of(pipeline);
  env::Random random(9);
  observe(first, random, 0, 90, 1.5);
  EXPECT_TRUE(first.changed());
  const std::string saved = first.save();
  first.committed();
  EXPECT_FALSE(first.changed());
  observe(first, random, 90, 95, 1.5);
  EXPECT_NE(first.save(), saved);
  first.aborted();
  EXPECT_EQ(first.save(), saved);
  DriftWatch second = watch_of(pipeline);
  const Status restored = second.restore(saved);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(second.save(), saved);
  EXPECT_FALSE(second.restore(""));
  EXPECT_FALSE(second.restore(saved.substr(0, saved.size() - 1)));
  // Of a model that was trained on other data.
  model::Manifest other = manifest_of(pipeline);
  other.drift_reference["rows"] = 5'999;
  auto third = DriftWatch::make(pipeline, other);
  ASSERT_TRUE(third);
  EXPECT_FALSE((*third)->restore(saved));
  EXPECT_FALSE(second.restore("not json"));
  EXPECT_EQ(second.save(), saved);
}

TEST(DriftWatch, APipelineWithoutDriftWatchesNothing) {
  spec::Pipeline pipeline = pipeline_of();
  const model::Manifest manifest = manifest_of(pipeline);
  pipeline.drift.reset();
  const auto made = DriftWatch::make(pipeline, manifest);
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->has_value());
  EXPECT_TRUE(reference_of(pipeline).value().is_null());
}

TEST(DriftWatch, AModelThatDoesNotFitIsRefusedWithTheWayOut) {
  const spec::Pipeline pipeline = pipeline_of();
  const auto problem = [](const spec::Pipeline& asked, const model::Manifest& manifest) {
    const auto made = DriftWatch::make(asked, manifest);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().message();
  };
  model::Manifest manifest = manifest_of(pipeline);
  EXPECT_NE(problem(pipeline_of({"drift.window=2h"}), manifest)
                .find("was trained with windows of 1h, the pipeline says 2h; train it again"),
            std::string::npos);
  EXPECT_NE(problem(pipeline_of({"drift.features=usage_max"}), manifest)
                .find("trained with other 'drift.features'"),
            std::string::npos);
  manifest.drift_reference["rows"] = "many";
  EXPECT_NE(problem(pipeline, manifest).find("unsound"), std::string::npos);
  manifest.drift_reference = nullptr;
  EXPECT_NE(problem(pipeline, manifest).find("trained without 'drift'"), std::string::npos);
}

TEST(DriftReference, AnUnknownFeatureIsAnErrorWithTheNearest) {
  const auto made = reference_of(pipeline_of({"drift.features=usege"}));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kConfig);
  EXPECT_NE(made.error().message().find("did you mean 'usage'"), std::string::npos)
      << made.error().message();
}

TEST(DriftReference, TooLittleDataSaysSo) {
  const auto made = reference_of(pipeline_of(), 100);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("too few to learn what is usual"), std::string::npos);
}

}  // namespace
}  // namespace millrace::engine
