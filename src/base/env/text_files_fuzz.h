// For fuzz targets: a folder of texts that can only be read. One thread.
#pragma once

#include <map>
#include <string>

#include "base/env/file_system.h"

namespace tarn {

class TextFiles : public FileSystem {
 public:
  explicit TextFiles(std::map<std::string, std::string> texts) : texts_(std::move(texts)) {}

  Result<std::string> read(const std::string& path) override {
    auto found = texts_.find(path);
    return found == texts_.end() ? Result<std::string>(missing(path)) : found->second;
  }
  Result<uint64_t> size(const std::string& path) override {
    auto found = texts_.find(path);
    return found == texts_.end() ? Result<uint64_t>(missing(path)) : uint64_t{found->second.size()};
  }
  Result<bool> exists(const std::string& path) override {
    auto found = texts_.lower_bound(path);
    return found != texts_.end() && (found->first == path || found->first.starts_with(path + "/"));
  }
  // Everything below the folder counts as a name in it, so that no folder is looked for on the disk.
  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::vector<std::string> names;
    for (const auto& [path, text] : texts_) {
      if (path.starts_with(folder + "/")) {
        names.push_back(path.substr(folder.size() + 1));
      }
    }
    return names;
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& /*path*/) override { return refused(); }
  Status make_folders(const std::string& /*folder*/) override { return refused(); }
  Status sync_dir(const std::string& /*folder*/) override { return refused(); }
  Status sync_file(const std::string& /*path*/) override { return refused(); }
  Status rename(const std::string& /*from*/, const std::string& /*to*/) override { return refused(); }
  Status remove(const std::string& /*path*/) override { return refused(); }
  Status link_or_copy(const std::string& /*from*/, const std::string& /*to*/) override { return refused(); }

 private:
  static Error missing(const std::string& path) { return {Code::kNotFound, "there is no file " + path}; }
  static Error refused() { return {Code::kDenied, "these files are only read"}; }

  std::map<std::string, std::string> texts_;
};

}  // namespace tarn
