#include "base/env/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace tarn {

Result<std::unique_ptr<LockFile>> LockFile::acquire(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd.valid()) {
    return Error{errno == ENOENT ? Code::kNotFound : Code::kIo,
                 fmt::format("cannot open the lock {}: {}", path, std::strerror(errno))};
  }
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) {
      continue;
    }
    if (errno == EWOULDBLOCK) {
      return Error{Code::kLocked, fmt::format("{} is locked", path)};
    }
    return Error{Code::kIo, fmt::format("cannot lock {}: {}", path, std::strerror(errno))};
  }
  return std::unique_ptr<LockFile>(new LockFile(std::move(fd), path));
}

Status LockFile::write_note(std::string_view text) {
  bool good = ::ftruncate(fd_.get(), 0) == 0 &&
              ::pwrite(fd_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  if (!good) {
    return Error{Code::kIo, fmt::format("cannot write to {}: {}", path_, std::strerror(errno))};
  }
  return ok();
}

}  // namespace tarn
