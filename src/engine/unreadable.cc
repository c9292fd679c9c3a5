#include "engine/unreadable.h"

#include <fmt/format.h>

namespace tarn::engine {
namespace {

enum class Blame { kFile, kTarn, kOthers };

Blame blame_of(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kNotFound:
    case Code::kIo:
    case Code::kCorrupt:
    case Code::kInternal: return Blame::kFile;
    case Code::kUnsupported: return Blame::kTarn;
    case Code::kExists:
    case Code::kDenied:
    case Code::kConflict:
    case Code::kAborted:
    case Code::kCancelled:
    case Code::kTimeout:
    case Code::kExhausted:
    case Code::kDiskFull:
    case Code::kUnavailable:
    case Code::kLocked:
    case Code::kNewer:
    case Code::kFailed: break;
  }
  return Blame::kOthers;
}

}  // namespace

Error unreadable(const TableName& table, const Error& cause) {
  const auto blame = blame_of(cause.code);
  const auto head = fmt::format("table {}.{} cannot be read: ", table.schema, table.name);
  if (blame == Blame::kOthers || cause.message.starts_with(head)) {
    return cause;
  }
  const std::string message = head + cause.message.substr(0, cause.message.find('\n'));
  if (blame == Blame::kTarn) {  // whose message says what to do
    return {cause.code, message};
  }
  return {cause.code == Code::kIo ? Code::kIo : Code::kCorrupt,
          message + "; restore the file from a backup, or read an older version of the table (AT)"};
}

}  // namespace tarn::engine
