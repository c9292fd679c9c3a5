// SQLite's files with faults: create, write, truncate, sync and delete go through a FaultInjector, layer
// "sqlite".
#pragma once

#include <memory>
#include <string>

#include "base/env/fault.h"

namespace tarn::store {

class FaultVfs {
 public:
  explicit FaultVfs(FaultInjector& injector);  // registers itself with SQLite under name()
  ~FaultVfs();                                 // after the last connection that uses it
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Impl;
  std::string name_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::store
