// The process_* metrics, from /proc/self.
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iterator>
#include <limits>

#include "env/clock.h"
#include "env/file.h"
#include "telemetry/metrics.h"

namespace millrace::telemetry {
namespace {

constexpr std::uint64_t kProcFileMax = std::uint64_t{64} << 10;

// The number behind "`key`:" in /proc/self/status, 0 where there is none.
double status_number(const std::string& status, std::string_view key) {
  std::size_t at = status.find("\n" + std::string(key) + ":");
  if (at == std::string::npos) return 0;
  at = status.find_first_of("0123456789", at);
  if (at == std::string::npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(status.data() + at, status.data() + status.size(), value);
  return static_cast<double>(value);
}

double open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator all("/proc/self/fd", error);
  if (error) return 0;
  // One of them is the iterator's own.
  return static_cast<double>(std::distance(begin(all), end(all))) - 1;
}

double descriptors_max() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<double>::infinity();
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void watch_process(MetricRegistry& registry, double started) {
  registry.gauge(Metric::kProcessStart).set(started);
  const Counter cpu = registry.counter(Metric::kProcessCpu);
  const Gauge resident = registry.gauge(Metric::kProcessResident);
  const Gauge open = registry.gauge(Metric::kProcessOpenFds);
  const Gauge limit = registry.gauge(Metric::kProcessMaxFds);
  const Gauge threads = registry.gauge(Metric::kProcessThreads);
  registry.before_text([=] {
    constexpr double kKibibyte = 1024;
    const std::string status = env::read_file("/proc/self/status", kProcFileMax).value_or("");
    cpu.raise_to(std::chrono::duration<double>(env::process_cpu_time()).count());
    resident.set(status_number(status, "VmRSS") * kKibibyte);
    threads.set(status_number(status, "Threads"));
    open.set(open_descriptors());
    limit.set(descriptors_max());
  });
}

}  // namespace millrace::telemetry
