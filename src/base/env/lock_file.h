// A lock that dies with its process: flock on a file, which also says who holds it.
#pragma once

#include <memory>
#include <string>

#include "base/env/file_descriptor.h"
#include "base/result.h"

namespace tarn {

class LockFile {
 public:
  // kLocked when another process (or another LockFile here) holds it; creates the file when it is not there.
  static Result<std::unique_ptr<LockFile>> acquire(const std::string& path);

  // Replaces the file's text, which others may read while it is locked.
  Status write_note(std::string_view text);

 private:
  LockFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  FileDescriptor fd_;
  std::string path_;
};

}  // namespace tarn
