// Files as Tarn sees them: every open, write, sync and rename outside DuckDB and SQLite goes through here,
// so that tests can fail the Nth call or drop what was not synced. Paths are absolute. Thread-safe.
// Durable means: bytes after sync(), a name after sync_dir() of its folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn {

// One writer. Not readable as complete before close(); not durable before sync().
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status append(std::string_view bytes) = 0;
  virtual Status sync() = 0;
  virtual Status close() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates `path`, which must not exist.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  virtual Result<std::string> read(const std::string& path) = 0;
  // Size in bytes; kNotFound when there is no such file.
  virtual Result<uint64_t> size(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  // Names (not paths) in a folder, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  // Makes the folder and its parents; what it made is durable when it returns.
  virtual Status make_folders(const std::string& folder) = 0;
  virtual Status sync_dir(const std::string& folder) = 0;
  // Makes the bytes durable that another program has written into a file.
  virtual Status sync_file(const std::string& path) = 0;
  // Replaces `to` when it exists.
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  // Keeps the bytes of `from` under a second name: reflink, hard link or copy, whichever works.
  // The bytes are durable when it returns; the name is after sync_dir().
  virtual Status link_or_copy(const std::string& from, const std::string& to) = 0;
};

// The machine's own file system. Lives for the whole process; holds no state.
FileSystem& real_file_system();

// Creates `path` with `bytes`, synced, and syncs its folder. On failure no file of that name is left.
Status write_durable(FileSystem& fs, const std::string& path, std::string_view bytes);

// Replaces `path` by way of a temporary name in the same folder: readers see the old or the new bytes.
Status replace_durable(FileSystem& fs, const std::string& path, std::string_view bytes);

}  // namespace tarn
