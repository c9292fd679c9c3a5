#include "flow/records.h"

#include <array>
#include <utility>

namespace tarn::flow {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 8> kNames = {{{State::kWaiting, "waiting"},
                                                                       {State::kRunning, "running"},
                                                                       {State::kDone, "done"},
                                                                       {State::kFailed, "failed"},
                                                                       {State::kSkipped, "skipped"},
                                                                       {State::kCancelled, "cancelled"},
                                                                       {State::kInterrupted, "interrupted"},
                                                                       {State::kUnknown, "unknown"}}};

}  // namespace

std::string_view name_of(State state) {
  for (const auto& [known, name] : kNames) {
    if (known == state)
      return name;
  }
  return "interrupted";
}

State state_of(std::string_view name) {
  for (const auto& [state, known] : kNames) {
    if (known == name)
      return state;
  }
  return State::kInterrupted;
}

}  // namespace tarn::flow
