#include "catalog/file_batch.h"

#include <filesystem>
#include <set>

namespace tarn::catalog {

void FileBatch::add(std::string path, std::string bytes) {
  files_.push_back({std::move(path), std::move(bytes), false, nullptr});
}

// All are written before the first is synced, and then all are synced at once: the disk has one wait instead
// of many.
Status FileBatch::write(WorkerPool& pool) {
  std::set<std::string> folders;
  for (File& file : files_) {
    TARN_TRY(file.out, env_->files->create(file.path));
    file.made = true;
    TARN_CHECK(file.out->append(file.bytes));
    folders.insert(std::filesystem::path(file.path).parent_path().string());
  }
  std::vector<WorkerPool::Job> syncs;
  for (File& file : files_) {
    syncs.emplace_back([&file] { return file.out->sync(); });
  }
  for (const std::string& folder : folders) {
    syncs.emplace_back([this, &folder] { return env_->files->sync_dir(folder); });
  }
  TARN_CHECK(pool.run_all(std::move(syncs)));
  for (File& file : files_) {
    TARN_CHECK(file.out->close());
    file.out.reset();
  }
  return ok();
}

void FileBatch::remove() {
  for (File& file : files_) {
    file.out.reset();
    if (file.made) {
      (void)env_->files->remove(file.path);
      file.made = false;
    }
  }
}

}  // namespace tarn::catalog
