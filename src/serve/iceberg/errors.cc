#include <fmt/format.h>

#include "serve/iceberg/answer.h"

namespace tarn::serve::rest {
namespace {

struct Form {
  int status;
  std::string_view type;
};

std::string_view missing_type(Subject subject) {
  switch (subject) {
    case Subject::kCatalog: return "NotFoundException";
    case Subject::kNamespace: return "NoSuchNamespaceException";
    case Subject::kTable: return "NoSuchTableException";
    case Subject::kView: return "NoSuchViewException";
  }
  return "NotFoundException";
}

// 500 means to a client that its commit may have been applied, so that it leaves the files; every other
// status must be certain that it was not.
Form form_of(Code code, Subject subject) {
  switch (code) {
    case Code::kInvalid:  // clients raise one as a mistake of the program, the other of the request
      return {400, subject == Subject::kView ? "IllegalArgumentException" : "BadRequestException"};
    case Code::kUnsupported: return {400, "BadRequestException"};
    case Code::kNotFound: return {404, missing_type(subject)};
    case Code::kExists: return {409, "AlreadyExistsException"};
    case Code::kDenied: return {403, "ForbiddenException"};
    case Code::kConflict:
    case Code::kAborted: return {409, "CommitFailedException"};
    case Code::kLocked:
    case Code::kExhausted: return {503, "SlowDownException"};
    case Code::kCancelled:
    case Code::kTimeout: return {504, "CommitStateUnknownException"};
    case Code::kUnavailable:
    case Code::kIo:
    case Code::kInternal: return {500, "CommitStateUnknownException"};
    case Code::kDiskFull: return {507, "ServiceFailureException"};
    case Code::kCorrupt:
    case Code::kNewer:
    case Code::kFailed: return {500, "ServiceFailureException"};
  }
  return {500, "ServiceFailureException"};
}

// The catalog's own words for a conflict begin with the SQLSTATE, which says nothing here.
std::string_view without_state(std::string_view message) {
  constexpr std::string_view kState = "40001: ";
  return message.starts_with(kState) ? message.substr(kState.size()) : message;
}

}  // namespace

Answer answer_json(const Json& json, int status) {
  return {.status = status, .body = dump(json), .headers = {}};
}

Answer answer_empty(int status) {
  return {.status = status, .body = "", .headers = {}};
}

Answer answer_error(int status, std::string_view type, std::string_view message) {
  return answer_json({{"error", {{"message", message}, {"type", type}, {"code", status}}}}, status);
}

Answer answer_error(const Error& error, Subject subject) {
  const auto form = form_of(error.code, subject);
  return answer_error(form.status, form.type, without_state(error.message));
}

bool is_final(int status) {
  constexpr int kTimeouts[] = {401, 403, 408, 419, 425, 429};
  for (const int passing : kTimeouts) {
    if (status == passing)
      return false;
  }
  return status < 500;
}

}  // namespace tarn::serve::rest
