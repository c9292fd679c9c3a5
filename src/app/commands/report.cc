#include <filesystem>

#include <fmt/format.h>

#include "app/cancel_by_signal.h"
#include "app/commands/commands.h"
#include "app/leave.h"
#include "app/show/form.h"
#include "base/time.h"
#include "serve/http/json.h"
#include "serve/http/mails_api.h"
#include "serve/http/reports_api.h"

namespace tarn::app {
namespace {

int show_all(CommandContext& context, serve::Backend& backend) {
  const auto all = backend.reports();
  if (!all)
    return report(context, all.error());
  if (context.arguments.json) {
    serve::Json list = serve::Json::array();
    for (const auto& one : *all)
      list.push_back(serve::to_json(one));
    fmt::print("{}\n", serve::dump(list));
    return 0;
  }
  if (all->empty())
    fmt::print("the project has no reports yet: write reports/NAME.yml\n");
  for (const auto& one : *all) {
    fmt::print("{}  {}{}\n", context.out.bold(one.name), one.title, parameter_names(one.fields, "--param"));
  }
  return 0;
}

// With the choices that there are when parameters have the values that the command gives.
Result<report::Form> form_of(const Arguments& arguments, serve::Backend& backend) {
  TARN_TRY(auto form, backend.report_form(arguments.report));
  if (arguments.parameters.empty())
    return form;
  TARN_TRY(const auto meanings,
           backend.report_meanings(
               {.name = arguments.report, .parameters = arguments.parameters, .as_of = {}, .key = ""}));
  for (size_t i = 0; i < std::min(meanings.size(), form.fields.size()); ++i) {
    if (meanings[i].choices)
      form.fields[i].choices = *meanings[i].choices;
  }
  return form;
}

int show_form(CommandContext& context, serve::Backend& backend) {
  const auto form = form_of(context.arguments, backend);
  if (!form)
    return report(context, form.error());
  if (context.arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(*form)));
    return 0;
  }
  fmt::print("{}  {}\n", context.out.bold(form->name), form->title);
  fmt::print("{}", parameter_lines(form->fields, "--param"));
  return 0;
}

Result<serve::ReportDone> make(CommandContext& context, serve::Backend& backend, const std::string& path,
                               const flow::CancelFlag& cancel) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return Error{Code::kInvalid,
                 fmt::format("-o: the folder {} does not exist; make it first", folder.string())};
  }
  return backend.make_report({.name = context.arguments.report,
                              .parameters = context.arguments.parameters,
                              .as_of = context.arguments.as_of},
                             path, cancel);
}

int failed(CommandContext& context, const Error& error, const flow::CancelFlag& cancel) {
  const int code = report(context, error);
  if (cancel.is_set())
    leave_soon(130);
  return code;
}

int show_sent(const CommandContext& context, const report::mail::SentRecord& sent) {
  if (context.arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(sent)));
  } else if (sent.state == report::mail::SentState::kNoRows) {
    fmt::print("no rows: nothing was mailed\n");
  } else {
    fmt::print("mailed at {} to {}\n", format_utc(sent.started_at), sent.recipients);
  }
  return 0;
}

// Somebody looked whether a mail arrived.
int settle(CommandContext& context, serve::Backend& backend) {
  const auto& arguments = context.arguments;
  const CancelBySignal by_signal(context.signals);
  const auto sent = arguments.mail_again.empty()
                        ? backend.settle_mail(arguments.mail_done, true)
                        : serve::send_mail_again(backend, arguments.mail_again, nullptr, by_signal.cancel);
  return sent ? show_sent(context, *sent) : failed(context, sent.error(), by_signal.cancel);
}

int send(CommandContext& context, serve::Backend& backend) {
  const auto& arguments = context.arguments;
  if (!arguments.output.empty())
    return report(context,
                  Error{Code::kInvalid, "--send mails the workbook, -o writes it: take one of them"});
  const CancelBySignal by_signal(context.signals);
  const auto sent = backend.send_report({.name = arguments.report,
                                         .parameters = arguments.parameters,
                                         .as_of = arguments.as_of,
                                         .key = arguments.key},
                                        by_signal.cancel);
  return sent ? show_sent(context, *sent) : failed(context, sent.error(), by_signal.cancel);
}

}  // namespace

int command_report(CommandContext& context) {
  const auto& arguments = context.arguments;
  const auto backend = open_backend(context);
  if (!backend)
    return report(context, backend.error());
  if (!arguments.mail_done.empty() || !arguments.mail_again.empty())
    return settle(context, **backend);
  if (arguments.report.empty())
    return show_all(context, **backend);
  if (arguments.list)
    return show_form(context, **backend);
  if (arguments.send)
    return send(context, **backend);
  const auto path = absolute_path(arguments.output.empty() ? arguments.report + ".xlsx" : arguments.output);
  const CancelBySignal by_signal(context.signals);
  const auto done = make(context, **backend, path, by_signal.cancel);
  if (!done)
    return failed(context, done.error(), by_signal.cancel);
  if (arguments.json) {
    fmt::print("{}\n", serve::dump({{"path", path}, {"run", done->run_id}, {"rows", done->rows}}));
  } else {
    fmt::print("{}\n", path);
  }
  return 0;
}

}  // namespace tarn::app
