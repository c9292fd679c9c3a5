#include "base/result.h"

#include <fmt/format.h>

namespace tarn {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not_found";
    case Code::kExists: return "exists";
    case Code::kDenied: return "denied";
    case Code::kUnsupported: return "unsupported";
    case Code::kConflict: return "conflict";
    case Code::kAborted: return "aborted";
    case Code::kCancelled: return "cancelled";
    case Code::kTimeout: return "timeout";
    case Code::kExhausted: return "exhausted";
    case Code::kDiskFull: return "disk_full";
    case Code::kUnavailable: return "unavailable";
    case Code::kIo: return "io";
    case Code::kCorrupt: return "corrupt";
    case Code::kLocked: return "locked";
    case Code::kNewer: return "newer";
    case Code::kFailed: return "failed";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

int exit_code_of(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kNotFound:
    case Code::kExists:
    case Code::kDenied:
    case Code::kUnsupported: return 2;
    case Code::kLocked:
    case Code::kNewer:
    case Code::kCorrupt: return 3;
    case Code::kUnavailable: return 4;
    case Code::kCancelled: return 130;
    case Code::kConflict:
    case Code::kAborted:
    case Code::kTimeout:
    case Code::kExhausted:
    case Code::kDiskFull:
    case Code::kIo:
    case Code::kFailed:
    case Code::kInternal: return 1;
  }
  return 1;
}

Error Error::at(std::string_view where) const {
  return Error{code, fmt::format("{}: {}", where, message)};
}

}  // namespace tarn
