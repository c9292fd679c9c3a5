#include "store/disk_reserve.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

namespace tarn::store {
namespace {

constexpr uint64_t kLeast = 500'000'000;
constexpr Duration kFresh{1'000'000};

std::string megabytes(uint64_t bytes) {
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

Status look(const std::string& folder, const std::optional<uint64_t>& wanted) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error)
    return ok();  // what cannot be asked stops nobody: a full disk is told by the write itself
  const auto reserve = wanted.value_or(default_reserve(space.capacity));
  if (space.available >= reserve)
    return ok();
  return Error{
      Code::kDiskFull,
      fmt::format(
          "the disk of {} has {} free, and {} are kept for Tarn's own records: nothing new is written "
          "until there is more room ('tarn clean', or disk_reserve in tarn.yml); reading goes on",
          folder, megabytes(space.available), megabytes(reserve))};
}

}  // namespace

uint64_t default_reserve(uint64_t disk_bytes) {
  return std::max(kLeast, disk_bytes / 50);
}

Status DiskReserve::check() {
  if (bytes_ && *bytes_ == 0)
    return ok();
  const auto now = env_.clock->steady();
  const std::lock_guard lock(mutex_);
  if (!asked_at_ || now - *asked_at_ >= kFresh || now < *asked_at_) {
    answer_ = look(folder_, bytes_);
    asked_at_ = now;
  }
  return answer_;
}

}  // namespace tarn::store
