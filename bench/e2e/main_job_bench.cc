// The main job at size, whole program: a CSV of customers produced to the embedded log, scored
// exactly-once with synchronous=FULL, and checked. Prints CPU time a message in all and by stage,
// the wall rate beside a raw append + fdatasync of the same bytes, resident memory and the time to
// the first prediction; one line of JSON a figure.
//
//   main_job_bench BINARY [MESSAGES=1000000]   (works in $TMPDIR)
//
// A correctness gate comes first: the keys of the predictions are the keys of the rows, each once.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/check.h"
#include "env/file.h"
#include "json/json.h"

namespace millrace {
namespace {

struct Finished {
  int exit_code = 0;
  double wall_s = 0;
  double cpu_s = 0;
  double peak_mb = 0;
  json::Value result;
};

struct Setting {
  std::string binary;
  env::Path home;
  long messages = 1'000'000;
};

// Runs the program; `out` receives standard output ("" = /dev/null).
Finished run(const Setting& setting, std::vector<std::string> arguments,
             const std::string& out_file) {
  arguments.insert(arguments.begin(), setting.binary);
  arguments.insert(arguments.end(), {"--home", setting.home.string(), "--quiet"});
  std::vector<char*> argv;
  for (std::string& word : arguments) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto start = std::chrono::steady_clock::now();
  const pid_t pid = ::fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    const int out = ::open(out_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(out, 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  CHECK(::wait4(pid, &status, 0, &usage) == pid);
  Finished finished;
  finished.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  finished.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  finished.cpu_s = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  finished.peak_mb = static_cast<double>(usage.ru_maxrss) / 1024;
  if (finished.exit_code != 0) {
    std::fprintf(stderr, "failed with %d: %s %s\n", finished.exit_code, arguments[0].c_str(),
                 arguments[1].c_str());
    std::exit(1);
  }
  return finished;
}

json::Value last_line(const env::Path& file) {
  const std::string text = *env::read_file(file, std::uint64_t{64} << 20);
  const std::size_t end = text.find_last_not_of('\n') + 1;
  const std::size_t start = text.rfind('\n', end - 1);
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

std::string customer_id(long n) {
  char text[16];
  const long letters = n / 10'000;
  std::snprintf(text, sizeof text, "%04ld-%c%c%c%c%c", n % 10'000,
                static_cast<char>('A' + letters / 456'976 % 26),
                static_cast<char>('A' + letters / 17'576 % 26),
                static_cast<char>('A' + letters / 676 % 26),
                static_cast<char>('A' + letters / 26 % 26), static_cast<char>('A' + letters % 26));
  return text;
}

// A CSV with as many customers as wanted: simulated rows, each under a new id.
void write_customers(const Setting& setting, const env::Path& csv) {
  const env::Path made = setting.home / "rows.ndjson";
  run(setting, {"simulate", "telco-churn", "--count", "20000"}, made.string());
  std::ifstream in(made);
  std::vector<std::string> rows;
  std::string header;
  for (std::string line; std::getline(in, line);) {
    const json::Value row = *json::parse(line, "row");
    std::string cells;
    header.clear();
    for (const auto& [key, value] : row.items()) {
      if (key == "event_ts") continue;
      header += (header.empty() ? "" : ",") + key;
      if (key == "customerID") continue;
      cells += "," + (value.is_string() ? value.get<std::string>()
                      : value.is_null() ? ""
                                        : json::to_line(value));
    }
    rows.push_back(std::move(cells));
  }
  std::ofstream out(csv);
  out << header << "\n";
  for (long i = 0; i < setting.messages; ++i) {
    out << customer_id(i) << rows[static_cast<std::size_t>(i) % rows.size()] << "\n";
  }
}

// Wall time of appending `bytes` in `commits` pieces to a pre-allocated file, each synced.
double raw_append_s(const env::Path& file, std::uint64_t bytes, std::uint64_t commits) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && ::posix_fallocate(fd, 0, static_cast<off_t>(bytes)) == 0);
  const std::string piece(bytes / commits, 'x');
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < commits; ++i) {
    CHECK(::write(fd, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
    CHECK(::fdatasync(fd) == 0);
  }
  ::close(fd);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::uint64_t check_predictions(const Setting& setting) {
  const env::Path dump = setting.home / "predictions.ndjson";
  run(setting, {"topics", "dump", "telco.churn.predictions"}, dump.string());
  std::ifstream in(dump);
  std::unordered_set<std::string> keys;
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const std::size_t at = line.find("\"key\":\"") + 7;
    keys.insert(line.substr(at, line.find('"', at) - at));
    bytes += 160;
  }
  CHECK(lines == static_cast<std::uint64_t>(setting.messages));
  CHECK(keys.size() == lines);
  for (long i = 0; i < setting.messages; i += 997) CHECK(keys.contains(customer_id(i)));
  return bytes;
}

void measure(const Setting& setting) {
  const env::Path csv = setting.home / "customers.csv";
  const env::Path out = setting.home / "out.json";
  const auto n = static_cast<double>(setting.messages);
  write_customers(setting, csv);
  run(setting, {"train", "telco-churn", "--data", (setting.home / "rows.ndjson").string()},
      out.string());

  const Finished produced =
      run(setting, {"produce", "telco-churn", "--data", csv.string(), "--json"}, out.string());
  CHECK(last_line(out)["sent"] == setting.messages);
  print("produce_cpu_ns_per_row", produced.cpu_s * 1e9 / n, "ns");
  print("produce_rows_per_s", n / produced.wall_s, "1/s");
  print("produce_peak_mb", produced.peak_mb, "MB");

  // Start to first prediction: a window of one message, process start to exit.
  const Finished first = run(setting,
                             {"score", "telco-churn", "--mode", "batch", "--max-messages", "1",
                              "--no-report", "--consumer-group", "first"},
                             out.string());
  print("start_to_first_prediction_ms", first.wall_s * 1e3, "ms");
  run(setting, {"topics", "delete", "telco.churn.predictions", "--yes"}, out.string());

  const Finished scored =
      run(setting, {"score", "telco-churn", "--mode", "batch", "--json"}, out.string());
  const json::Value result = last_line(out);
  CHECK(result["consumed"] == setting.messages && result["predicted"] == setting.messages);
  const std::uint64_t bytes = check_predictions(setting);
  print("score_cpu_ns_per_message", scored.cpu_s * 1e9 / n, "ns");
  for (const auto& [stage, ns] : result["stage_cpu_ns"].items()) {
    print("score_cpu_ns_per_message_" + stage, ns.get<double>() / n, "ns");
  }
  print("score_messages_per_s", n / scored.wall_s, "1/s");
  print("score_peak_mb", scored.peak_mb, "MB");
  const std::uint64_t commits = std::max<std::uint64_t>(1, result["commits"].get<std::uint64_t>());
  const double raw = raw_append_s(setting.home / "raw", bytes, commits);
  print("raw_append_fdatasync_messages_per_s", n / raw, "1/s");
  print("score_rate_to_raw_append_ratio", raw / scored.wall_s, "ratio");
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 2) {
    std::fprintf(stderr, "usage: main_job_bench BINARY [MESSAGES]\n");
    return 2;
  }
  Setting setting;
  setting.binary = std::filesystem::absolute(argv[1]).string();
  if (argc > 2) setting.messages = std::strtol(argv[2], nullptr, 10);
  auto folder = env::TemporaryFolder::make("millrace_bench");
  CHECK(folder.has_value());
  setting.home = folder->path();
  measure(setting);
  return 0;
}
