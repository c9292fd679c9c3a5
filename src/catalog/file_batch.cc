#include "catalog/file_batch.h"

#include <filesystem>
#include <set>

namespace tarn::catalog {

void FileBatch::add(std::string path, std::string bytes) {
  files_.push_back({std::move(path), std::move(bytes), false, nullptr});
}

// All are written before the first is synced: its sync then commits the file system's journal for the others,
// too, whose own syncs have little left to do.
Status FileBatch::write() {
  std::set<std::string> folders;
  for (File& file : files_) {
    TARN_TRY(file.out, env_->files->create(file.path));
    file.made = true;
    TARN_CHECK(file.out->append(file.bytes));
    folders.insert(std::filesystem::path(file.path).parent_path().string());
  }
  for (File& file : files_) {
    TARN_CHECK(file.out->sync());
    TARN_CHECK(file.out->close());
    file.out.reset();
  }
  for (const std::string& folder : folders) {
    TARN_CHECK(env_->files->sync_dir(folder));
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
