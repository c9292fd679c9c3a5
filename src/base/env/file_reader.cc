#include "base/env/file_reader.h"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace tarn {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

Error cannot_read(const std::string& path) {
  return Error{Code::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
}

}  // namespace

Result<FileReader> FileReader::open(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return cannot_read(path);
  }
  return FileReader(std::move(file), path);
}

Result<std::string_view> FileReader::next() {
  bytes_.resize(kPieceBytes);
  while (true) {
    const auto got = ::read(file_.get(), bytes_.data(), bytes_.size());
    if (got >= 0) {
      return std::string_view(bytes_.data(), static_cast<size_t>(got));
    }
    if (errno != EINTR) {
      return cannot_read(path_);
    }
  }
}

}  // namespace tarn
