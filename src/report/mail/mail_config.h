// `mail:` of a report: who gets it, and what the mail says.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/env/env.h"
#include "codec/yaml.h"
#include "report/chart/chart.h"
#include "report/mail/settings.h"
#include "report/query.h"

namespace tarn::report::mail {

struct MailConfig {
  Place place;
  std::vector<Address> to, cc, bcc;
  std::string subject;  // with {title}, {today} and {parameter}
  Place subject_place;
  std::string text;  // the same
  Place text_place;
  Query table;  // shown in the body; none: no table
  int64_t table_rows = 50;
  std::optional<chart::ChartConfig> chart;
  bool attach = true;  // the workbook
  bool only_if_rows = false;
  bool repeatable = false;  // a mail that may have been sent is sent again
  int64_t attempts = 5;
  Duration first_delay = std::chrono::seconds(30);
};

MailConfig read_mail(const codec::YamlNode& node, Diagnostics& diagnostics);

// Puts values into {name}; "{{" is a brace. kInvalid names what is unknown and what there is.
Result<std::string> put_values(std::string_view text, const std::map<std::string, std::string>& values);

// "Ada <ada@example.org>, bob@example.org": everybody of to, cc and bcc.
std::string all_recipients(const MailConfig& config);

}  // namespace tarn::report::mail
