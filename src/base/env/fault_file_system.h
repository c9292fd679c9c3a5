// A file system whose Nth call fails; layer "files" of a FaultInjector. Both must outlive it. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/env/fault.h"
#include "base/env/file_system.h"

namespace tarn {

class FaultFileSystem : public FileSystem {
 public:
  FaultFileSystem(FileSystem& inner, FaultInjector& injector) : inner_(inner), injector_(injector) {}

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::string> read(const std::string& path) override;
  Result<uint64_t> size(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Status make_folders(const std::string& folder) override;
  Status sync_dir(const std::string& folder) override;
  Status sync_file(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status link_or_copy(const std::string& from, const std::string& to) override;

 private:
  FileSystem& inner_;
  FaultInjector& injector_;
};

}  // namespace tarn
