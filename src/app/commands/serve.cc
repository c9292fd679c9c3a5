#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "app/backend/board_shelf.h"
#include "app/backend/workspace.h"
#include "app/commands/commands.h"
#include "app/server/connect_text.h"
#include "app/server/janitor.h"
#include "app/server/serve_log.h"
#include "app/server/server_file.h"
#include "app/server/service_log.h"
#include "app/server/service_notice.h"
#include "app/ui_files.h"
#include "app/version.h"
#include "base/diagnostic_text.h"
#include "net/http_server.h"
#include "serve/http/alerts_api.h"
#include "serve/http/api.h"
#include "serve/http/clean_api.h"
#include "serve/http/flows_api.h"
#include "serve/http/hub_host.h"
#include "serve/http/mails_api.h"
#include "serve/http/schedules_api.h"
#include "serve/http/web.h"
#include "serve/iceberg/api.h"
#include "serve/share/shares_api.h"

namespace tarn::app {
namespace {

constexpr std::chrono::milliseconds kPatience{4000};
constexpr int kConnections = 1024;  // each open page holds one

// Set once, by a signal.
class Ending {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// "HOST:PORT", "[::1]:PORT", "PORT".
Status read_address(const std::string& text, net::HttpServerOptions& options) {
  if (text.empty())
    return ok();
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? text : text.substr(colon + 1);
  auto host = colon == std::string::npos ? std::string() : text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  int number = -1;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number < 0 || number > 65535) {
    return Error{Code::kInvalid, fmt::format("--http '{}' is not HOST:PORT, e.g. 127.0.0.1:7070", text)};
  }
  if (!host.empty())
    options.host = host;
  options.port = number;
  return ok();
}

Result<net::HttpServerOptions> read_options(const CommandContext& context, const project::Project& project) {
  net::HttpServerOptions options;
  options.host = project.http_host;
  options.port = project.http_port;
  options.allow_public = context.arguments.allow_public;
  options.open_paths = {"/healthz"};
  TARN_CHECK(read_address(context.arguments.http, options));
  return options;
}

// Each connection is a file to the system, besides those that the engine opens.
int allow_connections(int wanted) {
  constexpr rlim_t kOthers = 512;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return wanted;
  const auto needed = static_cast<rlim_t>(wanted) + kOthers;
  if (limit.rlim_cur < needed && limit.rlim_max >= needed) {
    limit.rlim_cur = needed;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur >= needed ? wanted : static_cast<int>(limit.rlim_cur / 2);
}

// A statement of the engine that looks at no interrupt must not keep the process: what was answered is on the
// disk already, so that leaving is as harmless as a kill.
void leave_in_any_case(std::shared_ptr<ServiceLog> log) {
  std::thread([log = std::move(log)] {
    std::this_thread::sleep_for(2 * kPatience);
    log->write(LogLevel::kError, "a statement did not stop; the server leaves without it");
    ::_exit(1);
  }).detach();
}

// The schedules of the project's text, when it has changed; read again until it can be read.
serve::HubHost::Reload plan_source(Workspace& workspace, ServiceLog& log) {
  return [&workspace, &log, stamp = std::string()]() mutable -> std::optional<flow::SchedulePlan> {
    auto now = project::text_stamp(workspace.project());
    if (now == stamp)
      return std::nullopt;
    auto plan = workspace.schedule_plan();
    stamp = std::move(now);
    if (plan && plan->mistakes.empty()) {
      log.write(LogLevel::kInfo,
                fmt::format("the project's text was read: {} schedules", plan->schedules.size()));
    } else {
      log.write(LogLevel::kWarning, "the project's text has mistakes: " +
                                        (plan ? to_string(plan->mistakes.front()) : plan.error().message));
    }
    if (plan)
      return std::move(*plan);
    // tarn.yml itself cannot be read.
    return flow::SchedulePlan{.schedules = {}, .mistakes = {diagnostic_of_text(plan.error().message)}};
  };
}

Result<std::shared_ptr<ServiceLog>> open_log(CommandContext& context) {
  const char* wish = std::getenv("TARN_LOG");
  const bool is_given = !context.arguments.log.empty();
  auto options = read_log_options(is_given ? context.arguments.log : wish == nullptr ? "" : wish);
  if (!options)
    return options.error().at(is_given ? "--log" : "TARN_LOG");
  return std::make_shared<ServiceLog>(context.env, *options);
}

// What a server does by itself besides its runs.
class Duties {
 public:
  Duties(Workspace& workspace, ServiceLog& log)
      : workspace_(workspace), log_(log), janitor_([this] { clean(); }) {}

  void listen(serve::RunHub& hub) {
    hub.listen([this](const std::string& run, const serve::Json& event) {
      log_event(log_, run, event);
      // Whatever ends or changes may be worth telling.
      const auto name = serve::text_of(event, "event");
      if (name == "run_ended" || name == "schedule_changed")
        workspace_.desk().nudge();
    });
  }
  void start(serve::EventFeed& feed) {
    workspace_.desk().start(
        [this](bool is_trouble, const std::string& text) {
          log_.write(is_trouble ? LogLevel::kWarning : LogLevel::kInfo, text);
        },
        [&feed] { feed.hear_alerts(); });
    janitor_.start();
  }
  void stop() {
    cancel_.set();
    workspace_.desk().stop();
    janitor_.stop();
  }

 private:
  void clean() {
    const auto done = workspace_.clean_daily(cancel_);
    if (!done && !cancel_.is_set())
      log_.write(LogLevel::kWarning, "the daily cleaning: " + done.error().message);
    if (!done || !*done)
      return;
    std::string text;
    for (const auto& one : (*done)->removed)
      text += one.count > 0 ? fmt::format(" {} of {},", one.count, one.what) : "";
    if (!text.empty())
      text.pop_back();
    log_.write(LogLevel::kInfo, "cleaned:" + (text.empty() ? " nothing was old" : text));
  }

  Workspace& workspace_;
  ServiceLog& log_;
  flow::CancelFlag cancel_;
  Janitor janitor_;
};

void log_stopping(ServiceLog& log, serve::RunHub& hub) {
  const auto runs = hub.under_way();
  log.write(LogLevel::kInfo,
            runs.empty()
                ? "stopping: no run is under way"
                : fmt::format("stopping: waits at most {} s for {} run{}, which the next start goes on with "
                              "where a schedule asked for it: {}",
                              2 * kPatience.count() / 1000, runs.size(), runs.size() == 1 ? "" : "s",
                              fmt::join(runs, ", ")));
}

void announce(CommandContext& context, const project::Project& project, const std::string& url,
              const std::string& token, ServiceLog& log) {
  log.write(LogLevel::kInfo, fmt::format("tarn {} serves {} at {}; the token is in {}/token", kVersion,
                                         project.name, url, project.data_folder));
  if (log.options().asked_for)
    return;  // a log is no place for a token
  fmt::print("Tarn serves {} at {}\n", context.out.bold(project.name), context.out.bold(url));
  fmt::print("open:  {}/login?token={}\n", url, token);
  fmt::print("token: {}   (also in {}/token)\n", token, project.data_folder);
  fmt::print("try:   curl -H 'Authorization: Bearer {}' {}/api/v1/status\n", token, url);
  fmt::print("\nOther engines on this machine share the tables (docs/iceberg.md):\n\n{}",
             connect_text({.url = url, .token = token}));
  std::fflush(stdout);
}

struct Running {
  Workspace& workspace;
  Duties& duties;
  serve::Api& api;
  serve::Web& web;
  net::HttpServer& server;
};

// What is under way ends, and what depends on it after it.
void stop_all(CommandContext& context, const std::shared_ptr<ServiceLog>& log, const std::string& data_folder,
              const Running& running) {
  notify_service_manager("STOPPING=1");
  context.signals.on_signal([] { ::_exit(130); });  // asked twice: at once
  const auto asked_at = context.env.clock->steady();
  log_stopping(*log, running.api.hub());
  leave_in_any_case(log);
  remove_server_file(context.env, data_folder);
  running.workspace.scheduler().stop();
  running.duties.stop();
  running.api.stop();
  running.web.stop();
  running.server.stop(kPatience);
  log->write(LogLevel::kInfo, "stopped", {.took = context.env.clock->steady() - asked_at});
}

// Paths beyond those of the API itself.
template <class Routes>
void add_routes(serve::Api& api, Routes& routes) {
  api.add_routes([&routes](const auto& request, auto& response) { return routes.handle(request, response); });
}

Status serve(CommandContext& context) {
  TARN_TRY(const auto log, open_log(context));
  Ending ending;
  context.signals.on_signal([&ending] { ending.set(); });
  TARN_TRY(auto project, load_settings(context));
  TARN_TRY(auto options, read_options(context, project));
  const auto data_folder = project.data_folder;
  TARN_TRY(const auto workspace,
           Workspace::open(context.env, std::move(project), {.faults = context.faults}));
  TARN_TRY(options.token, settle_token(context.env, data_folder));
  const auto token = options.token;
  log->hide(token);
  const auto host = options.host == "localhost" ? std::string("127.0.0.1") : options.host;
  serve::Web web(context.env, {.insight = *workspace, .backend = *workspace, .runs = workspace->runs()},
                 {.token = token, .version = std::string(kVersion), .files = ui_files()});
  serve::Api api(context.env, *workspace, workspace->runs(),
                 {.version = std::string(kVersion),
                  .spill_folder = workspace->spill_folder(),
                  .hub = {.runs_at_once = workspace->project().runs_at_once}});
  serve::HubHost starter(api.hub(), plan_source(*workspace, *log),
                         [&workspace](const auto& names) { return workspace->versions(names); });
  serve::SchedulesApi schedules(workspace->scheduler(), starter, api.hub(), context.env,
                                [&workspace] { return workspace->time_zone(); });
  add_routes(api, schedules);
  serve::FlowsApi flows(*workspace, workspace->runs(), api.hub());
  add_routes(api, flows);
  // Before anybody can ask; nothing starts yet.
  if (auto plan = starter.reload())
    workspace->scheduler().load(std::move(*plan));
  ProjectBoards project_boards(context.env, workspace->project());
  serve::BoardsApi boards(context.env, project_boards, workspace->sessions());
  TARN_TRY(const auto shares, serve::Shares::open(context.env, workspace->records()));
  serve::SharesApi shares_api(context.env, *shares, project_boards, boards);
  add_routes(api, shares_api);
  add_routes(api, boards);
  serve::AlertsApi alerts(*workspace, workspace->records());
  add_routes(api, alerts);
  serve::MailsApi mails(*workspace, api.hub(), workspace->records(), web.feed());
  add_routes(api, mails);
  TARN_TRY(const auto iceberg, serve::IcebergApi::open(context.env, workspace->lake(), workspace->records(),
                                                       {.access_token = token}));
  serve::CleanApi clean(*workspace);
  add_routes(api, clean);
  Duties duties(*workspace, *log);
  duties.listen(api.hub());
  api.hub().listen(
      [&web](const std::string& run, const serve::Json& event) { web.feed().hear_run(run, event); });
  web.admit(options);
  serve::SharesApi::admit(options);
  iceberg->admit(options);
  options.connections_max = allow_connections(kConnections);
  TARN_TRY(
      const auto server,
      net::HttpServer::start(
          std::move(options), with_request_log(context.env, *log, [&](const auto& request, auto& response) {
            if (!iceberg->handle(request, response) && !shares_api.handle_guest(request, response) &&
                !web.handle(request, response))
              api.handle(request, response);
          })));
  TARN_CHECK(write_server_file(context.env, data_folder, {::getpid(), host, server->port()}));
  const auto url = fmt::format("http://{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]",
                               server->port());
  announce(context, workspace->project(), url, token, *log);
  duties.start(web.feed());
  workspace->scheduler().start(starter);
  notify_service_manager("READY=1\nSTATUS=serving " + url);
  ending.wait();
  stop_all(context, log, data_folder, {*workspace, duties, api, web, *server});
  return ok();
}

}  // namespace

int command_serve(CommandContext& context) {
  const auto served = serve(context);
  context.signals.on_signal({});
  return served ? 0 : report(context, served.error());
}

}  // namespace tarn::app
