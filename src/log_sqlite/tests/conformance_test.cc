// The log interface's conformance suite on the embedded log.
#include "log/testing/conformance.h"

#include "env/clock.h"
#include "env/file.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log::testing {
namespace {

class SqliteUnderTest final : public LogUnderTest {
 public:
  SqliteUnderTest() : folder_(*env::TemporaryFolder::make("log")) { open(); }
  Log& log() override { return *log_; }
  void reopen() override {
    log_.reset();
    open();
  }

 private:
  void open() {
    auto opened =
        log_sqlite::open_sqlite_log({.file = folder_.path() / "log.db"}, env::real_clock());
    if (!opened) ADD_FAILURE() << opened.error().message();
    log_ = std::move(*opened);
  }

  env::TemporaryFolder folder_;
  std::unique_ptr<Log> log_;
};

const LogFactory kSqlite{"Sqlite", [] { return std::make_unique<SqliteUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Log, LogConformance, ::testing::Values(kSqlite), name_of_log);

}  // namespace
}  // namespace millrace::log::testing
