// Gives one message to its receiver: by mail, or by a POST that follows no redirect. Blocking, at most for
// the channel's time-out. Neither an address nor a secret comes into an answer.
#pragma once

#include <functional>
#include <string>

#include "alert/config.h"
#include "alert/message.h"
#include "base/env/env.h"
#include "project/project.h"
#include "report/mail/smtp.h"

namespace tarn::alert {

struct Sent {
  report::mail::Outcome outcome = report::mail::Outcome::kNotSent;
  std::string answer;       // why, in one sentence; empty when sent
  Duration retry_after{0};  // that the receiver asked for
};

Sent send(Env& env, const project::Project& project, const Channel& channel, const Letter& letter,
          const std::function<bool()>& cancelled);

}  // namespace tarn::alert
