// Scoring on Kafka beside a librdkafka pass-through with the same guarantee: read, write 150 bytes
// of each message to another topic, commit both in one transaction every 100 ms; no parsing, no
// model. The pairs run in turns, after a correctness gate. One line of JSON a figure.
//
//   kafka_job_bench BINARY BOOTSTRAP [MESSAGES=500000] [PAIRS=5]      (works in $TMPDIR)
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "env/file.h"
#include "env/random.h"
#include "json/json.h"

namespace millrace {
namespace {

constexpr std::size_t kOutputBytes = 150;  // about a prediction message
constexpr auto kCommitInterval = std::chrono::milliseconds(100);
constexpr int kCallMs = 30'000;

struct Setting {
  std::string binary;
  std::string bootstrap;
  std::string prefix = "bench" + env::random_hex(4);
  env::Path home;
  long messages = 500'000;
  int pairs = 5;
};

struct Cost {
  double cpu_s = 0;
  double wall_s = 0;
  double peak_mb = 0;
};

// Runs `work` in a process of its own, which must end well.
Cost measure(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  CHECK(::wait4(pid, &status, 0, &usage) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

Cost run(const Setting& setting, std::vector<std::string> arguments, const env::Path& out) {
  arguments.insert(arguments.begin(), setting.binary);
  for (const std::string& word :
       {std::string("--log"), "kafka://" + setting.bootstrap, std::string("--home"),
        setting.home.string(), std::string("--quiet"), std::string("--set"),
        "input.topic=" + setting.prefix + ".in"}) {
    arguments.push_back(word);
  }
  return measure([&] {
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int fd = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(fd, 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  });
}

json::Value last_line(const env::Path& file) {
  std::string text = *env::read_file(file, std::uint64_t{1} << 20);
  while (text.ends_with('\n')) text.pop_back();
  const std::size_t start = text.rfind('\n');
  return *json::parse(std::string_view(text).substr(start == std::string::npos ? 0 : start + 1),
                      file.string());
}

void print(const std::string& figure, double value, const std::string& unit) {
  json::Value line;
  line["figure"] = figure;
  line["value"] = value;
  line["unit"] = unit;
  std::printf("%s\n", json::to_line(line).c_str());
  std::fflush(stdout);
}

// ----------------------------------------------------------------------------------------------
// the pass-through

void check(rd_kafka_error_t* error) {
  if (error == nullptr) return;
  std::fprintf(stderr, "pass-through: %s\n", rd_kafka_error_string(error));
  ::_exit(1);
}

rd_kafka_t* make(rd_kafka_type_t type,
                 const std::vector<std::pair<std::string, std::string>>& properties, void* opaque,
                 void (*on_message)(rd_kafka_message_t*, void*)) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[256];
  for (const auto& [name, value] : properties) {
    CHECK(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) ==
          RD_KAFKA_CONF_OK);
  }
  rd_kafka_conf_set_opaque(conf, opaque);
  if (on_message != nullptr) rd_kafka_conf_set_consume_cb(conf, on_message);
  rd_kafka_t* handle = rd_kafka_new(type, conf, reason, sizeof reason);
  CHECK(handle != nullptr);
  return handle;
}

struct PassThrough {
  rd_kafka_t* consumer = nullptr;
  rd_kafka_t* producer = nullptr;
  rd_kafka_topic_t* out = nullptr;
  long seen = 0;
  bool begun = false;
  std::chrono::steady_clock::time_point last_commit;

  static void on_message(rd_kafka_message_t* message, void* opaque) {
    auto& self = *static_cast<PassThrough*>(opaque);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (!std::exchange(self.begun, true)) check(rd_kafka_begin_transaction(self.producer));
    while (rd_kafka_produce(self.out, message->partition, RD_KAFKA_MSG_F_COPY, message->payload,
                            std::min(message->len, kOutputBytes), message->key, message->key_len,
                            nullptr) != 0) {
      rd_kafka_poll(self.producer, 10);  // the queue is full
    }
    if (++self.seen % 2'000 == 0) rd_kafka_yield(self.consumer);
  }

  void commit() {
    if (!std::exchange(begun, false)) return;
    rd_kafka_topic_partition_list_t* positions = nullptr;
    CHECK(rd_kafka_assignment(consumer, &positions) == RD_KAFKA_RESP_ERR_NO_ERROR);
    CHECK(rd_kafka_position(consumer, positions) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
    check(rd_kafka_send_offsets_to_transaction(producer, positions, group, kCallMs));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(positions);
    check(rd_kafka_commit_transaction(producer, kCallMs));
  }

  void run(const Setting& setting, const std::string& group) {
    consumer = make(RD_KAFKA_CONSUMER,
                    {{"bootstrap.servers", setting.bootstrap},
                     {"group.id", group},
                     {"auto.offset.reset", "earliest"},
                     {"enable.auto.commit", "false"},
                     {"enable.auto.offset.store", "false"},
                     {"partition.assignment.strategy", "range"},
                     {"queued.min.messages", "100000"}},
                    this, &PassThrough::on_message);
    producer = make(RD_KAFKA_PRODUCER,
                    {{"bootstrap.servers", setting.bootstrap},
                     {"transactional.id", group},
                     {"queue.buffering.max.messages", "1000000"},
                     {"linger.ms", "5"}},
                    this, nullptr);
    check(rd_kafka_init_transactions(producer, kCallMs));
    out = rd_kafka_topic_new(producer, (setting.prefix + ".through").c_str(), nullptr);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, (setting.prefix + ".in").c_str(),
                                      RD_KAFKA_PARTITION_UA);
    CHECK(rd_kafka_subscribe(consumer, topics) == RD_KAFKA_RESP_ERR_NO_ERROR);
    last_commit = std::chrono::steady_clock::now();
    while (seen < setting.messages) {
      rd_kafka_poll(consumer, 20);
      const auto now = std::chrono::steady_clock::now();
      if (now - last_commit < kCommitInterval) continue;
      commit();
      last_commit = std::chrono::steady_clock::now();
    }
    commit();
    CHECK(seen == setting.messages);
  }
};

// ----------------------------------------------------------------------------------------------

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Scores all messages as a new group onto a new topic.
Cost score(const Setting& setting, const std::string& name, const std::string& delivery) {
  const env::Path out = setting.home / "score.json";
  const Cost cost = run(setting,
                        {"score", "telco-churn", "--mode", "batch", "--json", "--no-report",
                         "--set", "output.topic=" + setting.prefix + "." + name, "--set",
                         "group=" + setting.prefix + name, "--set", "delivery=" + delivery},
                        out);
  const json::Value result = last_line(out);
  CHECK(result["consumed"] == setting.messages && result["predicted"] == setting.messages);
  return cost;
}

void bench(const Setting& setting) {
  const env::Path out = setting.home / "out.json";
  const auto n = static_cast<double>(setting.messages);
  run(setting, {"simulate", "telco-churn", "--count", "20000"}, setting.home / "rows.ndjson");
  run(setting, {"train", "telco-churn", "--data", (setting.home / "rows.ndjson").string()}, out);
  const Cost produced =
      run(setting,
          {"produce", "telco-churn", "--count", std::to_string(setting.messages), "--json"}, out);
  CHECK(last_line(out)["sent"] == setting.messages);
  print("kafka_produce_cpu_ns_per_row", produced.cpu_s * 1e9 / n, "ns");
  run(setting,
      {"topics", "create", "telco-churn", "--set", "output.topic=" + setting.prefix + ".through"},
      out);
  std::vector<double> ours;
  std::vector<double> through;
  std::vector<double> ratios;
  std::vector<double> guarantee;
  double peak = 0;
  for (int i = 0; i < setting.pairs; ++i) {
    const std::string turn = std::to_string(i);
    const Cost a = score(setting, "exactly" + turn, "exactly_once");
    const Cost b = measure([&] { PassThrough().run(setting, setting.prefix + "through" + turn); });
    const Cost c = score(setting, "atleast" + turn, "at_least_once");
    ours.push_back(a.cpu_s * 1e9 / n);
    through.push_back(b.cpu_s * 1e9 / n);
    ratios.push_back(a.cpu_s / b.cpu_s);
    guarantee.push_back(c.wall_s / a.wall_s);
    peak = std::max(peak, a.peak_mb);
    print("kafka_score_messages_per_s", n / a.wall_s, "1/s");
  }
  print("kafka_score_cpu_ns_per_message", median(ours), "ns");
  print("kafka_pass_through_cpu_ns_per_message", median(through), "ns");
  print("kafka_score_to_pass_through_cpu", median(ratios), "ratio");
  print("kafka_score_to_pass_through_cpu_min", *std::min_element(ratios.begin(), ratios.end()),
        "ratio");
  print("kafka_score_to_pass_through_cpu_max", *std::max_element(ratios.begin(), ratios.end()),
        "ratio");
  print("kafka_exactly_once_to_at_least_once_rate", median(guarantee), "ratio");
  print("kafka_score_peak_mb", peak, "MB");
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 3) {
    std::fprintf(stderr, "usage: kafka_job_bench BINARY BOOTSTRAP [MESSAGES] [PAIRS]\n");
    return 2;
  }
  Setting setting;
  setting.binary = std::filesystem::absolute(argv[1]).string();
  setting.bootstrap = argv[2];
  if (argc > 3) setting.messages = std::strtol(argv[3], nullptr, 10);
  if (argc > 4) setting.pairs = static_cast<int>(std::strtol(argv[4], nullptr, 10));
  auto folder = env::TemporaryFolder::make("millrace_bench");
  CHECK(folder.has_value());
  setting.home = folder->path();
  bench(setting);
  return 0;
}
