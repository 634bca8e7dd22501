#include "log_sqlite/tests/concurrency/worker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <utility>

#include "env/clock.h"
#include "log/testing/conformance.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log_sqlite {
namespace {

constexpr const char* kWorker = "--worker";

int exit_with(const Error& error) {
  std::fprintf(stderr, "worker: %s\n", error.message().c_str());
  return error.exit_code();
}

// Copies the records of a batch and asks for the commit.
Status copy(log::Consumer& consumer, const log::Batch& batch) {
  MILLRACE_ASSIGN(const auto out, consumer.transaction().open_topic(TopicName("out")));
  for (const log::Record& record : batch.records) {
    log::NewRecord fresh{record.key, record.value, record.headers, record.timestamp,
                         batch.source.partition};
    MILLRACE_TRY(consumer.transaction().append(out, fresh));
  }
  return consumer.transaction().commit({{batch.source, batch.next}});
}

Result<std::int64_t> outputs(log::Log& log) {
  MILLRACE_ASSIGN(const auto info, log.admin().describe_topic(TopicName("out")));
  std::int64_t count = 0;
  for (const auto& partition : info.partitions) count += partition.end.value();
  return count;
}

// Copies what comes, one commit at a time: what comes beside a commit waits for its outcome.
class Copier {
 public:
  explicit Copier(log::Consumer& consumer) : consumer_(&consumer) {}

  Status handle(log::Event event) {
    if (auto* batch = std::get_if<log::Batch>(&event)) {
      waiting_ = std::move(*batch);
    } else if (const auto* revoked = std::get_if<log::Revoked>(&event)) {
      revoked_.insert(revoked_.end(), revoked->partitions.begin(), revoked->partitions.end());
    } else if (std::holds_alternative<log::Lost>(event)) {
      waiting_.reset();
    } else if (const auto* outcome = std::get_if<log::CommitOutcome>(&event)) {
      in_flight_ = false;
      if (outcome->result == log::CommitResult::kFenced) {
        return Error(ErrorCode::kFenced, outcome->reason);
      }
      if (outcome->result != log::CommitResult::kCommitted) waiting_.reset();  // it comes again
    }
    return in_flight_ ? Status() : go_on();
  }

 private:
  Status go_on() {
    MILLRACE_TRY(give_away());
    const auto batch = std::exchange(waiting_, std::nullopt);
    if (!batch) return {};
    in_flight_ = true;
    return copy(*consumer_, *batch);
  }
  // What was revoked, but not what the waiting batch is from.
  Status give_away() {
    std::vector<log::TopicPartition> kept;
    for (const log::TopicPartition& source : revoked_) {
      if (waiting_ && waiting_->source == source) {
        kept.push_back(source);
      } else {
        MILLRACE_TRY(consumer_->release(source));
      }
    }
    revoked_ = std::move(kept);
    return {};
  }

  log::Consumer* consumer_;
  bool in_flight_ = false;
  std::optional<log::Batch> waiting_;
  std::vector<log::TopicPartition> revoked_;
};

}  // namespace

int score_worker(const std::vector<std::string>& arguments) {
  auto log = open_sqlite_log({.file = arguments.at(0)}, env::real_clock());
  if (!log) return exit_with(log.error());
  log::ConsumerOptions options;
  options.group = GroupId(arguments.at(1));
  options.topics = {TopicName("in")};
  options.session_timeout = Milliseconds(std::stoi(arguments.at(3)));
  options.batch_records_max = std::stoul(arguments.at(4));
  const std::int64_t expected = std::stoll(arguments.at(2));
  auto consumer = (*log)->open_consumer(options);
  if (!consumer) return exit_with(consumer.error());
  Copier copier(**consumer);
  while (true) {
    auto event = (*consumer)->poll(env::real_clock().steady() + Milliseconds(100));
    if (!event) return exit_with(event.error());
    const bool idle = std::holds_alternative<log::Nothing>(*event);
    const Status done = copier.handle(std::move(*event));
    if (!done) return exit_with(done.error());
    if (!idle || expected == 0) continue;
    const auto count = outputs(**log);
    if (!count) return exit_with(count.error());
    if (*count >= expected) return 0;
  }
}

int produce_worker(const std::vector<std::string>& arguments) {
  auto log = open_sqlite_log({.file = arguments.at(0)}, env::real_clock());
  if (!log) return exit_with(log.error());
  const std::int64_t rows = std::stoll(arguments.at(1));
  const std::int64_t batch = std::stoll(arguments.at(2));
  auto producer = (*log)->open_producer({TopicName("in"), "rows"});
  if (!producer) return exit_with(producer.error());
  const auto handle = (*producer)->open_topic(TopicName("in"));
  const auto position = (*producer)->position();
  if (!handle || !position) return exit_with(handle ? position.error() : handle.error());
  for (std::int64_t row = position->value_or(RowNumber(0)).value(); row < rows;) {
    for (const std::int64_t stop = std::min(rows, row + batch); row < stop; ++row) {
      const std::string value = std::to_string(row);
      log::NewRecord record;
      record.key = value;
      record.value = value;
      const Status appended = (*producer)->append(*handle, record);
      if (!appended) return exit_with(appended.error());
    }
    const Status committed = (*producer)->commit(RowNumber(row));
    if (!committed) return exit_with(committed.error());
  }
  return 0;
}

Worker::Worker(const std::vector<std::string>& arguments, const std::string& crash_point) {
  std::vector<std::string> all{"/proc/self/exe", kWorker};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string variable = "MILLRACE_CRASH_POINT=" + crash_point;
  std::vector<char*> environment;
  for (char** entry = ::environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  if (!crash_point.empty()) environment.push_back(const_cast<char*>(variable.c_str()));
  environment.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::execve("/proc/self/exe", argv.data(), environment.data());
  ::_exit(127);
}

Worker::Worker(Worker&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), result_(other.result_) {}

Worker::~Worker() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Worker::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Worker::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = -1;
  result_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return false;
}

int Worker::wait() {
  env::Clock& clock = env::real_clock();
  const SteadyTime give_up = clock.steady() + std::chrono::seconds(60);
  while (running()) {
    if (clock.steady() > give_up) return kHanging;
    clock.sleep_until(clock.steady() + Milliseconds(2));
  }
  return result_;
}

}  // namespace millrace::log_sqlite

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() > 2 && arguments[0] == millrace::log_sqlite::kWorker) {
    const std::vector<std::string> rest(arguments.begin() + 2, arguments.end());
    return arguments[1] == "score" ? millrace::log_sqlite::score_worker(rest)
                                   : millrace::log_sqlite::produce_worker(rest);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
