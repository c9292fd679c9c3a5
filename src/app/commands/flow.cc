#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands/commands.h"
#include "app/commands/watched_run.h"
#include "app/show/form.h"
#include "serve/http/flows_api.h"

namespace tarn::app {
namespace {

int show_all(CommandContext& context, serve::Backend& backend) {
  const auto all = backend.flows();
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
    fmt::print("the project has no flows yet: write flows/NAME.yml\n");
  for (const auto& one : *all) {
    fmt::print("{}  {}{}{}\n", context.out.bold(one.name), one.title, parameter_names(one.fields, "-p"),
               one.mistake.empty() ? "" : "  " + context.out.red("has mistakes: see tarn check"));
  }
  return 0;
}

// One line: a statement of many would hide the others.
std::string first_line(const std::string& text) {
  const auto end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end) + " …";
}

int show_one(CommandContext& context, serve::Backend& backend) {
  const auto flow = backend.flow_form(context.arguments.flow);
  if (!flow)
    return report(context, flow.error());
  if (context.arguments.json) {
    fmt::print("{}\n", serve::dump(serve::to_json(*flow)));
    return 0;
  }
  fmt::print("{}  {}\n", context.out.bold(flow->name), flow->title);
  if (!flow->mistake.empty())
    fmt::print("{}\n", context.out.red(flow->mistake));
  fmt::print("{}", parameter_lines(flow->fields, "-p"));
  for (const auto& task : flow->tasks) {
    fmt::print("  {:<16} {:<6} {}{}{}{}\n", task.name, task.kind, first_line(task.what),
               task.after.empty() ? "" : fmt::format("  after {}", fmt::join(task.after, ", ")),
               task.for_each.empty() ? "" : "  for each row", task.when.empty() ? "" : "  when " + task.when);
  }
  return 0;
}

// What is unknown is settled first.
Result<flow::RunOutcome> resume(const Arguments& arguments, serve::Backend& backend,
                                flow::RunObserver& observer, const flow::CancelFlag& cancel) {
  for (const auto& task : arguments.done)
    TARN_CHECK(backend.settle_effect(arguments.resume, task, true));
  for (const auto& task : arguments.again)
    TARN_CHECK(backend.settle_effect(arguments.resume, task, false));
  TARN_TRY(const auto request, backend.resume_request(arguments.resume));
  return backend.run(request, observer, cancel);
}

}  // namespace

int command_flow(CommandContext& context) {
  const auto& arguments = context.arguments;
  if (!arguments.resume.empty()) {
    return watched_run(context, [&arguments](serve::Backend& backend, flow::RunObserver& observer,
                                             const flow::CancelFlag& cancel) {
      return resume(arguments, backend, observer, cancel);
    });
  }
  if (arguments.flow.empty() || arguments.list) {
    const auto backend = open_backend(context);
    if (!backend)
      return report(context, backend.error());
    return arguments.flow.empty() ? show_all(context, **backend) : show_one(context, **backend);
  }
  serve::RunRequest request;
  request.selection = {"flow:" + arguments.flow};
  request.parameters = arguments.parameters;
  request.vars = arguments.vars;
  return watched_run(
      context, [&request](serve::Backend& backend, flow::RunObserver& observer,
                          const flow::CancelFlag& cancel) { return backend.run(request, observer, cancel); });
}

}  // namespace tarn::app
