// A disk that fails when told to: a layer between SQLite and its files.
#pragma once

namespace millrace::log_sqlite {

// While it lives, files opened by SQLite go through it. One at a time.
class FaultyDisk {
 public:
  enum class Call { kRead, kWrite, kSync };
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The `nth` such call from now on (1 is the next) and all after it give this SQLite result; a
  // failing write puts half of its bytes down.
  void fail(Call call, int nth, int result);
  // Heals; whether a failure was due since fail().
  bool heal();
};

}  // namespace millrace::log_sqlite
