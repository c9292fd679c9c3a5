// Reads a file of this machine piece by piece: for a file too large for memory that this process has just
// written. Everything else is read by FileSystem, where tests can fail it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/env/file_descriptor.h"
#include "base/result.h"

namespace tarn {

class FileReader {
 public:
  static Result<FileReader> open(const std::string& path);
  // Up to 256 KB, valid until the next call; empty at the end.
  Result<std::string_view> next();

 private:
  FileReader(FileDescriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  FileDescriptor file_;
  std::string path_;
  std::vector<char> bytes_;
};

}  // namespace tarn
