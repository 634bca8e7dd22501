#include "program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include "base/check.h"

#ifndef MILLRACE_BINARY_PATH  // CMake says where the program of this build is
#define MILLRACE_BINARY_PATH "millrace"
#endif

namespace millrace::integration {
namespace {

constexpr std::uint64_t kOutputMax = std::uint64_t{512} << 20;

// The program of this build, or the one that MILLRACE_BINARY names.
std::string binary() {
  const char* path = std::getenv("MILLRACE_BINARY");
  return path != nullptr && *path != '\0' ? path : MILLRACE_BINARY_PATH;
}

[[noreturn]] void execute(const std::vector<std::string>& arguments, const env::Path& folder,
                          const Environment& environment) {
  const std::string program = binary();
  if (::chdir(folder.c_str()) != 0) ::_exit(127);
  // Nothing of the caller's MILLRACE_ settings leaks in but the data folder.
  std::vector<std::string> drop;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string name = std::string(*entry).substr(0, std::string(*entry).find('='));
    if (name.starts_with("MILLRACE_")) drop.push_back(name);
  }
  for (const std::string& name : drop) ::unsetenv(name.c_str());
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  static std::vector<std::string> words;
  words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace

json::Value Finished::last_json() const {
  const auto lines = lines_of(out);
  const auto value = json::parse(lines.empty() ? "" : lines.back(), "output");
  EXPECT_TRUE(value) << "stdout: " << out << "\nstderr: " << err;
  return value.value_or(json::Value());
}

std::vector<json::Value> Finished::json_lines() const {
  std::vector<json::Value> values;
  for (const std::string& line : lines_of(out)) {
    const auto value = json::parse(line, "output");
    EXPECT_TRUE(value) << line;
    if (value) values.push_back(*value);
  }
  return values;
}

Process::Process(const std::vector<std::string>& arguments, const env::Path& working_folder,
                 const Environment& environment) {
  static int counter = 0;
  const std::string name =
      ".process-" + std::to_string(::getpid()) + "-" + std::to_string(++counter);
  out_ = working_folder / (name + ".out");
  err_ = working_folder / (name + ".err");
  int in[2];
  CHECK(::pipe2(in, O_CLOEXEC) == 0);
  pid_ = ::fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(in[0], 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    execute(arguments, working_folder, environment);
  }
  ::close(in[0]);
  in_ = in[1];
}

Process::~Process() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (in_ >= 0) ::close(in_);
}

void Process::signal(int number) const { ::kill(pid_, number); }

std::string Process::err_so_far() const { return env::read_file(err_, kOutputMax).value_or(""); }

bool Process::running() {
  if (reaped_) return false;
  rusage usage{};
  if (::wait4(pid_, &status_, WNOHANG, &usage) != pid_) return true;
  reaped_ = true;
  cpu_s_ = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  return false;
}

std::string Process::output() const { return env::read_file(out_, kOutputMax).value_or(""); }

void Process::feed(const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(in_, text.data() + done, text.size() - done);
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  ::close(in_);
  in_ = -1;
}

Finished Process::wait(double seconds) {
  if (!eventually([this] { return !running(); }, seconds)) {
    ADD_FAILURE() << "still running after " << seconds << " s";
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    reaped_ = true;
  }
  Finished finished;
  finished.exit_code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  finished.out = env::read_file(out_, kOutputMax).value_or("");
  finished.err = env::read_file(err_, kOutputMax).value_or("");
  finished.cpu_s = cpu_s_;
  return finished;
}

Workplace::Workplace() : folder_(*env::TemporaryFolder::make("millrace_integration")) {}

void Workplace::write(const std::string& name, const std::string& content) const {
  ASSERT_TRUE(env::write_file_atomic(file(name), content));
}

std::unique_ptr<Process> Workplace::start(const std::vector<std::string>& arguments,
                                          const Environment& environment) const {
  return std::make_unique<Process>(arguments, path(), environment);
}

Finished Workplace::run(const std::vector<std::string>& arguments,
                        const Environment& environment) const {
  const auto process = start(arguments, environment);
  process->feed("");
  return process->wait();
}

Finished Workplace::run_with_input(const std::vector<std::string>& arguments,
                                   const std::string& input) const {
  const auto process = start(arguments);
  process->feed(input);
  return process->wait();
}

std::vector<json::Value> Workplace::dump(const std::string& topic) const {
  const Finished finished = run({"topics", "dump", topic});
  return finished.exit_code == 0 ? finished.json_lines() : std::vector<json::Value>();
}

void Workplace::train_telco(int rows) const {
  write("train.ndjson", simulate(rows));
  const Finished trained = run({"train", "telco-churn", "--data", "train.ndjson"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
}

std::string Workplace::simulate(int rows, const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = {"simulate", "telco-churn", "--count", std::to_string(rows)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Finished made = run(arguments);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  return made.out;
}

int kill_at(const std::vector<std::string>& points, const std::vector<int>& visits,
            const std::function<Finished(const Environment&)>& run) {
  int kills = 0;
  for (const std::string& point : points) {
    for (const int visit : visits) {
      const Finished killed = run({{"MILLRACE_CRASH_POINT", point + ":" + std::to_string(visit)}});
      kills += killed.exit_code == 128 + SIGKILL ? 1 : 0;
    }
  }
  return kills;
}

std::optional<env::Path> data_folder() {
  const char* path = std::getenv("MILLRACE_DATA_DIR");
  if (path == nullptr || *path == '\0') return std::nullopt;
  return env::Path(path);
}

bool eventually(const std::function<bool()>& condition, double seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

}  // namespace millrace::integration
