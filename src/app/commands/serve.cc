#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "app/board_shelf.h"
#include "app/commands/commands.h"
#include "app/server_file.h"
#include "app/service_notice.h"
#include "app/ui_files.h"
#include "app/version.h"
#include "app/workspace.h"
#include "base/diagnostic_text.h"
#include "net/http_server.h"
#include "serve/http/api.h"
#include "serve/http/flows_api.h"
#include "serve/http/hub_host.h"
#include "serve/http/schedules_api.h"
#include "serve/http/web.h"
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
void leave_in_any_case(const std::string& data_folder) {
  std::thread([data_folder] {
    std::this_thread::sleep_for(2 * kPatience);
    fmt::print(stderr, "tarn: a statement did not stop; the server of {} leaves without it\n", data_folder);
    ::_exit(1);
  }).detach();
}

// The schedules of the project's text, when it has changed; read again until it can be read.
serve::HubHost::Reload plan_source(Workspace& workspace) {
  return [&workspace, stamp = std::string()]() mutable -> std::optional<flow::SchedulePlan> {
    auto now = project::text_stamp(workspace.project());
    if (now == stamp)
      return std::nullopt;
    auto plan = workspace.schedule_plan();
    stamp = std::move(now);
    if (plan)
      return std::move(*plan);
    // tarn.yml itself cannot be read.
    return flow::SchedulePlan{.schedules = {}, .mistakes = {diagnostic_of_text(plan.error().message)}};
  };
}

void announce(CommandContext& context, const project::Project& project, const std::string& url,
              const std::string& token) {
  fmt::print("Tarn serves {} at {}\n", context.out.bold(project.name), context.out.bold(url));
  fmt::print("open:  {}/login?token={}\n", url, token);
  fmt::print("token: {}   (also in {}/token)\n", token, project.data_folder);
  fmt::print("try:   curl -H 'Authorization: Bearer {}' {}/api/v1/status\n", token, url);
  std::fflush(stdout);
}

Status serve(CommandContext& context) {
  Ending ending;
  context.signals.on_signal([&ending] { ending.set(); });
  TARN_TRY(auto project, load_settings(context));
  net::HttpServerOptions options;
  options.host = project.http_host;
  options.port = project.http_port;
  options.allow_public = context.arguments.allow_public;
  options.open_paths = {"/healthz"};
  TARN_CHECK(read_address(context.arguments.http, options));
  const auto data_folder = project.data_folder;
  TARN_TRY(const auto workspace,
           Workspace::open(context.env, std::move(project), {.faults = context.faults}));
  TARN_TRY(options.token, settle_token(context.env, data_folder));
  const auto token = options.token;
  const auto host = options.host == "localhost" ? std::string("127.0.0.1") : options.host;
  serve::Web web(context.env, {.insight = *workspace, .backend = *workspace, .runs = workspace->runs()},
                 {.token = token, .version = std::string(kVersion), .files = ui_files()});
  serve::Api api(context.env, *workspace, workspace->runs(),
                 {.version = std::string(kVersion),
                  .spill_folder = workspace->spill_folder(),
                  .hub = {.runs_at_once = workspace->project().runs_at_once}});
  serve::HubHost starter(api.hub(), plan_source(*workspace),
                         [&workspace](const auto& names) { return workspace->versions(names); });
  serve::SchedulesApi schedules(workspace->scheduler(), starter, api.hub(), context.env,
                                [&workspace] { return workspace->time_zone(); });
  api.add_routes(
      [&schedules](const auto& request, auto& response) { return schedules.handle(request, response); });
  serve::FlowsApi flows(*workspace, workspace->runs(), api.hub());
  api.add_routes([&flows](const auto& request, auto& response) { return flows.handle(request, response); });
  // Before anybody can ask; nothing starts yet.
  if (auto plan = starter.reload())
    workspace->scheduler().load(std::move(*plan));
  ProjectBoards project_boards(context.env, workspace->project());
  serve::BoardsApi boards(context.env, project_boards, workspace->sessions());
  TARN_TRY(const auto shares, serve::Shares::open(context.env, workspace->records()));
  serve::SharesApi shares_api(context.env, *shares, project_boards, boards);
  api.add_routes(
      [&shares_api](const auto& request, auto& response) { return shares_api.handle(request, response); });
  api.add_routes([&boards](const auto& request, auto& response) { return boards.handle(request, response); });
  api.hub().listen(
      [&web](const std::string& run, const serve::Json& event) { web.feed().hear_run(run, event); });
  web.admit(options);
  serve::SharesApi::admit(options);
  options.connections_max = allow_connections(kConnections);
  TARN_TRY(const auto server,
           net::HttpServer::start(std::move(options), [&](const net::HttpServerRequest& request,
                                                          net::HttpServerResponse& response) {
             if (!shares_api.handle_guest(request, response) && !web.handle(request, response))
               api.handle(request, response);
           }));
  TARN_CHECK(write_server_file(context.env, data_folder, {::getpid(), host, server->port()}));
  const auto url = fmt::format("http://{}:{}", host.find(':') == std::string::npos ? host : "[" + host + "]",
                               server->port());
  announce(context, workspace->project(), url, token);
  workspace->scheduler().start(starter);
  notify_service_manager("READY=1\nSTATUS=serving " + url);
  ending.wait();
  notify_service_manager("STOPPING=1");
  context.signals.on_signal([] { ::_exit(130); });  // asked twice: at once
  leave_in_any_case(data_folder);
  remove_server_file(context.env, data_folder);
  workspace->scheduler().stop();
  api.stop();
  web.stop();
  server->stop(kPatience);
  return ok();
}

}  // namespace

int command_serve(CommandContext& context) {
  const auto served = serve(context);
  context.signals.on_signal({});
  return served ? 0 : report(context, served.error());
}

}  // namespace tarn::app
