#include "base/env/file_system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <linux/fs.h>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"

namespace tarn {
namespace {

namespace stdfs = std::filesystem;

Error io_error(std::string_view action, const std::string& path, int error) {
  Code code = error == ENOENT                      ? Code::kNotFound
              : error == EEXIST                    ? Code::kExists
              : error == ENOSPC || error == EDQUOT ? Code::kDiskFull
              : error == EACCES || error == EPERM  ? Code::kDenied
                                                   : Code::kIo;
  return Error{code, fmt::format("cannot {} {}: {}", action, path, std::strerror(error))};
}

Status write_all(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return io_error("write to", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return ok();
}

class RealFile : public WritableFile {
 public:
  RealFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Status append(std::string_view bytes) override { return write_all(fd_.get(), path_, bytes); }

  Status sync() override {
    if (::fsync(fd_.get()) != 0) {
      return io_error("sync", path_, errno);
    }
    return ok();
  }

  Status close() override {
    if (fd_.close() != 0) {
      return io_error("close", path_, errno);
    }
    return ok();
  }

 private:
  FileDescriptor fd_;
  std::string path_;
};

class RealFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!fd.valid()) {
      return io_error("create", path, errno);
    }
    return std::make_unique<RealFile>(std::move(fd), path);
  }

  Result<std::string> read(const std::string& path) override {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
      return io_error("read", path, errno);
    }
    std::string bytes;
    bytes.resize(static_cast<size_t>(info.st_size));
    size_t filled = 0;
    for (;;) {
      if (filled == bytes.size()) {
        bytes.resize(bytes.size() + 4096);
      }
      ssize_t got = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return io_error("read", path, errno);
      }
      if (got == 0) {
        bytes.resize(filled);
        return bytes;
      }
      filled += static_cast<size_t>(got);
    }
  }

  Result<uint64_t> size(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      return io_error("look at", path, errno);
    }
    return static_cast<uint64_t>(info.st_size);
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) {
      return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    return io_error("look at", path, errno);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    for (stdfs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) {
      return io_error("list", folder, error.value());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Status make_folders(const std::string& folder) override {
    std::vector<std::string> missing;
    for (stdfs::path at = folder; !at.empty(); at = at.parent_path()) {
      TARN_TRY(bool there, exists(at.string()));
      if (there) {
        break;
      }
      missing.push_back(at.string());
    }
    for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
      if (::mkdir(it->c_str(), 0750) != 0 && errno != EEXIST) {
        return io_error("make folder", *it, errno);
      }
      TARN_CHECK(sync_dir(stdfs::path(*it).parent_path().string()));
    }
    return ok();
  }

  Status sync_dir(const std::string& folder) override {
    FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
      return io_error("sync folder", folder, errno);
    }
    return ok();
  }

  Status sync_file(const std::string& path) override {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) {
      return io_error("sync", path, errno);
    }
    return ok();
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return io_error("rename", from, errno);
    }
    return ok();
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      return io_error("remove", path, errno);
    }
    return ok();
  }

  Status link_or_copy(const std::string& from, const std::string& to) override {
    if (!try_reflink(from, to) && ::link(from.c_str(), to.c_str()) != 0) {
      std::error_code error;
      stdfs::copy_file(from, to, error);
      if (error) {
        return io_error("copy to", to, error.value());
      }
    }
    FileDescriptor kept(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
    if (!kept.valid() || ::fsync(kept.get()) != 0) {
      return io_error("sync", to, errno);
    }
    return ok();
  }

 private:
  static bool try_reflink(const std::string& from, const std::string& to) {
    FileDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    FileDescriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
    if (!source.valid() || !target.valid()) {
      return false;
    }
    if (::ioctl(target.get(), FICLONE, source.get()) == 0) {
      return true;
    }
    ::unlink(to.c_str());
    return false;
  }
};

Status write_and_sync(FileSystem& fs, const std::string& path, std::string_view bytes) {
  TARN_TRY(auto file, fs.create(path));
  TARN_CHECK(file->append(bytes));
  TARN_CHECK(file->sync());
  return file->close();
}

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem fs;
  return fs;
}

Status write_durable(FileSystem& fs, const std::string& path, std::string_view bytes) {
  auto done = write_and_sync(fs, path, bytes);
  if (done) {
    done = fs.sync_dir(stdfs::path(path).parent_path().string());
  }
  if (!done && done.error().code != Code::kExists) {
    (void)fs.remove(path);
  }
  return done;
}

Status replace_durable(FileSystem& fs, const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".new";
  TARN_TRY(bool stale, fs.exists(temporary));
  if (stale) {
    TARN_CHECK(fs.remove(temporary));
  }
  TARN_CHECK(write_and_sync(fs, temporary, bytes));
  TARN_CHECK(fs.rename(temporary, path));
  return fs.sync_dir(stdfs::path(path).parent_path().string());
}

}  // namespace tarn
