// A name in the work folder that is gone with its owner, whatever happens.
#pragma once

#include <string>
#include <utility>

#include "base/env/file_system.h"

namespace tarn::report {

class WorkFile {
 public:
  WorkFile(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~WorkFile() {
    if (files_.exists(path_).value_or(false))
      (void)files_.remove(path_);
  }
  WorkFile(const WorkFile&) = delete;
  WorkFile& operator=(const WorkFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  FileSystem& files_;
  const std::string path_;
};

}  // namespace tarn::report
