// Errors are values: every fallible function returns Result<T>.
// The code says what the caller can do; the message is one sentence for the user: what happened, where, the
// remedy.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace tarn {

enum class Code {
  kInvalid,      // the user's text or request is wrong; repeating it does not help
  kNotFound,     // the named thing does not exist (or may not be seen)
  kExists,       // the named thing exists already
  kDenied,       // not allowed
  kUnsupported,  // understood, but this version cannot do it
  kConflict,     // somebody else committed first; run the transaction again (SQLSTATE 40001)
  kAborted,      // the transaction failed earlier; only ROLLBACK is accepted (SQLSTATE 25P02)
  kCancelled,    // stopped on request
  kTimeout,      // a time limit ran out
  kExhausted,    // a memory, size or slot limit was reached
  kDiskFull,     // no space, or below the reserve
  kUnavailable,  // a remote side did not answer properly; retrying may help
  kIo,           // the file system failed
  kCorrupt,      // stored bytes are not what was written
  kLocked,       // another process holds the data folder
  kNewer,        // the data folder was written by a newer Tarn
  kFailed,       // a task, data test or contract failed
  kInternal,     // a bug in Tarn
};

// Stable lower-case name of a code, as used in JSON answers and records ("not_found").
std::string_view name_of(Code code);

// Process exit code of a code: 1 failed, 2 wrong use, 3 data folder, 4 unreachable, 130 cancelled.
int exit_code_of(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string message;

  // The same error, with `where` and a colon in front of the message.
  [[nodiscard]] Error at(std::string_view where) const;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpected<Error>(std::move(error))) {}
};

using Status = Result<void>;

inline Status ok() {
  return Status();
}

}  // namespace tarn

#define TARN_CONCAT_INNER(a, b) a##b
#define TARN_CONCAT(a, b) TARN_CONCAT_INNER(a, b)
#define TARN_TRY_IMPL(name, decl, expr)            \
  auto name = (expr);                              \
  if (!name)                                       \
    return ::tarn::Error(std::move(name).error()); \
  decl = std::move(*name)
// TARN_TRY(auto x, f()): x is f()'s value, or this function returns its error. Plain statements, needs a
// block.
#define TARN_TRY(decl, ...) TARN_TRY_IMPL(TARN_CONCAT(tarn_try_, __COUNTER__), decl, (__VA_ARGS__))
#define TARN_CHECK_IMPL(name, expr) \
  if (auto name = (expr); !name)    \
  return ::tarn::Error(std::move(name).error())
// TARN_CHECK(f()): returns f()'s error, if it has one; for Status.
#define TARN_CHECK(...) TARN_CHECK_IMPL(TARN_CONCAT(tarn_check_, __COUNTER__), (__VA_ARGS__))
#define TARN_CO_TRY_IMPL(name, decl, expr)            \
  auto name = (expr);                                 \
  if (!name)                                          \
    co_return ::tarn::Error(std::move(name).error()); \
  decl = std::move(*name)
// The same inside a coroutine.
#define TARN_CO_TRY(decl, ...) TARN_CO_TRY_IMPL(TARN_CONCAT(tarn_try_, __COUNTER__), decl, (__VA_ARGS__))
