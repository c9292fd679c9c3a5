#include "catalog/file_batch.h"

#include <filesystem>
#include <set>

namespace tarn::catalog {

void FileBatch::add(std::string path, std::string bytes) {
  files_.push_back({std::move(path), std::move(bytes), false});
}

Status FileBatch::write_one(File& file) {
  TARN_TRY(auto out, env_->files->create(file.path));
  file.made = true;
  TARN_CHECK(out->append(file.bytes));
  TARN_CHECK(out->sync());
  return out->close();
}

Status FileBatch::write() {
  std::set<std::string> folders;
  for (File& file : files_) {
    TARN_CHECK(write_one(file));
    folders.insert(std::filesystem::path(file.path).parent_path().string());
  }
  for (const std::string& folder : folders) {
    TARN_CHECK(env_->files->sync_dir(folder));
  }
  return ok();
}

void FileBatch::remove() {
  for (File& file : files_) {
    if (file.made) {
      (void)env_->files->remove(file.path);
      file.made = false;
    }
  }
}

}  // namespace tarn::catalog
