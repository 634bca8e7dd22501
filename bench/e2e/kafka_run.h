// What the benchmarks on a real broker share: the program and the pass-through as processes whose
// cost is measured.
#pragma once

#include <librdkafka/rdkafka.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "env/file.h"
#include "env/random.h"
#include "json/json.h"

namespace millrace {

struct Setting {
  std::string binary;
  std::string bootstrap;
  std::string prefix = "bench" + env::random_hex(4);
  env::Path home;
  long messages = 1'000'000;
  int pairs = 5;

  std::string topic(const std::string& name) const { return prefix + "." + name; }
};

// Reads BINARY BOOTSTRAP [MESSAGES] [PAIRS]; ends the process with 2 when they are missing.
Setting setting_of(int argc, char** argv, const env::Path& home);

struct Cost {
  double cpu_s = 0;
  double wall_s = 0;
  double peak_mb = 0;
};

// `work` in a process of its own. wait() ends this one unless that one ended well.
class Child {
 public:
  explicit Child(const std::function<void()>& work);
  Cost wait();

 private:
  pid_t pid_ = -1;
  std::chrono::steady_clock::time_point start_;
};

// The program with these arguments and the benchmark's log, home and input topic; its standard
// output goes to `out`.
Child start_program(const Setting& setting, std::vector<std::string> arguments,
                    const env::Path& out);
inline Cost run_program(const Setting& setting, std::vector<std::string> arguments,
                        const env::Path& out) {
  return start_program(setting, std::move(arguments), out).wait();
}
// The last line of JSON in a file.
json::Value last_line(const env::Path& file);
// A trained model under the setting's home, and 20,000 customers in rows.ndjson beside it.
void train(const Setting& setting);

double median(std::vector<double> values);
// One line of JSON.
void print(const std::string& figure, double value, const std::string& unit);

using Properties = std::vector<std::pair<std::string, std::string>>;
// A librdkafka client; ends the process where it cannot be made.
rd_kafka_t* make_client(rd_kafka_type_t type, const Properties& properties, void* opaque = nullptr,
                        void (*on_message)(rd_kafka_message_t*, void*) = nullptr);

// Reads setting.messages of `in` as `group`, writes as many bytes of each as a prediction of
// telco-churn has, with its key, to `out`, and commits both in one transaction every 100 ms: no
// parsing, no model.
void pass_through(const Setting& setting, const std::string& in, const std::string& out,
                  const std::string& group);

}  // namespace millrace
