#include "engine/duck/lake/lake_fs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/env/file_descriptor.h"

namespace tarn::engine::lake {
namespace {

// How much is handed to the disk at once while a file grows, so that the sync at its end has little left to
// do.
constexpr uint64_t kWritebackBytes = 8 << 20;

[[noreturn]] void fail(const std::string& what, const std::string& path, int number) {
  const Code code = number == ENOSPC || number == EDQUOT ? Code::kDiskFull : Code::kIo;
  throw_error({code, fmt::format("cannot {} {}: {}", what, path, std::strerror(number))});
}

// Leave to do one call, from the test's faults; empty when there are none.
class Call {
 public:
  Call(FaultInjector* faults, std::string_view op, const std::string& path) {
    if (faults != nullptr) {
      pass_.emplace(value_or_throw(faults->before_call("duckdb", op, path)));
      ledger_ = &faults->ledger();
    }
  }
  [[nodiscard]] CrashLedger* ledger() const { return ledger_; }
  [[nodiscard]] size_t allowed(size_t bytes) const { return pass_ ? pass_->bytes_allowed(bytes) : bytes; }
  void finish() {
    if (pass_) {
      check_or_throw(pass_->finish());
    }
  }

 private:
  std::optional<FaultInjector::Pass> pass_;
  CrashLedger* ledger_ = nullptr;
};

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

void sync_folder(FaultInjector* faults, const std::string& folder) {
  Call call(faults, "sync_dir", folder);
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    fail("sync folder", folder, errno);
  }
  if (call.ledger() != nullptr) {
    call.ledger()->dir_synced(folder);
  }
  call.finish();
}

class WriteHandle : public db::FileHandle {
 public:
  WriteHandle(LakeFileSystem& fs, const std::string& path, db::FileOpenFlags flags,
              std::shared_ptr<WrittenFiles> written)
      : db::FileHandle(fs, path, flags), written_(std::move(written)) {
    Call call(written_->faults(), "create", path);
    fd_ = FileDescriptor(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644));
    if (!fd_.valid()) {
      fail("create", path, errno);
    }
    if (call.ledger() != nullptr) {
      call.ledger()->created(path);
    }
    call.finish();
    written_->add(path);
  }

  // A handle that goes without Close() belongs to a statement that failed.
  ~WriteHandle() override {
    if (fd_.valid()) {
      fd_.close();
      written_->remove(path);
    }
  }

  void write(const void* buffer, uint64_t bytes, uint64_t offset) {
    Call call(written_->faults(), "write", path);
    if (call.ledger() != nullptr) {
      call.ledger()->writing(path, offset, bytes);
    }
    const auto* from = static_cast<const char*>(buffer);
    uint64_t left = call.allowed(bytes);
    while (left > 0) {
      const ssize_t done = ::pwrite(fd_.get(), from, left, static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) {
        continue;
      }
      if (done < 0) {
        fail("write", path, errno);
      }
      from += done;
      offset += static_cast<uint64_t>(done);
      left -= static_cast<uint64_t>(done);
    }
    call.finish();
    size_ = std::max(size_, offset);
    if (size_ - written_back_ >= kWritebackBytes) {
      ::sync_file_range(fd_.get(), static_cast<off_t>(written_back_),
                        static_cast<off_t>(size_ - written_back_), SYNC_FILE_RANGE_WRITE);
      written_back_ = size_;
    }
  }

  void sync() {
    Call call(written_->faults(), "sync", path);
    if (::fsync(fd_.get()) != 0) {
      fail("sync", path, errno);
    }
    if (call.ledger() != nullptr) {
      call.ledger()->synced(path);
    }
    call.finish();
  }

  void truncate(uint64_t size) {
    Call call(written_->faults(), "truncate", path);
    if (call.ledger() != nullptr) {
      call.ledger()->truncating(path, size);
    }
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      fail("cut", path, errno);
    }
    call.finish();
    size_ = size;
    written_back_ = std::min(written_back_, size);
  }

  void Close() override {
    if (!fd_.valid()) {
      return;
    }
    sync();
    {
      Call call(written_->faults(), "close", path);
      call.finish();
    }
    if (fd_.close() != 0) {
      fail("close", path, errno);
    }
    sync_folder(written_->faults(), folder_of(path));
  }

  uint64_t position = 0;
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  std::shared_ptr<WrittenFiles> written_;
  FileDescriptor fd_;
  uint64_t size_ = 0;
  uint64_t written_back_ = 0;
};

WriteHandle* as_written(db::FileHandle& handle) {
  return dynamic_cast<WriteHandle*>(&handle);
}

[[noreturn]] void refuse(const std::string& what, const std::string& path) {
  throw_error({Code::kDenied, fmt::format("files of the lake are never {}: {}", what, path)});
}

std::string tag_of(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.find('-'));
}

}  // namespace

std::string fitting_path(const std::string& path) {
  constexpr size_t kNameBytesMax = 255;  // no folder that is there already has more
  constexpr size_t kCutBytes = 120;
  std::string fitting;
  for (size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at + 1), path.size());
    auto length = end - at;
    if (length > kNameBytesMax + 1) {
      length = kCutBytes;
      const auto code = path.rfind('%', at + length - 1);
      if (code != std::string::npos && code + 3 > at + length) {
        length = code - at;  // "%C3" stays whole
      }
    }
    fitting.append(path, at, length);
    at = end;
  }
  return fitting;
}

void WrittenFiles::add(const std::string& path) {
  const std::lock_guard lock(mutex_);
  paths_[tag_of(path)].push_back(path);
}

void WrittenFiles::keep(const std::string& tag) {
  const std::lock_guard lock(mutex_);
  paths_.erase(tag);
}

void WrittenFiles::discard(const std::string& tag) {
  std::vector<std::string> paths;
  {
    const std::lock_guard lock(mutex_);
    if (auto node = paths_.extract(tag)) {
      paths = std::move(node.mapped());
    }
  }
  for (const auto& path : paths) {
    remove(path);
  }
}

std::set<std::string> WrittenFiles::open() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> all;
  for (const auto& [tag, paths] : paths_) {
    all.insert(paths.begin(), paths.end());
  }
  return all;
}

// A file that stays is an orphan, which maintenance finds: no reason to fail a statement that failed already.
void WrittenFiles::remove(const std::string& path) {
  if (faults_ == nullptr) {
    ::unlink(path.c_str());
    return;
  }
  auto pass = faults_->before_call("duckdb", "remove", path);
  if (pass && ::access(path.c_str(), F_OK) == 0) {
    faults_->ledger().removing(path);
    ::unlink(path.c_str());
  }
}

bool LakeFileSystem::CanHandleFile(const db::string& path) {
  const std::string plain = path_of(path);
  const auto& folder = written_->folder();
  return !folder.empty() && plain.starts_with(folder) &&
         (plain.size() == folder.size() || plain[folder.size()] == '/');
}

db::unique_ptr<db::FileHandle> LakeFileSystem::OpenFile(const db::string& path, db::FileOpenFlags flags,
                                                        db::optional_ptr<db::FileOpener> opener) {
  const std::string plain = path_of(path);
  if (plain.find("/../") != std::string::npos) {
    refuse("reached by '..'", plain);
  }
  if (!flags.OpenForWriting()) {
    return db::LocalFileSystem::OpenFile(plain, flags, opener);
  }
  if (flags.OpenForAppending() || flags.OpenForReading()) {
    refuse("changed in place", plain);
  }
  return db::make_uniq<WriteHandle>(*this, fitting_path(plain), flags, written_);
}

void LakeFileSystem::CreateDirectory(const db::string& path, db::optional_ptr<db::FileOpener>) {
  const std::string plain = fitting_path(path_of(path));
  {
    Call call(written_->faults(), "make_folders", plain);
    if (::mkdir(plain.c_str(), 0755) != 0) {
      if (errno == EEXIST) {
        return;
      }
      fail("make folder", plain, errno);
    }
    if (call.ledger() != nullptr) {
      call.ledger()->created(plain);
    }
    call.finish();
  }
  sync_folder(written_->faults(), folder_of(plain));
}

void LakeFileSystem::RemoveDirectory(const db::string& path, db::optional_ptr<db::FileOpener>) {
  refuse("removed", path);
}

void LakeFileSystem::MoveFile(const db::string& from, const db::string&, db::optional_ptr<db::FileOpener>) {
  refuse("renamed", from);
}

void LakeFileSystem::RemoveFile(const db::string& path, db::optional_ptr<db::FileOpener>) {
  refuse("removed", path);
}

// DuckDB tries this after a failed COPY; what the statement wrote goes when its transaction rolls back.
bool LakeFileSystem::TryRemoveFile(const db::string&, db::optional_ptr<db::FileOpener>) {
  return false;
}

void LakeFileSystem::Write(db::FileHandle& handle, void* buffer, int64_t bytes, db::idx_t location) {
  if (auto* file = as_written(handle)) {
    return file->write(buffer, static_cast<uint64_t>(bytes), location);
  }
  refuse("changed in place", handle.path);
}

int64_t LakeFileSystem::Write(db::FileHandle& handle, void* buffer, int64_t bytes) {
  if (auto* file = as_written(handle)) {
    file->write(buffer, static_cast<uint64_t>(bytes), file->position);
    file->position += static_cast<uint64_t>(bytes);
    return bytes;
  }
  refuse("changed in place", handle.path);
}

void LakeFileSystem::FileSync(db::FileHandle& handle) {
  if (auto* file = as_written(handle)) {
    file->sync();
  }
}

void LakeFileSystem::Truncate(db::FileHandle& handle, int64_t size) {
  if (auto* file = as_written(handle)) {
    return file->truncate(static_cast<uint64_t>(size));
  }
  refuse("changed in place", handle.path);
}

void LakeFileSystem::Seek(db::FileHandle& handle, db::idx_t location) {
  if (auto* file = as_written(handle)) {
    file->position = location;
    return;
  }
  db::LocalFileSystem::Seek(handle, location);
}

db::idx_t LakeFileSystem::SeekPosition(db::FileHandle& handle) {
  auto* file = as_written(handle);
  return file != nullptr ? file->position : db::LocalFileSystem::SeekPosition(handle);
}

int64_t LakeFileSystem::GetFileSize(db::FileHandle& handle) {
  auto* file = as_written(handle);
  return file != nullptr ? static_cast<int64_t>(file->size()) : db::LocalFileSystem::GetFileSize(handle);
}

db::timestamp_t LakeFileSystem::GetLastModifiedTime(db::FileHandle& handle) {
  return as_written(handle) != nullptr ? db::timestamp_t(0)
                                       : db::LocalFileSystem::GetLastModifiedTime(handle);
}

db::FileType LakeFileSystem::GetFileType(db::FileHandle& handle) {
  return as_written(handle) != nullptr ? db::FileType::FILE_TYPE_REGULAR
                                       : db::LocalFileSystem::GetFileType(handle);
}

}  // namespace tarn::engine::lake
