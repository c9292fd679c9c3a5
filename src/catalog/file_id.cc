#include "catalog/file_id.h"

#include <sys/stat.h>

namespace tarn::catalog {

std::optional<FileId> file_id_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0)
    return std::nullopt;
  return FileId{found.st_dev, found.st_ino};
}

}  // namespace tarn::catalog
