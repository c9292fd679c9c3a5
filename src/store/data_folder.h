// The folder that holds all state of a project. Locked by one process at a time, before anything in it is
// opened.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/env/env.h"
#include "base/env/lock_file.h"
#include "base/result.h"

namespace tarn::store {

// Who holds a data folder, as its lock file says.
struct LockHolder {
  int64_t pid = 0;
  std::string address;  // "127.0.0.1:7070" of a server, else empty
};

class DataFolder {
 public:
  // Makes the folder when it is not there. kLocked names the process that holds it; kNewer when it was
  // written by a newer Tarn.
  static Result<std::unique_ptr<DataFolder>> open(Env& env, const std::string& path);
  // The process that holds the folder; nullopt when none does. Takes no lock for longer than the question.
  static Result<std::optional<LockHolder>> holder(Env& env, const std::string& path);

  // Tells other processes where this one answers.
  Status publish_address(const std::string& address);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string lake() const { return path_ + "/lake"; }
  [[nodiscard]] std::string raw() const { return path_ + "/raw"; }
  [[nodiscard]] std::string logs() const { return path_ + "/logs"; }
  [[nodiscard]] std::string spill() const { return path_ + "/spill"; }
  [[nodiscard]] std::string control() const { return path_ + "/control.sqlite"; }

 private:
  DataFolder(std::string path, std::unique_ptr<LockFile> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  std::unique_ptr<LockFile> lock_;
};

}  // namespace tarn::store
