#include "store/fault_vfs.h"

#include <atomic>
#include <filesystem>
#include <new>

#include <fmt/format.h>
#include <sqlite3.h>

namespace tarn::store {
namespace {

constexpr std::string_view kLayer = "sqlite";

int sqlite_code_of(const Error& error, int io_code) {
  return error.code == Code::kDiskFull ? SQLITE_FULL : io_code;
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// Lies in front of SQLite's own file in the memory that SQLite gives for one.
struct File {
  sqlite3_file base;
  FaultInjector* injector;
  std::string* path;  // null for temporary files, which no crash concerns
  bool syncs_folder;  // a new journal or log: its first sync syncs the folder, too
};

File* file_of(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}

sqlite3_file* inner_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(file_of(file) + 1);
}

int close_file(sqlite3_file* file) {
  delete file_of(file)->path;
  file_of(file)->path = nullptr;
  sqlite3_file* inner = inner_of(file);
  return inner->pMethods == nullptr ? SQLITE_OK : inner->pMethods->xClose(inner);
}

int read_file(sqlite3_file* file, void* buffer, int bytes, sqlite3_int64 offset) {
  return inner_of(file)->pMethods->xRead(inner_of(file), buffer, bytes, offset);
}

int write_file(sqlite3_file* file, const void* buffer, int bytes, sqlite3_int64 offset) {
  sqlite3_file* inner = inner_of(file);
  File* self = file_of(file);
  if (self->path == nullptr) {
    return inner->pMethods->xWrite(inner, buffer, bytes, offset);
  }
  auto pass = self->injector->before_call(kLayer, "write", *self->path);
  if (!pass) {
    return sqlite_code_of(pass.error(), SQLITE_IOERR_WRITE);
  }
  auto allowed = pass->bytes_allowed(static_cast<size_t>(bytes));
  self->injector->ledger().writing(*self->path, static_cast<uint64_t>(offset), allowed);
  int code = inner->pMethods->xWrite(inner, buffer, static_cast<int>(allowed), offset);
  return pass->finish() ? code : SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  sqlite3_file* inner = inner_of(file);
  File* self = file_of(file);
  if (self->path == nullptr) {
    return inner->pMethods->xTruncate(inner, size);
  }
  auto pass = self->injector->before_call(kLayer, "truncate", *self->path);
  if (!pass) {
    return sqlite_code_of(pass.error(), SQLITE_IOERR_TRUNCATE);
  }
  self->injector->ledger().truncating(*self->path, static_cast<uint64_t>(size));
  return inner->pMethods->xTruncate(inner, size);
}

int sync_file(sqlite3_file* file, int flags) {
  sqlite3_file* inner = inner_of(file);
  File* self = file_of(file);
  if (self->path == nullptr) {
    return inner->pMethods->xSync(inner, flags);
  }
  auto pass = self->injector->before_call(kLayer, "sync", *self->path);
  if (!pass) {
    return sqlite_code_of(pass.error(), SQLITE_IOERR_FSYNC);
  }
  int code = inner->pMethods->xSync(inner, flags);
  if (code == SQLITE_OK) {
    self->injector->ledger().synced(*self->path);
    if (self->syncs_folder) {
      self->injector->ledger().dir_synced(parent_of(*self->path));
      self->syncs_folder = false;
    }
  }
  return code;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return inner_of(file)->pMethods->xFileSize(inner_of(file), size);
}

int lock_file(sqlite3_file* file, int level) {
  return inner_of(file)->pMethods->xLock(inner_of(file), level);
}

int unlock_file(sqlite3_file* file, int level) {
  return inner_of(file)->pMethods->xUnlock(inner_of(file), level);
}

int check_reserved_lock(sqlite3_file* file, int* answer) {
  return inner_of(file)->pMethods->xCheckReservedLock(inner_of(file), answer);
}

int file_control(sqlite3_file* file, int op, void* argument) {
  return inner_of(file)->pMethods->xFileControl(inner_of(file), op, argument);
}

int sector_size(sqlite3_file* file) {
  return inner_of(file)->pMethods->xSectorSize(inner_of(file));
}

int device_characteristics(sqlite3_file* file) {
  return inner_of(file)->pMethods->xDeviceCharacteristics(inner_of(file));
}

int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** memory) {
  return inner_of(file)->pMethods->xShmMap(inner_of(file), region, bytes, extend, memory);
}

int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return inner_of(file)->pMethods->xShmLock(inner_of(file), offset, count, flags);
}

void shm_barrier(sqlite3_file* file) {
  inner_of(file)->pMethods->xShmBarrier(inner_of(file));
}

int shm_unmap(sqlite3_file* file, int remove) {
  return inner_of(file)->pMethods->xShmUnmap(inner_of(file), remove);
}

const sqlite3_io_methods& methods() {
  static const sqlite3_io_methods table = {2,
                                           close_file,
                                           read_file,
                                           write_file,
                                           truncate_file,
                                           sync_file,
                                           file_size,
                                           lock_file,
                                           unlock_file,
                                           check_reserved_lock,
                                           file_control,
                                           sector_size,
                                           device_characteristics,
                                           shm_map,
                                           shm_lock,
                                           shm_barrier,
                                           shm_unmap,
                                           nullptr,
                                           nullptr};
  return table;
}

}  // namespace

struct FaultVfs::Impl {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  FaultInjector* injector = nullptr;

  static Impl* of(sqlite3_vfs* vfs) { return static_cast<Impl*>(vfs->pAppData); }
  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* flags_out);
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder);
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* answer) {
    return of(vfs)->real->xAccess(of(vfs)->real, name, flags, answer);
  }
};

int FaultVfs::Impl::open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
                         int* flags_out) {
  Impl* self = of(vfs);
  new (file) File{{nullptr}, self->injector, nullptr, false};
  inner_of(file)->pMethods = nullptr;
  int there = 1;
  bool creates = name != nullptr && (flags & SQLITE_OPEN_CREATE) != 0 &&
                 self->real->xAccess(self->real, name, SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK &&
                 there == 0;
  if (creates) {
    auto pass = self->injector->before_call(kLayer, "create", name);
    if (!pass) {
      return sqlite_code_of(pass.error(), SQLITE_CANTOPEN);
    }
    int code = self->real->xOpen(self->real, name, inner_of(file), flags, flags_out);
    if (code != SQLITE_OK) {
      return code;
    }
    self->injector->ledger().created(name);
    file_of(file)->syncs_folder = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  } else if (int code = self->real->xOpen(self->real, name, inner_of(file), flags, flags_out);
             code != SQLITE_OK) {
    return code;
  }
  file_of(file)->path = name == nullptr ? nullptr : new std::string(name);
  file->pMethods = &methods();
  return SQLITE_OK;
}

int FaultVfs::Impl::remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  Impl* self = of(vfs);
  auto pass = self->injector->before_call(kLayer, "remove", name);
  if (!pass) {
    return sqlite_code_of(pass.error(), SQLITE_IOERR_DELETE);
  }
  self->injector->ledger().removing(name);
  int code = self->real->xDelete(self->real, name, sync_folder);
  if (code == SQLITE_OK && sync_folder != 0) {
    self->injector->ledger().dir_synced(parent_of(name));
  }
  return code;
}

FaultVfs::FaultVfs(FaultInjector& injector) : impl_(std::make_unique<Impl>()) {
  static std::atomic<int> counter = 0;
  name_ = fmt::format("tarn-fault-{}", ++counter);
  sqlite3_initialize();
  impl_->injector = &injector;
  impl_->real = sqlite3_vfs_find(nullptr);
  impl_->vfs = *impl_->real;
  impl_->vfs.iVersion = 1;
  impl_->vfs.szOsFile = static_cast<int>(sizeof(File)) + impl_->real->szOsFile;
  impl_->vfs.pNext = nullptr;
  impl_->vfs.zName = name_.c_str();
  impl_->vfs.pAppData = impl_.get();
  impl_->vfs.xOpen = Impl::open;
  impl_->vfs.xDelete = Impl::remove;
  impl_->vfs.xAccess = Impl::access;
  sqlite3_vfs_register(&impl_->vfs, 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&impl_->vfs);
}

}  // namespace tarn::store
