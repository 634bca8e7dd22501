// Latency of scoring on Kafka beside the pass-through with the same guarantee and commit interval:
// an open loop at a fixed rate, the time a message was due to be sent against the time an
// independent, read-committed consumer has its output. A sender that falls behind makes messages
// late, not fewer. At 1,000 messages a second, and at half of the rate that the program sustains
// beside its broker, sender and receiver: the highest tried, from the rate at which it drains a
// full topic down, at which messages do not pile up. One line of JSON a figure.
//
//   kafka_latency_bench BINARY BOOTSTRAP [MESSAGES=500000 to drain] [PAIRS=3]   (in $TMPDIR)
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "env/file.h"
#include "kafka_run.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPartitions = 3;
constexpr long kWarmUpMessages = 2'000;  // of the beginning, not counted
constexpr double kSeconds = 10;          // of counted load
constexpr auto kPatience = std::chrono::seconds(60);
constexpr int kPollMs = 100;
constexpr double kNextRate = 0.8;   // of the one tried before
constexpr double kPiledUpMs = 500;  // p99 of a rate that is too high

std::vector<std::string> customers(const Setting& setting) {
  const std::string text = *env::read_file(setting.home / "rows.ndjson", std::uint64_t{1} << 30);
  std::vector<std::string> rows;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    rows.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return rows;
}

// Sends `count` messages, the i-th due at start + i / rate, its key the number i.
void send(const Setting& setting, const std::string& topic, const std::vector<std::string>& rows,
          long count, double rate, Clock::time_point start) {
  rd_kafka_t* producer = make_client(
      RD_KAFKA_PRODUCER, {{"bootstrap.servers", setting.bootstrap}, {"linger.ms", "1"}});
  rd_kafka_topic_t* out = rd_kafka_topic_new(producer, topic.c_str(), nullptr);
  for (long i = 0; i < count; ++i) {
    const auto due =
        start + std::chrono::nanoseconds(static_cast<long>(static_cast<double>(i) * 1e9 / rate));
    // Asleep for a millisecond at a time, so that the sender itself costs little.
    if (due > Clock::now()) std::this_thread::sleep_until(due + std::chrono::milliseconds(1));
    const std::string key = std::to_string(i);
    const std::string& row = rows[static_cast<std::size_t>(i) % rows.size()];
    while (rd_kafka_produce(out, static_cast<std::int32_t>(i % kPartitions), RD_KAFKA_MSG_F_COPY,
                            const_cast<char*>(row.data()), row.size(), key.data(), key.size(),
                            nullptr) != 0) {
      rd_kafka_poll(producer, 1);  // the queue is full
    }
    rd_kafka_poll(producer, 0);
  }
  CHECK(rd_kafka_flush(producer, 60'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_topic_destroy(out);
  rd_kafka_destroy(producer);
}

// Milliseconds from due to received of each counted message; every message must come once.
class Receiver {
 public:
  Receiver(const Setting& setting, const std::string& topic, long count)
      : seen_(static_cast<std::size_t>(count), 0) {
    consumer_ = make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", setting.bootstrap},
                                                {"group.id", topic + ".receiver"},
                                                {"isolation.level", "read_committed"},
                                                {"fetch.wait.max.ms", "10"},
                                                {"enable.auto.commit", "false"}});
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(kPartitions);
    for (int i = 0; i < kPartitions; ++i) {
      rd_kafka_topic_partition_list_add(all, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    CHECK(rd_kafka_assign(consumer_, all) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(all);
  }
  ~Receiver() {
    rd_kafka_consumer_close(consumer_);
    rd_kafka_destroy(consumer_);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::vector<double> receive(double rate, Clock::time_point start) {
    std::vector<double> latencies_ms;
    std::size_t received = 0;
    auto last = Clock::now();
    while (received < seen_.size()) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer_, kPollMs);
      const auto now = Clock::now();
      CHECK(now < last + kPatience);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const long i = number_of(*message);
        CHECK(seen_.at(static_cast<std::size_t>(i))++ == 0);
        ++received;
        last = now;
        const std::chrono::duration<double, std::milli> since = now - start;
        if (i >= kWarmUpMessages) {
          latencies_ms.push_back(since.count() - static_cast<double>(i) * 1e3 / rate);
        }
      }
      rd_kafka_message_destroy(message);
    }
    std::sort(latencies_ms.begin(), latencies_ms.end());
    return latencies_ms;
  }

 private:
  static long number_of(const rd_kafka_message_t& message) {
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    long number = -1;
    std::from_chars(key.data(), key.data() + key.size(), number);
    return number;
  }

  rd_kafka_t* consumer_ = nullptr;
  std::vector<char> seen_;
};

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

enum class System { kScore, kPassThrough };

// One run of one system at one rate.
std::vector<double> latencies(Setting setting, System system, double rate,
                              const std::string& name) {
  const std::string in = setting.topic("in." + name);
  const std::string out = setting.topic("out." + name);
  setting.messages = kWarmUpMessages + static_cast<long>(rate * kSeconds);
  const std::vector<std::string> topics = {
      "--set", "input.topic=" + in,           "--set", "input.partitions=3",
      "--set", "output.topic=" + out,         "--set", "output.partitions=3",
      "--set", "group=" + setting.topic(name)};
  std::vector<std::string> create = {"topics", "create", "telco-churn"};
  create.insert(create.end(), topics.begin(), topics.end());
  run_program(setting, create, setting.home / "create.json");
  std::vector<std::string> score = {"score",          "telco-churn",
                                    "--max-messages", std::to_string(setting.messages),
                                    "--set",          "commit.interval=100ms"};
  score.insert(score.end(), topics.begin(), topics.end());
  Child child = system == System::kScore
                    ? start_program(setting, score, setting.home / "score.json")
                    : Child([&] { pass_through(setting, in, out, setting.topic(name)); });
  const std::vector<std::string> rows = customers(setting);
  Receiver receiver(setting, out, setting.messages);
  // Time to join the group; what is late all the same falls into the warm-up.
  const auto start = Clock::now() + std::chrono::seconds(4);
  std::thread sender([&] { send(setting, in, rows, setting.messages, rate, start); });
  std::vector<double> all = receiver.receive(rate, start);
  sender.join();
  child.wait();
  return all;
}

void compare(const Setting& setting, double rate, const std::string& load) {
  std::vector<double> ratios;
  for (int i = 0; i < setting.pairs; ++i) {
    double p99[2] = {0, 0};
    for (const System system : {System::kScore, System::kPassThrough}) {
      const std::string name = system == System::kScore ? "score" : "pass_through";
      const std::vector<double> all =
          latencies(setting, system, rate, name + "." + load + std::to_string(i));
      const std::string figure = "kafka_" + name + "_latency_at_" + load + "_";
      print(figure + "p50", quantile(all, 0.5), "ms");
      print(figure + "p99", quantile(all, 0.99), "ms");
      print(figure + "p99.9", quantile(all, 0.999), "ms");
      p99[system == System::kScore ? 0 : 1] = quantile(all, 0.99);
    }
    ratios.push_back(p99[0] / p99[1]);
  }
  print("kafka_score_to_pass_through_p99_at_" + load, median(ratios), "ratio");
}

// Messages a second from a full topic, from start to end of the process.
double drain(const Setting& setting) {
  const env::Path out = setting.home / "drain.json";
  run_program(setting,
              {"produce", "telco-churn", "--count", std::to_string(setting.messages), "--set",
               "input.topic=" + setting.topic("full")},
              out);
  const Cost cost = run_program(
      setting,
      {"score", "telco-churn", "--mode", "batch", "--json", "--no-report", "--set",
       "input.topic=" + setting.topic("full"), "--set", "output.topic=" + setting.topic("drained"),
       "--set", "group=" + setting.topic("drain")},
      out);
  CHECK(last_line(out)["predicted"] == setting.messages);
  return static_cast<double>(setting.messages) / cost.wall_s;
}

double sustained(const Setting& setting, double rate) {
  for (int i = 0;; ++i, rate *= kNextRate) {
    const auto all = latencies(setting, System::kScore, rate, "sustained" + std::to_string(i));
    if (quantile(all, 0.99) < kPiledUpMs) return rate;
  }
}

void bench(const Setting& setting) {
  train(setting);
  compare(setting, 1'000, "1000_per_s");
  const double rate = drain(setting);
  print("kafka_score_drain_rate", rate, "1/s");
  const double bearable = sustained(setting, rate);
  print("kafka_score_sustained_rate", bearable, "1/s");
  compare(setting, bearable / 2, "half_load");
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  auto folder = millrace::env::TemporaryFolder::make("millrace_bench");
  CHECK(folder.has_value());
  millrace::bench(millrace::setting_of(argc, argv, folder->path()));
  return 0;
}
