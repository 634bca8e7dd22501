// What the embedded log costs a record: append + commit, and poll, beside a raw append + fdatasync
// of the same bytes. One line of JSON a result. Usage: log_sqlite_bench [FOLDER] [RECORDS]
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "env/clock.h"
#include "env/file.h"
#include "log_sqlite/sqlite_log.h"
#include "must.h"

namespace millrace {
namespace {

constexpr std::size_t kRecordBytes = 450;

// Wall and CPU time (of the whole process, background threads included) since its making.
class Stopwatch {
 public:
  void print(const char* what, std::size_t batch, std::size_t records) const {
    const auto per_record = [records](Nanoseconds time) {
      return static_cast<double>(time.count()) / static_cast<double>(records);
    };
    const double wall = per_record(env::real_clock().steady() - wall_);
    std::printf(
        "{\"bench\":\"%s\",\"batch\":%zu,\"records\":%zu,\"cpu_ns\":%.0f,\"thread_cpu_ns\":%.0f,"
        "\"wall_ns\":%.0f,\"records_per_s\":%.0f}\n",
        what, batch, records, per_record(env::process_cpu_time() - cpu_),
        per_record(env::thread_cpu_time() - thread_), wall, 1e9 / wall);
    std::fflush(stdout);
  }

 private:
  SteadyTime wall_ = env::real_clock().steady();
  Nanoseconds cpu_ = env::process_cpu_time();
  Nanoseconds thread_ = env::thread_cpu_time();
};

void append_raw(const env::Path& file, std::size_t records, std::size_t batch) {
  const std::string bytes(kRecordBytes * batch, 'x');
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const auto total = static_cast<off_t>(records * kRecordBytes);
  if (::posix_fallocate(descriptor, 0, total) != 0) std::exit(74);
  const Stopwatch watch;
  for (std::size_t done = 0; done < records; done += batch) {
    if (::write(descriptor, bytes.data(), bytes.size()) < 0 || ::fdatasync(descriptor) != 0) {
      std::exit(74);
    }
  }
  watch.print("raw_append_fdatasync", batch, records);
  ::close(descriptor);
  ::unlink(file.c_str());
}

void append_and_commit(log::Log& log, std::size_t records, std::size_t batch) {
  const TopicName topic("batch-" + std::to_string(batch));
  must(log.admin().create_topic(topic, {}));
  auto producer = must(log.open_producer({topic, "bench"}));
  const auto handle = must(producer->open_topic(topic));
  const std::string value(kRecordBytes, 'x');
  log::NewRecord record;
  record.value = value;
  const Stopwatch watch;
  Nanoseconds appending{0};
  for (std::size_t done = 0; done < records; done += batch) {
    const Nanoseconds before = env::thread_cpu_time();
    for (std::size_t i = 0; i < batch; ++i) {
      record.timestamp = Timestamp(static_cast<std::int64_t>(done + i));
      must(producer->append(handle, record));
    }
    appending += env::thread_cpu_time() - before;
    must(producer->commit(RowNumber(static_cast<std::int64_t>(done + batch))));
  }
  watch.print("append_commit", batch, records);
  std::printf("{\"bench\":\"append_only\",\"batch\":%zu,\"thread_cpu_ns\":%.0f}\n", batch,
              static_cast<double>(appending.count()) / static_cast<double>(records));
}

void poll_all(log::Log& log, std::size_t records, std::size_t batch, std::size_t stored) {
  log::ConsumerOptions options;
  options.group = GroupId("bench-" + std::to_string(batch));
  options.topics = {TopicName("batch-" + std::to_string(stored))};
  options.batch_records_max = batch;
  auto consumer = must(log.open_consumer(options));
  const Stopwatch watch;
  std::size_t seen = 0;
  std::size_t bytes = 0;
  while (seen < records) {
    const auto event = must(consumer->poll(env::real_clock().steady() + std::chrono::seconds(5)));
    const auto* got = std::get_if<log::Batch>(&event);
    if (got == nullptr) continue;
    seen += got->records.size();
    bytes += got->bytes;
  }
  const std::string what = "poll_of_batches_stored_by_" + std::to_string(stored);
  watch.print(what.c_str(), batch, records);
  if (bytes != records * kRecordBytes) std::exit(1);
}

int run(const env::Path& folder, std::size_t records) {
  const env::Path file = folder / "bench.db";
  for (const std::size_t batch : {std::size_t{100}, std::size_t{1'000}, std::size_t{10'000}}) {
    const std::size_t count = batch == 100 ? records / 5 : records;
    append_raw(folder / "raw", count, batch);
    auto log = must(log_sqlite::open_sqlite_log({.file = file}, env::real_clock()));
    append_and_commit(*log, count, batch);
    poll_all(*log, count, 10'000, batch);
    if (batch == 10'000) poll_all(*log, count / 10, 1'000, batch);
    must(log->admin().delete_topic(TopicName("batch-" + std::to_string(batch))));
  }
  return 0;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  auto folder = millrace::must(millrace::env::TemporaryFolder::make("log_sqlite_bench"));
  const millrace::env::Path where =
      argc > 1 && *argv[1] != 0 ? millrace::env::Path(argv[1]) : folder.path();
  const std::size_t records =
      argc > 2 ? static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10)) : 500'000;
  return millrace::run(where, records);
}
