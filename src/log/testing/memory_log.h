// A log in memory with the semantics of the real ones (it passes the conformance suite), for tests
// of what stands on a log: one process, several consumers, and commits that fail when told to.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "env/clock.h"
#include "log/log.h"

namespace millrace::log::testing {

struct MemoryState;

// Thread-safe like every Log. With the machine's clock a poll waits for other threads; with a
// manual clock nobody else moves, so an idle poll moves the clock to its deadline and returns.
class MemoryLog final : public Log {
 public:
  explicit MemoryLog(env::Clock& clock);
  // The same records and positions, as if opened again.
  MemoryLog(const MemoryLog& storage);
  ~MemoryLog() override;
  MemoryLog& operator=(const MemoryLog&) = delete;

  std::string url() const override { return "memory:"; }
  Capabilities capabilities() const override {
    return {.transactions = true, .dense_offsets = true};
  }
  Admin& admin() override;
  Result<std::unique_ptr<Consumer>> open_consumer(const ConsumerOptions& options) override;
  Result<std::unique_ptr<Reader>> open_reader(const ReaderOptions& options) override;
  Result<std::unique_ptr<Producer>> open_producer(const ProducerOptions& options) override;

  // What really happened to a commit that is reported as failed.
  enum class Effect { kNothing, kCommitted };
  // The `nth` commit of any consumer from now on (1 is the next) has this outcome: kAborted,
  // kFenced (nothing happened), or kUnknown with the given effect. kFenced also ends the member.
  void fail_commit(std::size_t nth, CommitResult result, Effect effect = Effect::kNothing);
  // The `nth` commit, by consumer or producer, fails with this error and nothing happens: a
  // consumer's outcome is kAborted with this cause.
  void fail_commit_request(std::size_t nth, Error error);
  // As if the member's session had timed out: its partitions go to others, its next poll and
  // commit are fenced.
  void evict(const std::string& member_id);

 private:
  std::shared_ptr<MemoryState> state_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace millrace::log::testing
