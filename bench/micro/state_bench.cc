// What it costs to persist the state of a key that changed: CPU time of the whole process, the
// log's threads included, of commits to the embedded log on disk that carry the state of so many
// changed keys (of one average and one lag, at most 128 bytes in memory) beside one output record
// and a position, less that of the same commits without state. Snapshots and what they drop are in
// it. One line of JSON a figure. Usage: state_bench [FOLDER]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/state_keeper.h"
#include "env/clock.h"
#include "env/file.h"
#include "env/random.h"
#include "features/series_transform.h"
#include "log_sqlite/sqlite_log.h"
#include "must.h"
#include "telemetry/logger.h"

namespace millrace::engine {
namespace {

constexpr std::size_t kKeys = 100'000;
constexpr std::size_t kChanges = 2'000'000;  // of a round, at most
constexpr std::size_t kCommitsMax = 2'000;   // of a round
constexpr std::size_t kRounds = 3;

constexpr std::int64_t kHour = 3'600'000;

// One average and one lag of a field.
features::SeriesTransform narrow() {
  data::Field field;
  field.name = "CO";
  field.type = data::FieldType::kNumber;
  const auto schema = data::Schema::make({field});
  CHECK(schema);
  const std::vector<features::SeriesOperator> operators{features::Ema{{"CO"}, {6}},
                                                        features::Lag{{"CO"}, {1}}};
  auto made = features::SeriesTransform::make({Milliseconds(kHour), operators, {}}, *schema);
  CHECK(made && made->state_size() * sizeof(double) <= 128);
  return std::move(*made);
}

// A group over one partition, whose commits are all that happens.
class Group {
 public:
  Group(log::Log& log, telemetry::Logger& logger, const std::string& name)
      : source_{TopicName(name + ".in"), PartitionId(0)},
        keeper_(
            log, logger, env::real_clock(),
            {TopicName(name + ".state"), "bench", transform_.state_size(), {kKeys, std::nullopt}}) {
    for (const char* topic : {".in", ".state", ".out"})
      must(log.admin().create_topic(TopicName(name + topic), {}));
    log::ConsumerOptions options;
    options.group = GroupId(name);
    options.topics = {source_.topic};
    consumer_ = must(log.open_consumer(options));
    while (!std::holds_alternative<log::Assigned>(poll())) {
    }
    out_ = must(consumer_->transaction().open_topic(TopicName(name + ".out")));
    must(keeper_.open(consumer_->transaction()));
    must(keeper_.take_up(source_, Offset(0)));
    for (std::size_t i = 0; i < kKeys; ++i) names_.push_back("station_" + std::to_string(i));
  }

  // Changes `changed` keys, and commits; CPU time of the commit.
  Nanoseconds commit(std::size_t changed) {
    KeyedState& state = *keeper_.find(source_);
    for (std::size_t i = 0; i < changed; ++i) {
      const std::string& key = names_[next_ % kKeys];
      const Timestamp time(static_cast<std::int64_t>(480'000 + next_++ / kKeys) * kHour);
      const data::Cell reading = data::Cell::of_number(random_.uniform() * 10);
      (void)transform_.take({&reading, 1}, time, state.touch(key, Offset(0), time));
    }
    const Nanoseconds before = env::process_cpu_time();
    log::Transaction& transaction = consumer_->transaction();
    log::NewRecord output;
    output.value = "a forecast";
    output.timestamp = Timestamp(1);
    must(transaction.append(out_, output));
    const std::vector<log::Position> positions{{source_, Offset(0)}};
    if (changed > 0) must(keeper_.append(transaction, positions));
    must(transaction.commit(positions));
    while (true) {
      const log::Event event = poll();
      const auto* const outcome = std::get_if<log::CommitOutcome>(&event);
      if (outcome == nullptr) continue;
      CHECK(outcome->result == log::CommitResult::kCommitted);
      break;
    }
    if (changed > 0) keeper_.settle();
    return env::process_cpu_time() - before;
  }

  StateKeeper::Figures figures() const { return keeper_.figures(); }

 private:
  log::Event poll() {
    return must(consumer_->poll(env::real_clock().steady() + std::chrono::seconds(5)));
  }

  const features::SeriesTransform transform_ = narrow();
  log::TopicPartition source_;
  StateKeeper keeper_;
  std::unique_ptr<log::Consumer> consumer_;
  log::TopicHandle out_;
  std::vector<std::string> names_;
  std::size_t next_ = 0;
  env::Random random_{1};
};

double cpu_ns(Group& group, std::size_t commits, std::size_t changed) {
  Nanoseconds spent{0};
  for (std::size_t i = 0; i < commits; ++i) spent += group.commit(changed);
  return static_cast<double>(spent.count()) / static_cast<double>(commits);
}

void bench(log::Log& log, telemetry::Logger& logger, std::size_t changed) {
  Group with(log, logger, "with" + std::to_string(changed));
  Group without(log, logger, "without" + std::to_string(changed));
  const std::size_t commits = std::min(kCommitsMax, kChanges / changed);
  std::vector<double> ns;
  std::vector<double> bare;
  for (std::size_t round = 0; round < kRounds; ++round) {
    bare.push_back(cpu_ns(without, commits, 0));
    ns.push_back((cpu_ns(with, commits, changed) - bare.back()) / static_cast<double>(changed));
  }
  // All that was changed is on the log, and a note a commit.
  CHECK(with.figures().records >= kRounds * commits * (changed + 1));
  std::sort(ns.begin(), ns.end());
  std::sort(bare.begin(), bare.end());
  std::printf(
      "{\"bench\":\"state\",\"changed_keys_a_commit\":%zu,\"cpu_ns_a_changed_key\":%.0f,\"min\":%."
      "0f,"
      "\"max\":%.0f,\"bare_commit_us\":%.1f}\n",
      changed, ns[ns.size() / 2], ns.front(), ns.back(), bare[bare.size() / 2] / 1e3);
  std::fflush(stdout);
}

int run(const env::Path& folder) {
  auto log = must(log_sqlite::open_sqlite_log({.file = folder / "state.db"}, env::real_clock()));
  telemetry::Logger logger(telemetry::Level::kWarning);
  for (const std::size_t changed : {100UL, 1'000UL, 10'000UL}) bench(*log, logger, changed);
  return 0;
}

}  // namespace
}  // namespace millrace::engine

int main(int argc, char** argv) {
  auto folder = millrace::must(millrace::env::TemporaryFolder::make("state_bench"));
  return millrace::engine::run(argc > 1 ? millrace::env::Path(argv[1]) : folder.path());
}
