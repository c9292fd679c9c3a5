// What a file or folder is, however its path is spelled: through links, or a folder that was mounted
// elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

namespace tarn::catalog {

struct FileId {
  uint64_t device = 0, inode = 0;
  bool operator==(const FileId&) const = default;
};

struct FileIdHash {
  size_t operator()(const FileId& id) const { return (id.inode * 0x9e3779b97f4a7c15ULL) ^ id.device; }
};
using FileIds = std::unordered_set<FileId, FileIdHash>;

// Nothing when there is no such file.
std::optional<FileId> file_id_of(const std::string& path);

}  // namespace tarn::catalog
