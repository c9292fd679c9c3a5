// The file system that DuckDB uses below the lake's folder. What it adds to the local one:
//   - a written file, and the name that leads to it, are durable when its handle closes; a failed sync fails
//   the
//     statement;
//   - a file is written once: no overwrite, no removal, no rename (only maintenance removes, not through
//   DuckDB);
//   - it remembers which transaction wrote which file, so that what was not committed goes again;
//   - tests can fail its Nth call (layer "duckdb").
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/env/fault.h"
#include "duckdb/common/local_file_system.hpp"
#include "engine/duck/lake/glue.h"

namespace tarn::engine::lake {

// Files by the tag in their name ("<tag>-<uuid>.parquet"), until their transaction ends. Thread-safe.
class WrittenFiles {
 public:
  WrittenFiles(std::string folder, FaultInjector* faults) : folder_(std::move(folder)), faults_(faults) {}
  void add(const std::string& path);
  void keep(const std::string& tag);
  void discard(const std::string& tag);  // removes them
  void remove(const std::string& path);  // one that was not finished
  [[nodiscard]] std::set<std::string> open();
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] FaultInjector* faults() const { return faults_; }

 private:
  std::string folder_;
  FaultInjector* faults_;
  std::mutex mutex_;  // guards paths_
  std::map<std::string, std::vector<std::string>> paths_;
};

// The path that a written path gets: names of folders that are longer than a file system allows (a
// partition's value may be any text) are cut. Folders of several partitions may become one; files have names
// of their own.
std::string fitting_path(const std::string& path);

class LakeFileSystem : public db::LocalFileSystem {
 public:
  explicit LakeFileSystem(std::shared_ptr<WrittenFiles> written) : written_(std::move(written)) {}

  std::string GetName() const override { return "lake_fs"; }
  bool CanHandleFile(const db::string& path) override;
  bool IsLocalFileSystem() const override { return false; }

  db::unique_ptr<db::FileHandle> OpenFile(const db::string& path, db::FileOpenFlags flags,
                                          db::optional_ptr<db::FileOpener> opener) override;
  void CreateDirectory(const db::string& path, db::optional_ptr<db::FileOpener> opener) override;
  void RemoveDirectory(const db::string& path, db::optional_ptr<db::FileOpener> opener) override;
  void MoveFile(const db::string& from, const db::string& to,
                db::optional_ptr<db::FileOpener> opener) override;
  void RemoveFile(const db::string& path, db::optional_ptr<db::FileOpener> opener) override;
  bool TryRemoveFile(const db::string& path, db::optional_ptr<db::FileOpener> opener) override;

  void Write(db::FileHandle& handle, void* buffer, int64_t bytes, db::idx_t location) override;
  int64_t Write(db::FileHandle& handle, void* buffer, int64_t bytes) override;
  void FileSync(db::FileHandle& handle) override;
  void Truncate(db::FileHandle& handle, int64_t size) override;
  void Seek(db::FileHandle& handle, db::idx_t location) override;
  db::idx_t SeekPosition(db::FileHandle& handle) override;
  int64_t GetFileSize(db::FileHandle& handle) override;
  db::timestamp_t GetLastModifiedTime(db::FileHandle& handle) override;
  db::FileType GetFileType(db::FileHandle& handle) override;
  bool OnDiskFile(db::FileHandle& handle) override { return true; }

 private:
  std::shared_ptr<WrittenFiles> written_;
};

}  // namespace tarn::engine::lake
