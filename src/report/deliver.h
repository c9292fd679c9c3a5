// Makes a report and mails it: once for an occasion, with retries, and with a record of what became of it.
#pragma once

#include <memory>
#include <string>

#include "flow/runs.h"
#include "flow/task.h"
#include "report/mail/sent_log.h"
#include "report/mail/settings.h"
#include "report/report.h"

namespace tarn::report {

struct DeliverRequest {
  std::string name;
  Given parameters;
  std::optional<Timestamp> as_of;
  // The occasion, such as a schedule's name and the time it was due: a key is mailed once. Empty: the run's
  // id.
  std::string key;
  std::vector<std::string> after;  // tasks that it waits for besides what its queries name by ref and source
};

// The task "mail:NAME", which comes after what the report's queries read. `record` is filled when it is done
// or has failed; log and runs outlive the task.
std::unique_ptr<flow::Task> make_delivery_task(std::shared_ptr<const Reports> reports, mail::SentLog& log,
                                               flow::Runs& runs, DeliverRequest request,
                                               std::string work_folder, mail::SentRecord& record);

}  // namespace tarn::report
