#include "base/env/fault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"

namespace tarn {
namespace {

namespace stdfs = std::filesystem;

std::string parent_of(const std::string& path) {
  return stdfs::path(path).parent_path().string();
}

uint64_t size_of(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

std::string read_range(int fd, uint64_t offset, uint64_t bytes) {
  std::string text(bytes, '\0');
  size_t filled = 0;
  while (filled < text.size()) {
    ssize_t got =
        ::pread(fd, text.data() + filled, text.size() - filled, static_cast<off_t>(offset + filled));
    if (got <= 0) {
      break;
    }
    filled += static_cast<size_t>(got);
  }
  text.resize(filled);
  return text;
}

void write_range(int fd, uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written <= 0) {
      return;
    }
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

bool needs_space(std::string_view op) {
  return op == "create" || op == "write" || op == "sync" || op == "make_folders" || op == "link";
}

}  // namespace

Result<FaultPlan> parse_fault_plan(std::string_view text) {
  size_t first = text.find(':');
  size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  FaultPlan plan;
  bool good = second != std::string_view::npos;
  if (good) {
    plan.layer = text.substr(0, first) == "*" ? "" : std::string(text.substr(0, first));
    std::string_view number = text.substr(first + 1, second - first - 1);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), plan.fail_call);
    good = error == std::errc() && end == number.data() + number.size() && plan.fail_call >= 0;
    std::string_view mode = text.substr(second + 1);
    plan.mode = mode == "crash"  ? FaultMode::kCrash
                : mode == "torn" ? FaultMode::kTorn
                : mode == "full" ? FaultMode::kFull
                                 : FaultMode::kError;
    plan.for_ever = mode == "error-on";
    good = good && (plan.mode != FaultMode::kError || plan.for_ever || mode == "error");
  }
  if (!good) {
    return Error{Code::kInvalid,
                 fmt::format("not a fault: '{}'; write layer:n:mode, e.g. files:12:crash", text)};
  }
  return plan;
}

void CrashLedger::created(const std::string& path) {
  std::lock_guard lock(mutex_);
  names_.push_back({NameChange::Kind::kCreated, path, "", false, ""});
}

void CrashLedger::writing(const std::string& path, uint64_t offset, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Write write{offset, bytes, 0, ""};
  if (fd.valid()) {
    write.old_size = size_of(fd.get());
    if (offset < write.old_size) {
      write.old = read_range(fd.get(), offset, std::min(bytes, write.old_size - offset));
    }
  }
  writes_[path].push_back(std::move(write));
}

void CrashLedger::truncating(const std::string& path, uint64_t size) {
  std::lock_guard lock(mutex_);
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Write write{size, 0, 0, ""};
  if (fd.valid()) {
    write.old_size = size_of(fd.get());
    if (size < write.old_size) {
      write.old = read_range(fd.get(), size, write.old_size - size);
    }
  }
  writes_[path].push_back(std::move(write));
}

void CrashLedger::synced(const std::string& path) {
  std::lock_guard lock(mutex_);
  writes_.erase(path);
}

void CrashLedger::renaming(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  NameChange change{NameChange::Kind::kRenamed, to, from, false, ""};
  std::error_code error;
  if (stdfs::is_regular_file(to, error)) {
    change.had_old = true;
    change.old = durable_bytes(to);
  }
  writes_.erase(to);
  if (auto it = writes_.find(from); it != writes_.end()) {
    writes_[to] = std::move(it->second);
    writes_.erase(from);
  }
  names_.push_back(std::move(change));
}

void CrashLedger::removing(const std::string& path) {
  std::lock_guard lock(mutex_);
  NameChange change{NameChange::Kind::kRemoved, path, "", false, ""};
  std::error_code error;
  if (stdfs::is_regular_file(path, error)) {
    change.had_old = true;
    change.old = durable_bytes(path);
  }
  writes_.erase(path);
  names_.push_back(std::move(change));
}

void CrashLedger::dir_synced(const std::string& folder) {
  std::lock_guard lock(mutex_);
  std::erase_if(names_, [&](const NameChange& change) { return parent_of(change.path) == folder; });
}

std::string CrashLedger::durable_bytes(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return "";
  }
  std::string bytes = read_range(fd.get(), 0, size_of(fd.get()));
  auto it = writes_.find(path);
  if (it == writes_.end()) {
    return bytes;
  }
  for (auto write = it->second.rbegin(); write != it->second.rend(); ++write) {
    bytes.resize(std::max<size_t>(bytes.size(), write->offset + write->old.size()));
    bytes.replace(write->offset, write->old.size(), write->old);
    bytes.resize(write->old_size);
  }
  return bytes;
}

void CrashLedger::drop_unsynced(bool torn) {
  std::lock_guard lock(mutex_);
  for (auto& [path, writes] : writes_) {
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.valid()) {
      continue;
    }
    size_t kept = torn && !writes.empty() ? writes.size() - 1 : 0;
    while (writes.size() > kept) {
      Write write = std::move(writes.back());
      writes.pop_back();
      uint64_t stays = torn ? write.bytes / 2 : 0;
      if (stays < write.old.size()) {
        write_range(fd.get(), write.offset + stays, std::string_view(write.old).substr(stays));
      }
      uint64_t size = torn ? std::max(write.old_size, write.offset + stays) : write.old_size;
      (void)!::ftruncate(fd.get(), static_cast<off_t>(size));
    }
  }
  writes_.clear();
  std::error_code ignored;
  for (auto change = names_.rbegin(); !torn && change != names_.rend(); ++change) {
    if (change->kind == NameChange::Kind::kCreated) {
      stdfs::remove_all(change->path, ignored);
    } else if (change->kind == NameChange::Kind::kRenamed) {
      (void)::rename(change->path.c_str(), change->from.c_str());
    }
    if (change->had_old) {
      FileDescriptor fd(::open(change->path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
      write_range(fd.get(), 0, change->old);
    }
  }
  names_.clear();
}

FaultInjector::FaultInjector(FaultPlan plan, std::function<void()> on_crash)
    : plan_(std::move(plan)), on_crash_(std::move(on_crash)) {}

Status FaultInjector::Pass::finish() {
  if (!torn_) {
    return ok();
  }
  torn_ = false;
  lock_.unlock();
  injector_->cut_power();
  return Error{Code::kIo, "the power was cut in the middle of a write (injected fault)"};
}

FaultInjector::Verdict FaultInjector::judge(std::string_view layer, std::string_view op) {
  std::lock_guard lock(count_mutex_);
  auto it = calls_.find(layer);
  if (it == calls_.end()) {
    it = calls_.emplace(std::string(layer), 0).first;
  }
  ++it->second;
  int64_t call = it->second;
  if (plan_.layer.empty()) {
    call = 0;
    for (const auto& [name, count] : calls_) {
      call += count;
    }
  } else if (plan_.layer != layer) {
    return {};
  }
  bool later = plan_.fail_call > 0 && call > plan_.fail_call;
  bool now = plan_.fail_call > 0 && call == plan_.fail_call;
  bool fails = now || (later && plan_.mode == FaultMode::kError && plan_.for_ever);
  if (plan_.mode == FaultMode::kFull) {
    fails = (now || later) && needs_space(op);
  }
  return {fails, call};
}

Result<FaultInjector::Pass> FaultInjector::before_call(std::string_view layer, std::string_view op,
                                                       const std::string& path) {
  Pass pass;
  pass.injector_ = this;
  pass.lock_ = std::shared_lock(running_);
  if (crashed_) {
    return Error{Code::kIo, fmt::format("cannot {} {}: the power is off (injected fault)", op, path)};
  }
  Verdict verdict = judge(layer, op);
  if (!verdict.fails) {
    return pass;
  }
  fired_ = true;
  switch (plan_.mode) {
    case FaultMode::kError:
      return Error{Code::kIo,
                   fmt::format("cannot {} {}: injected fault, {} call {}", op, path, layer, verdict.call)};
    case FaultMode::kFull:
      return Error{Code::kDiskFull, fmt::format("cannot {} {}: no space left (injected fault, {} call {})",
                                                op, path, layer, verdict.call)};
    case FaultMode::kTorn:
      if (op == "write") {
        pass.torn_ = true;
        return pass;
      }
      break;
    case FaultMode::kCrash: break;
  }
  pass.lock_.unlock();
  cut_power();
  return Error{Code::kIo, fmt::format("cannot {} {}: power cut (injected fault, {} call {})", op, path, layer,
                                      verdict.call)};
}

void FaultInjector::cut_power() {
  std::unique_lock lock(running_);
  if (crashed_) {
    return;
  }
  crashed_ = true;
  ledger_.drop_unsynced(plan_.mode == FaultMode::kTorn);
  if (on_crash_) {
    on_crash_();
  }
}

std::map<std::string, int64_t> FaultInjector::calls() const {
  std::lock_guard lock(count_mutex_);
  return {calls_.begin(), calls_.end()};
}

}  // namespace tarn
