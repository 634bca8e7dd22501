#include "log_sqlite/tests/faulty_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>

namespace millrace::log_sqlite {
namespace {

struct Plan {
  std::atomic<int> call{-1};
  std::atomic<int> left{0};
  std::atomic<int> result{SQLITE_OK};
  std::atomic<bool> happened{false};
};
Plan plan;

// SQLITE_OK, or what the call fails with.
int due(FaultyDisk::Call call) {
  if (plan.call.load() != static_cast<int>(call)) return SQLITE_OK;
  if (plan.left.fetch_sub(1) > 1) return SQLITE_OK;
  plan.happened = true;
  return plan.result;
}

struct File {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->real;  // NOLINT(*-reinterpret-cast)
}

int close_file(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int read(sqlite3_file* f, void* out, int size, sqlite3_int64 at) {
  const int failure = due(FaultyDisk::Call::kRead);
  return failure != SQLITE_OK ? failure : real(f)->pMethods->xRead(real(f), out, size, at);
}
int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
  const int failure = due(FaultyDisk::Call::kWrite);
  const int done =
      real(f)->pMethods->xWrite(real(f), bytes, failure != SQLITE_OK ? size / 2 : size, at);
  return failure != SQLITE_OK ? failure : done;
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}
int sync(sqlite3_file* f, int flags) {
  const int failure = due(FaultyDisk::Call::kSync);
  return failure != SQLITE_OK ? failure : real(f)->pMethods->xSync(real(f), flags);
}
int size_of(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int reserved(sqlite3_file* f, int* out) {
  return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int control(sqlite3_file* f, int op, void* argument) {
  return real(f)->pMethods->xFileControl(real(f), op, argument);
}
int sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int device(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
void shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

const sqlite3_io_methods kMethods{2,           close_file, read,    write,   truncate,
                                  sync,        size_of,    lock,    unlock,  reserved,
                                  control,     sector,     device,  shm_map, shm_lock,
                                  shm_barrier, shm_unmap,  nullptr, nullptr};

sqlite3_vfs* below = nullptr;
sqlite3_vfs layer;

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out) {
  auto* ours = reinterpret_cast<File*>(file);              // NOLINT(*-reinterpret-cast)
  ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);  // NOLINT(*-reinterpret-cast)
  ours->base.pMethods = nullptr;
  const int opened = below->xOpen(below, name, ours->real, flags, out);
  if (opened == SQLITE_OK) ours->base.pMethods = &kMethods;
  return opened;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  below = sqlite3_vfs_find(nullptr);
  layer = *below;
  layer.zName = "faulty";
  layer.szOsFile = static_cast<int>(sizeof(File)) + below->szOsFile;
  layer.xOpen = open_file;
  sqlite3_vfs_register(&layer, /*makeDflt=*/1);
}

FaultyDisk::~FaultyDisk() {
  heal();
  sqlite3_vfs_unregister(&layer);
  sqlite3_vfs_register(below, /*makeDflt=*/1);
}

void FaultyDisk::fail(Call call, int nth, int result) {
  plan.happened = false;
  plan.result = result;
  plan.left = nth;
  plan.call = static_cast<int>(call);
}

bool FaultyDisk::heal() {
  plan.call = -1;
  return plan.happened;
}

}  // namespace millrace::log_sqlite
