// Faults for tests: fail the Nth call of a layer, or cut the power there and take from the disk what was not
// synced. One FaultInjector is shared by all layers of a process: "files" (FaultFileSystem), "sqlite"
// (store/fault_vfs) and "duckdb" (lake_fs). A layer asks before_call(), keeps the Pass until the call is
// done, and tells the ledger what it does to the disk. After a crash every call is refused, as by a machine
// that is off. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn {

enum class FaultMode {
  kError,  // the call fails, nothing else happens
  kFull,   // no space: this call and every later one that needs space fails
  kCrash,  // power cut: only what was synced stays, bytes and names
  kTorn,   // power cut: everything stays but the second half of each file's last write
};

struct FaultPlan {
  std::string layer;      // whose calls are counted; empty: all together
  int64_t fail_call = 0;  // counted from 1; 0: never
  FaultMode mode = FaultMode::kError;
  bool for_ever = false;  // kError: every later call of the layer fails too
};

// Reads "layer:n:mode", mode one of error, error-on (for ever), full, crash, torn; "*" is every layer.
Result<FaultPlan> parse_fault_plan(std::string_view text);

// What the disk would lose now. Tell it before the change where the name ends in -ing, and after it
// otherwise.
class CrashLedger {
 public:
  void created(const std::string& path);  // a file or folder that was not there
  void writing(const std::string& path, uint64_t offset, uint64_t bytes);
  void truncating(const std::string& path, uint64_t size);
  void synced(const std::string& path);
  void renaming(const std::string& from, const std::string& to);
  void removing(const std::string& path);
  void dir_synced(const std::string& folder);

  // Takes from the disk what was not synced; with `torn`, only the end of each last write.
  void drop_unsynced(bool torn);

 private:
  struct Write {
    uint64_t offset = 0, bytes = 0, old_size = 0;
    std::string old;  // what stood there
  };
  struct NameChange {
    enum class Kind { kCreated, kRenamed, kRemoved } kind = Kind::kCreated;
    std::string path;  // kRenamed: the new name
    std::string from;  // kRenamed
    bool had_old = false;
    std::string old;  // durable bytes of what was removed or replaced
  };
  std::string durable_bytes(const std::string& path);  // needs mutex_

  std::mutex mutex_;
  std::map<std::string, std::vector<Write>> writes_;
  std::vector<NameChange> names_;
};

class FaultInjector {
 public:
  // `on_crash` runs after the power cut (a test program leaves by _exit there); else calls are refused from
  // then on.
  explicit FaultInjector(FaultPlan plan, std::function<void()> on_crash = {});

  // Leave to do one call. Hold it until the call and its ledger entries are done; ask for no second one
  // meanwhile.
  class Pass {
   public:
    // How many bytes of a write may be written: a torn write stops halfway.
    [[nodiscard]] size_t bytes_allowed(size_t wanted) const { return torn_ ? wanted / 2 : wanted; }
    // Ends the call: after a torn write the power is cut here.
    Status finish();

   private:
    friend class FaultInjector;
    FaultInjector* injector_ = nullptr;
    bool torn_ = false;
    std::shared_lock<std::shared_mutex> lock_;
  };

  // `op` is one of create, write, sync, close, rename, remove, sync_dir, make_folders, link, truncate, or a
  // reading one: read, size, exists, list.
  Result<Pass> before_call(std::string_view layer, std::string_view op, const std::string& path);

  CrashLedger& ledger() { return ledger_; }
  [[nodiscard]] bool fired() const { return fired_; }
  [[nodiscard]] bool crashed() const { return crashed_; }
  // Calls made so far, by layer.
  [[nodiscard]] std::map<std::string, int64_t> calls() const;

 private:
  struct Verdict {
    bool fails = false;
    int64_t call = 0;
  };
  Verdict judge(std::string_view layer, std::string_view op);
  void cut_power();

  const FaultPlan plan_;
  const std::function<void()> on_crash_;
  CrashLedger ledger_;
  std::shared_mutex running_;  // shared by calls under way, exclusive for the power cut
  mutable std::mutex count_mutex_;
  std::map<std::string, int64_t, std::less<>> calls_;
  std::atomic<bool> fired_ = false;
  std::atomic<bool> crashed_ = false;
};

}  // namespace tarn
