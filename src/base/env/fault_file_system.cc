#include "base/env/fault_file_system.h"

namespace tarn {
namespace {

constexpr std::string_view kLayer = "files";

class FaultFile : public WritableFile {
 public:
  FaultFile(std::unique_ptr<WritableFile> inner, FaultInjector& injector, std::string path)
      : inner_(std::move(inner)), injector_(injector), path_(std::move(path)) {}

  Status append(std::string_view bytes) override {
    TARN_TRY(auto pass, injector_.before_call(kLayer, "write", path_));
    bytes = bytes.substr(0, pass.bytes_allowed(bytes.size()));
    injector_.ledger().writing(path_, written_, bytes.size());
    TARN_CHECK(inner_->append(bytes));
    written_ += bytes.size();
    return pass.finish();
  }

  Status sync() override {
    TARN_TRY(auto pass, injector_.before_call(kLayer, "sync", path_));
    TARN_CHECK(inner_->sync());
    injector_.ledger().synced(path_);
    return pass.finish();
  }

  Status close() override {
    TARN_TRY(auto pass, injector_.before_call(kLayer, "close", path_));
    TARN_CHECK(inner_->close());
    return pass.finish();
  }

 private:
  std::unique_ptr<WritableFile> inner_;
  FaultInjector& injector_;
  std::string path_;
  uint64_t written_ = 0;
};

}  // namespace

Result<std::unique_ptr<WritableFile>> FaultFileSystem::create(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "create", path));
  TARN_TRY(auto file, inner_.create(path));
  injector_.ledger().created(path);
  return std::make_unique<FaultFile>(std::move(file), injector_, path);
}

Result<std::string> FaultFileSystem::read(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "read", path));
  return inner_.read(path);
}

Result<uint64_t> FaultFileSystem::size(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "size", path));
  return inner_.size(path);
}

Result<bool> FaultFileSystem::exists(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "exists", path));
  return inner_.exists(path);
}

Result<std::vector<std::string>> FaultFileSystem::list(const std::string& folder) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "list", folder));
  return inner_.list(folder);
}

Status FaultFileSystem::make_folders(const std::string& folder) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "make_folders", folder));
  return inner_.make_folders(folder);
}

Status FaultFileSystem::sync_dir(const std::string& folder) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "sync_dir", folder));
  TARN_CHECK(inner_.sync_dir(folder));
  injector_.ledger().dir_synced(folder);
  return ok();
}

Status FaultFileSystem::sync_file(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "sync_file", path));
  TARN_CHECK(inner_.sync_file(path));
  injector_.ledger().synced(path);
  return pass.finish();
}

Status FaultFileSystem::rename(const std::string& from, const std::string& to) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "rename", from));
  injector_.ledger().renaming(from, to);
  return inner_.rename(from, to);
}

Status FaultFileSystem::remove(const std::string& path) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "remove", path));
  injector_.ledger().removing(path);
  return inner_.remove(path);
}

Status FaultFileSystem::link_or_copy(const std::string& from, const std::string& to) {
  TARN_TRY(auto pass, injector_.before_call(kLayer, "link", to));
  TARN_CHECK(inner_.link_or_copy(from, to));
  injector_.ledger().created(to);
  return ok();
}

}  // namespace tarn
