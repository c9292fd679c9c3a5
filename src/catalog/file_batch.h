// New files of one commit: written and synced together, names and all, or removed together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env/env.h"
#include "base/env/worker_pool.h"
#include "base/result.h"

namespace tarn::catalog {

class FileBatch {
 public:
  explicit FileBatch(Env& env) : env_(&env) {}

  void add(std::string path, std::string bytes);

  // All are durable when it returns success, bytes and names. Folders must exist.
  Status write(WorkerPool& pool);
  // Takes away what write() has made. Failures are ignored: what stays is an orphan that nothing names.
  void remove();

  [[nodiscard]] size_t size() const { return files_.size(); }

 private:
  struct File {
    std::string path;
    std::string bytes;
    bool made = false;
    std::unique_ptr<WritableFile> out;
  };

  Env* env_;
  std::vector<File> files_;
};

}  // namespace tarn::catalog
