#include "kafka_run.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"

namespace millrace {
namespace {

constexpr std::size_t kOutputBytes = 212;  // what predictions of telco-churn have on average
constexpr auto kCommitInterval = std::chrono::milliseconds(100);
constexpr int kCallMs = 30'000;

void check(rd_kafka_error_t* error) {
  if (error == nullptr) return;
  std::fprintf(stderr, "pass-through: %s\n", rd_kafka_error_string(error));
  ::_exit(1);
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

  void run(const Setting& setting, const std::string& from, const std::string& to,
           const std::string& group) {
    consumer = make_client(RD_KAFKA_CONSUMER,
                           {{"bootstrap.servers", setting.bootstrap},
                            {"group.id", group},
                            {"auto.offset.reset", "earliest"},
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"partition.assignment.strategy", "range"},
                            {"check.crcs", "true"},
                            {"queued.min.messages", "100000"},
                            {"fetch.wait.max.ms", "20"}},
                           this, &PassThrough::on_message);
    producer = make_client(RD_KAFKA_PRODUCER,
                           {{"bootstrap.servers", setting.bootstrap},
                            {"transactional.id", group},
                            {"queue.buffering.max.messages", "1000000"},
                            {"linger.ms", "100"}},
                           this, nullptr);
    check(rd_kafka_init_transactions(producer, kCallMs));
    out = rd_kafka_topic_new(producer, to.c_str(), nullptr);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, from.c_str(), RD_KAFKA_PARTITION_UA);
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

}  // namespace

Setting setting_of(int argc, char** argv, const env::Path& home) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s BINARY BOOTSTRAP [MESSAGES] [PAIRS]\n", argv[0]);
    std::exit(2);
  }
  Setting setting;
  setting.binary = std::filesystem::absolute(argv[1]).string();
  setting.bootstrap = argv[2];
  if (argc > 3) setting.messages = std::strtol(argv[3], nullptr, 10);
  if (argc > 4) setting.pairs = static_cast<int>(std::strtol(argv[4], nullptr, 10));
  setting.home = home;
  return setting;
}

Child::Child(const std::function<void()>& work)
    : pid_(::fork()), start_(std::chrono::steady_clock::now()) {
  CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  work();
  ::_exit(0);
}

Cost Child::wait() {
  int status = 0;
  rusage usage{};
  CHECK(::wait4(pid_, &status, 0, &usage) == pid_);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime),
          std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(),
          static_cast<double>(usage.ru_maxrss) / 1024};
}

Child start_program(const Setting& setting, std::vector<std::string> arguments,
                    const env::Path& out) {
  arguments.insert(arguments.begin(), setting.binary);
  for (const std::string& word :
       {std::string("--log"), "kafka://" + setting.bootstrap, std::string("--home"),
        setting.home.string(), std::string("--quiet")}) {
    arguments.push_back(word);
  }
  return Child([&] {
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

void train(const Setting& setting) {
  const env::Path rows = setting.home / "rows.ndjson";
  run_program(setting, {"simulate", "telco-churn", "--count", "20000"}, rows);
  run_program(setting, {"train", "telco-churn", "--data", rows.string()},
              setting.home / "train.json");
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const std::string& figure, double value, const std::string& unit) {
  json::Value line;
  line["figure"] = figure;
  line["value"] = value;
  line["unit"] = unit;
  std::printf("%s\n", json::to_line(line).c_str());
  std::fflush(stdout);
}

rd_kafka_t* make_client(rd_kafka_type_t type, const Properties& properties, void* opaque,
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

void pass_through(const Setting& setting, const std::string& in, const std::string& out,
                  const std::string& group) {
  PassThrough().run(setting, in, out, group);
}

}  // namespace millrace
