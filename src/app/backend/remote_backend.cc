#include "app/backend/remote_backend.h"

#include <sys/socket.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/time.h"
#include "net/http_client.h"
#include "serve/http/alerts_api.h"
#include "serve/http/flows_api.h"
#include "serve/http/given.h"
#include "serve/http/json.h"
#include "serve/http/reports_api.h"
#include "serve/http/run_events.h"
#include "serve/http/sql_sessions.h"

namespace tarn::app {
namespace {

using serve::Json;

constexpr size_t kLinesMax = 4096;
constexpr size_t kBatchRows = 1024;
constexpr size_t kErrorBytesMax = 64 * 1024;
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::seconds kPatience{5};  // for the answer to a cancel

// Cuts a stream of bytes into lines.
class Lines {
 public:
  // False from `take` stops.
  bool add(std::string_view bytes, const std::function<bool(std::string_view)>& take) {
    rest_ += bytes;
    size_t start = 0;
    while (true) {
      const auto end = rest_.find('\n', start);
      if (end == std::string::npos)
        break;
      if (!take(std::string_view(rest_).substr(start, end - start)))
        return false;
      start = end + 1;
    }
    rest_.erase(0, start);
    return true;
  }
  [[nodiscard]] const std::string& rest() const { return rest_; }

 private:
  std::string rest_;
};

// The lines of format "rows", read by a thread of its own as fast as they are taken. A cancel closes our side
// of the connection: the server stops the statement and still says what became of it.
class RemoteRows final : public serve::SqlAnswer, public engine::ResultStream {
 public:
  explicit RemoteRows(net::LocalRequest request) : request_(std::move(request)) {}
  ~RemoteRows() override {
    stop(SHUT_RDWR);
    if (thread_.joinable())
      thread_.join();
  }

  // Waits for the head: an error before the first row is this call's error.
  Status open() {
    request_.on_sent = [this](int socket) {
      const std::lock_guard lock(mutex_);
      socket_ = socket;
      if (stopped_ && socket_ >= 0)
        ::shutdown(socket_, SHUT_WR);
    };
    thread_ = std::thread([this] { receive(); });
    const auto head = next_line();
    if (!head)
      return head.error();
    if (!*head)
      return Error{Code::kUnavailable, "the server's answer has no head"};
    const auto json = Json::parse(**head, nullptr, false);
    if (json.is_object() && json.contains("error"))
      return serve::error_of(json);
    const auto columns = json.is_object() ? json.value("columns", Json()) : Json();
    if (!columns.is_array())
      return Error{Code::kUnavailable, "the server's answer has no columns"};
    for (const auto& column : columns) {
      columns_.push_back({serve::text_of(column, "name"), serve::text_of(column, "type")});
    }
    if (json.contains("rows_changed") && json["rows_changed"].is_number()) {
      rows_changed_ = serve::integer_of(json, "rows_changed");
    }
    return ok();
  }

  engine::ResultStream& rows() override { return *this; }
  void cancel() override { stop(SHUT_WR); }

  [[nodiscard]] const std::vector<engine::Column>& columns() const override { return columns_; }
  [[nodiscard]] std::optional<int64_t> rows_changed() const override { return rows_changed_; }
  Status set_aside(uint64_t) override { return ok(); }  // each statement has a connection of its own

  Result<std::optional<engine::TextBatch>> next_text() override {
    engine::TextBatch batch;
    batch.columns.resize(columns_.size());
    while (!complete_ && batch.rows < kBatchRows) {
      TARN_TRY(const auto line, next_line());
      if (!rows_changed_ && is_stopped())
        return see_it_end();
      if (!line)
        return Error{Code::kUnavailable, "the server's answer broke off"};
      const auto json = Json::parse(*line, nullptr, false);
      if (json.is_object() && json.contains("error"))
        return serve::error_of(json);
      if (json.is_object()) {
        complete_ = true;
      } else if (!json.is_array() || json.size() != columns_.size()) {
        return Error{Code::kUnavailable, "the server's answer has a row of another shape"};
      } else {
        add_row(json, batch);
      }
    }
    if (batch.rows == 0)
      return std::optional<engine::TextBatch>();
    return std::optional<engine::TextBatch>(std::move(batch));
  }
  Result<engine::ArrowBatch> next_arrow() override { return no_arrow(); }
  Status arrow_schema(ArrowSchema*) override { return no_arrow(); }

 private:
  void stop(int side) {
    const std::lock_guard lock(mutex_);
    if (!stopped_)
      give_up_at_ = std::chrono::steady_clock::now() + kPatience;
    stopped_ = true;
    if (socket_ >= 0)
      ::shutdown(socket_, side);
    changed_.notify_all();
  }
  bool is_stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  // The session is free for the next statement only then.
  Error see_it_end() {
    while (const auto line = next_line()) {
      if (!*line)
        break;
    }
    return Error{Code::kCancelled, "the statement was cancelled"};
  }

  static Error no_arrow() { return Error{Code::kUnsupported, "a server's answer comes as text"}; }

  static void add_row(const Json& row, engine::TextBatch& batch) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool null = !row[i].is_string();
      batch.columns[i].null.push_back(null);
      batch.columns[i].text.push_back(null ? "" : row[i].get<std::string>());
    }
    ++batch.rows;
  }

  void receive() {
    Lines lines;
    const auto status = net::send_local(request_, [&](int, std::string_view bytes) {
      return lines.add(bytes, [this](std::string_view line) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || lines_.size() < kLinesMax; });
        lines_.emplace_back(line);
        changed_.notify_all();
        return true;
      });
    });
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (!status) {
      error_ = status.error();
    } else if (*status != 200 && lines_.empty()) {
      error_ = serve::error_of(Json::parse(lines.rest(), nullptr, false));
    }
    changed_.notify_all();
  }

  // nullopt at the end.
  Result<std::optional<std::string>> next_line() {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return ended_ || !lines_.empty(); };
    changed_.wait(lock, [&] { return stopped_ || ready(); });
    if (stopped_ && !changed_.wait_until(lock, give_up_at_, ready)) {
      return Error{Code::kCancelled,
                   "the statement was cancelled, but the server does not say whether it was done before"};
    }
    if (!lines_.empty()) {
      std::optional<std::string> line = std::move(lines_.front());
      lines_.pop_front();
      changed_.notify_all();
      return line;
    }
    if (error_)
      return *error_;
    return std::optional<std::string>();
  }

  net::LocalRequest request_;
  std::vector<engine::Column> columns_;
  std::optional<int64_t> rows_changed_;
  bool complete_ = false;

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool ended_ = false, stopped_ = false;
  std::chrono::steady_clock::time_point give_up_at_;  // once stopped
  int socket_ = -1;
  std::optional<Error> error_;
  std::thread thread_;
};

// Shuts the socket of a request when the statement is cancelled.
class Stoppable {
 public:
  explicit Stoppable(const serve::SqlRequest& request) : request_(request) {
    if (request_.on_cancellable)
      request_.on_cancellable([this] { stop(); });
  }
  ~Stoppable() {
    if (request_.on_cancellable)
      request_.on_cancellable({});
  }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;

  void set_socket(int socket) {
    const std::lock_guard lock(mutex_);
    socket_ = socket;
    if (stopped_ && socket_ >= 0)
      ::shutdown(socket_, SHUT_RDWR);
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (socket_ >= 0)
      ::shutdown(socket_, SHUT_RDWR);
  }
  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

 private:
  const serve::SqlRequest& request_;
  std::mutex mutex_;
  int socket_ = -1;       // guarded by mutex_
  bool stopped_ = false;  // guarded by mutex_
};

// Where the server is, and requests to it.
class Server {
 public:
  Server(ServerAddress address, std::string token) : address_(std::move(address)), token_(std::move(token)) {}

  [[nodiscard]] net::LocalRequest get(std::string target) const {
    net::LocalRequest request;
    request.host = address_.host;
    request.port = address_.port;
    request.token = token_;
    request.target = std::move(target);
    return request;
  }
  [[nodiscard]] net::LocalRequest post(std::string target, const Json& body) const {
    auto request = get(std::move(target));
    request.method = "POST";
    request.body = serve::dump(body);
    return request;
  }
  static Result<Json> call(const net::LocalRequest& request) {
    TARN_TRY(const auto answer, net::call_local(request));
    auto json = Json::parse(answer.body, nullptr, false);
    if (answer.status >= 300)
      return serve::error_of(json);
    if (!json.is_object())
      return Error{Code::kUnavailable, "the server's answer is not a JSON object"};
    return json;
  }

 private:
  const ServerAddress address_;
  const std::string token_;
};

Json session_body(const serve::SessionRequest& request) {
  Json body = {{"unsafe", request.unsafe}};
  if (request.as_of)
    body["as_of"] = format_utc(*request.as_of);
  return body;
}

Json sql_body(const serve::SqlRequest& request, std::string_view format) {
  auto body = session_body(request.session);
  body["sql"] = request.sql;
  if (!request.parameters.empty())
    body["parameters"] = serve::parameters_json(request.parameters);
  body["format"] = format;
  return body;
}

// What the server's engine cannot do for anybody, --unsafe or not.
Error explain_unsafe(const serve::SessionRequest& session, Error error) {
  if (session.unsafe && error.message.find("disabled by configuration") != std::string::npos) {
    error.message +=
        "; a running server reaches no files and addresses outside its data folder, with --unsafe neither: "
        "stop "
        "'tarn serve' and run this again";
  }
  return error;
}

Result<std::unique_ptr<serve::SqlAnswer>> open_rows(net::LocalRequest post,
                                                    const serve::SqlRequest& request) {
  auto rows = std::make_unique<RemoteRows>(std::move(post));
  if (request.on_cancellable)
    request.on_cancellable([&rows = *rows] { rows.cancel(); });
  if (auto opened = rows->open(); !opened) {
    if (request.on_cancellable)
      request.on_cancellable({});
    return explain_unsafe(request.session, std::move(opened.error()));
  }
  return std::unique_ptr<serve::SqlAnswer>(std::move(rows));
}

// A session that the server holds open.
class RemoteSession final : public serve::SqlSession {
 public:
  RemoteSession(const Server& server, serve::SessionRequest request) : server_(server), request_(request) {}
  ~RemoteSession() override { (void)end(); }
  RemoteSession(const RemoteSession&) = delete;
  RemoteSession& operator=(const RemoteSession&) = delete;

  Status begin() {
    TARN_TRY(const auto json, Server::call(server_.post("/api/v1/sessions", session_body(request_))));
    id_ = serve::text_of(json, "id");
    return ok();
  }

  Result<std::unique_ptr<serve::SqlAnswer>> sql(const serve::SqlRequest& request) override {
    if (id_.empty())
      TARN_CHECK(begin());
    auto body = sql_body(request, "rows");
    body["session"] = id_;
    auto answer =
        open_rows(server_.post("/api/v1/sql", body),
                  {.sql = request.sql, .session = request_, .on_cancellable = request.on_cancellable});
    if (!answer && serve::is_session_gone(answer.error()))
      id_.clear();
    return answer;
  }

 private:
  Status end() {
    if (id_.empty())
      return ok();
    auto request = server_.get("/api/v1/sessions/" + id_);
    request.method = "DELETE";
    TARN_TRY([[maybe_unused]] const auto json, Server::call(request));
    return ok();
  }

  const Server server_;
  const serve::SessionRequest request_;
  std::string id_;  // empty: none
};

class RemoteBackend final : public serve::Backend {
 public:
  RemoteBackend(Env& env, Server server) : env_(env), server_(std::move(server)) {}

  Result<std::unique_ptr<serve::SqlAnswer>> sql(const serve::SqlRequest& request) override {
    return open_rows(server_.post("/api/v1/sql", sql_body(request, "rows")), request);
  }

  Result<std::shared_ptr<serve::SqlSession>> open_session(const serve::SessionRequest& request) override {
    auto session = std::make_shared<RemoteSession>(server_, request);
    TARN_CHECK(session->begin());
    return std::shared_ptr<serve::SqlSession>(std::move(session));
  }

  // The bytes go to the file as they come; it appears whole or not at all.
  Result<int64_t> export_parquet(const serve::SqlRequest& request, const std::string& path) override {
    TARN_CHECK(receive_new_file(path, [&](WritableFile& file) { return receive_file(request, file); }));
    return int64_t{-1};
  }

  Result<flow::RunOutcome> run(const serve::RunRequest& request, flow::RunObserver& observer,
                               const flow::CancelFlag& cancel) override {
    if (request.resume)
      return start_and_watch(fmt::format("/api/v1/runs/{}/resume", net::url_encode(request.id)),
                             Json::object(), observer, cancel);
    const Json body = {{"selection", request.selection},
                       {"exclude", request.exclude},
                       {"full_refresh", request.full_refresh},
                       {"vars", request.vars},
                       {"parameters", request.parameters}};
    return start_and_watch("/api/v1/runs", body, observer, cancel);
  }

  // Asked by the server itself only.
  Result<std::vector<std::string>> tasks_of(const serve::RunRequest&) override {
    return Error{Code::kUnsupported, "the server itself knows the tasks of a run"};
  }

  Result<flow::RunOutcome> replay(const serve::ReplayRequest& request, flow::RunObserver& observer,
                                  const flow::CancelFlag& cancel) override {
    return start_and_watch("/api/v1/replay", {{"source", request.source}, {"run", request.run}}, observer,
                           cancel);
  }

  Result<std::vector<flow::TaskStatus>> status() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/status")));
    std::vector<flow::TaskStatus> all;
    for (const auto& one : json.value("tasks", Json::array()))
      all.push_back(serve::status_of(one));
    return all;
  }

  Result<Diagnostics> check(const serve::Vars& vars) override {
    TARN_TRY(const auto json, Server::call(server_.post("/api/v1/check", {{"vars", vars}})));
    Diagnostics all;
    for (const auto& one : json.value("mistakes", Json::array()))
      all.push_back(serve::diagnostic_of(one));
    return all;
  }

  Result<std::vector<serve::TableInfo>> tables() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/tables")));
    std::vector<serve::TableInfo> all;
    for (const auto& one : json.value("tables", Json::array()))
      all.push_back(serve::table_of(one));
    return all;
  }

  Result<serve::ScheduleList> schedules() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/schedules")));
    serve::ScheduleList list;
    list.problem = serve::text_of(json, "problem");
    for (const auto& one : json.value("schedules", Json::array()))
      list.schedules.push_back(serve::schedule_of(one));
    return list;
  }

  Status pause_schedule(const std::string& name, bool paused) override {
    const auto target =
        fmt::format("/api/v1/schedules/{}/{}", net::url_encode(name), paused ? "pause" : "resume");
    TARN_TRY([[maybe_unused]] const auto json, Server::call(server_.post(target, Json::object())));
    return ok();
  }

  Result<flow::RunOutcome> run_schedule(const std::string& name, flow::RunObserver& observer,
                                        const flow::CancelFlag& cancel) override {
    return start_and_watch(fmt::format("/api/v1/schedules/{}/run", net::url_encode(name)), Json::object(),
                           observer, cancel);
  }

  Result<serve::StartedBackfill> backfill(const flow::BackfillRequest& request, bool dry_run,
                                          flow::RunObserver&, const flow::CancelFlag&) override {
    const Json body = {{"selection", request.selection},
                       {"exclude", request.exclude},
                       {"from", request.from},
                       {"to", request.to},
                       {"step", request.step},
                       {"full_refresh", request.full_refresh},
                       {"dry_run", dry_run}};
    TARN_TRY(const auto json, Server::call(server_.post("/api/v1/backfill", body)));
    return serve::StartedBackfill{.plan = serve::backfill_plan_of(json), .goes_on = !dry_run, .failed = 0};
  }

  Result<std::vector<flowfile::FlowSummary>> flows() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/flows")));
    std::vector<flowfile::FlowSummary> all;
    for (const auto& one : json.value("flows", Json::array()))
      all.push_back(serve::flow_of(one));
    return all;
  }

  Result<flowfile::FlowSummary> flow_form(const std::string& name) override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/flows/" + net::url_encode(name))));
    return serve::flow_of(json);
  }

  // The server itself knows what the run was asked.
  Result<serve::RunRequest> resume_request(const std::string& run_id) override {
    serve::RunRequest request;
    request.id = run_id;
    request.resume = true;
    return request;
  }

  Status settle_effect(const std::string& run_id, const std::string& task, bool done) override {
    const auto target = fmt::format("/api/v1/runs/{}/settle", net::url_encode(run_id));
    TARN_TRY([[maybe_unused]] const auto json,
             Server::call(server_.post(target, {{"task", task}, {"done", done}})));
    return ok();
  }

  Result<std::vector<report::Form>> reports() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/reports")));
    std::vector<report::Form> all;
    for (const auto& one : json.value("reports", Json::array()))
      all.push_back(serve::form_of(one));
    return all;
  }

  Result<report::Form> report_form(const std::string& name) override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/reports/" + net::url_encode(name))));
    return serve::form_of(json);
  }

  Result<std::vector<report::FieldMeaning>> report_meanings(const serve::ReportRequest& request) override {
    TARN_TRY(const auto json,
             Server::call(server_.post("/api/v1/reports/" + net::url_encode(request.name) + "/values",
                                       serve::to_json(request))));
    std::vector<report::FieldMeaning> all;
    for (const auto& one : json.value("values", serve::Json::array()))
      all.push_back(serve::meaning_of(one));
    return all;
  }

  Result<serve::ReportDone> make_report(const serve::ReportRequest& request, const std::string& path,
                                        const flow::CancelFlag& cancel) override {
    const auto post =
        server_.post("/api/v1/reports/" + net::url_encode(request.name), serve::to_json(request));
    TARN_CHECK(receive_new_file(path, [&](WritableFile& file) {
      return receive(post, [&file](std::string_view bytes) { return file.append(bytes); }, cancel);
    }));
    return serve::ReportDone{};
  }

  Result<report::mail::SentRecord> send_report(const serve::ReportRequest& request,
                                               const flow::CancelFlag& cancel) override {
    const auto post =
        server_.post("/api/v1/reports/" + net::url_encode(request.name) + "/send", serve::to_json(request));
    std::string body;
    const auto keep = [&body](std::string_view bytes) -> Status {
      body += bytes;
      return ok();
    };
    TARN_CHECK(receive(post, keep, cancel));
    return serve::sent_of(Json::parse(body, nullptr, false));
  }

  Result<retention::Cleaning> clean(bool dry_run, const flow::CancelFlag& cancel) override {
    std::string body;
    const auto keep = [&body](std::string_view bytes) -> Status {
      body += bytes;
      return ok();
    };
    TARN_CHECK(receive(server_.post("/api/v1/clean", {{"dry_run", dry_run}}), keep, cancel));
    return serve::cleaning_of(Json::parse(body, nullptr, false));
  }

  Result<report::mail::SentRecord> settle_mail(const std::string& mail, bool done) override {
    TARN_TRY(const auto json,
             Server::call(server_.post("/api/v1/mails/settle", {{"mail", mail}, {"done", done}})));
    return serve::sent_of(json);
  }

  Status settle_alert(int64_t id, bool done) override {
    TARN_TRY([[maybe_unused]] const auto json,
             Server::call(server_.post(fmt::format("/api/v1/alerts/{}/settle", id), {{"done", done}})));
    return ok();
  }

  Result<alert::Overview> alerts() override {
    TARN_TRY(const auto json, Server::call(server_.get("/api/v1/alerts")));
    return serve::overview_of(json);
  }

  Result<std::vector<alert::TestResult>> test_alerts(const std::string& channel,
                                                     const flow::CancelFlag& cancel) override {
    std::string body;
    const auto keep = [&body](std::string_view bytes) -> Status {
      body += bytes;
      return ok();
    };
    TARN_CHECK(receive(server_.post("/api/v1/alerts/test", {{"channel", channel}}), keep, cancel));
    std::vector<alert::TestResult> results;
    const auto json = Json::parse(body, nullptr, false);
    if (json.is_object()) {
      for (const auto& one : json.value("results", Json::array()))
        results.push_back(serve::test_result_of(one));
    }
    return results;
  }

 private:
  Status receive_new_file(const std::string& path, const std::function<Status(WritableFile&)>& receive) {
    const auto unfinished = path + ".unfinished";
    TARN_TRY(const bool left, env_.files->exists(unfinished));
    if (left)
      TARN_CHECK(env_.files->remove(unfinished));
    TARN_TRY(const auto file, env_.files->create(unfinished));
    auto written = receive(*file);
    const auto closed = file->close();
    if (written && !closed)
      written = closed;
    if (written)
      written = env_.files->rename(unfinished, path);
    if (!written)
      (void)env_.files->remove(unfinished);
    return written;
  }

  // The server does its whole work before its first byte comes; a cancel closes the connection.
  static Status receive(net::LocalRequest post, const std::function<Status(std::string_view)>& sink,
                        const flow::CancelFlag& cancel) {
    std::mutex mutex;
    std::condition_variable changed;
    int socket = -1;
    bool ended = false;
    post.on_sent = [&](int now) {
      const std::lock_guard lock(mutex);
      socket = now;
    };
    std::thread canceller([&] {
      std::unique_lock lock(mutex);
      while (!ended && !(cancel.is_set() && socket >= 0))
        changed.wait_for(lock, kLook);
      if (!ended)
        ::shutdown(socket, SHUT_RDWR);
    });
    std::string head;  // of an error's body
    Status written = ok();
    const auto status = net::send_local(post, [&](int code, std::string_view bytes) {
      if (code != 200) {
        head += bytes.substr(0, kErrorBytesMax - std::min(kErrorBytesMax, head.size()));
        return true;
      }
      written = sink(bytes);
      return written.has_value();
    });
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    changed.notify_all();
    canceller.join();
    if (!written)
      return written;
    if (cancel.is_set())
      return Error{Code::kCancelled, "the report was cancelled"};
    if (!status)
      return status.error();
    return *status == 200 ? ok() : Status(serve::error_of(Json::parse(head, nullptr, false)));
  }

  Status receive_file(const serve::SqlRequest& request, WritableFile& file) {
    Stoppable stoppable(request);
    auto post = server_.post("/api/v1/sql", sql_body(request, "parquet"));
    post.on_sent = [&stoppable](int socket) { stoppable.set_socket(socket); };
    std::string head;  // of an error's body
    Status written = ok();
    const auto status = net::send_local(post, [&](int code, std::string_view bytes) {
      if (code != 200) {
        head += bytes.substr(0, kErrorBytesMax - std::min(kErrorBytesMax, head.size()));
        return true;
      }
      written = file.append(bytes);
      return written.has_value();
    });
    if (!written)
      return written;
    if (stoppable.stopped())
      return Error{Code::kCancelled, "the statement was cancelled"};
    if (!status)
      return status.error();
    if (*status == 200)
      return ok();
    return explain_unsafe(request.session, serve::error_of(Json::parse(head, nullptr, false)));
  }

  Result<flow::RunOutcome> start_and_watch(const std::string& target, const Json& body,
                                           flow::RunObserver& observer, const flow::CancelFlag& cancel) {
    TARN_TRY(const auto started, Server::call(server_.post(target, body)));
    const auto id = serve::text_of(started, "id");
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    // The connection is busy with events, so another one carries the wish to cancel.
    std::thread canceller([&] {
      std::unique_lock lock(mutex);
      while (!ended && !cancel.is_set())
        changed.wait_for(lock, kLook);
      const bool needed = !ended;
      lock.unlock();
      if (needed)
        (void)Server::call(server_.post(fmt::format("/api/v1/runs/{}/cancel", id), Json::object()));
    });
    auto outcome = watch(id, observer);
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    changed.notify_all();
    canceller.join();
    return outcome;
  }

  Result<flow::RunOutcome> watch(const std::string& id, flow::RunObserver& observer) {
    flow::RunOutcome outcome;
    std::optional<Error> failed;
    Lines lines;
    TARN_TRY(const auto status,
             net::send_local(
                 server_.get(fmt::format("/api/v1/runs/{}/events", id)), [&](int, std::string_view bytes) {
                   return lines.add(bytes, [&](std::string_view line) {
                     const auto event = Json::parse(line, nullptr, false);
                     if (event.is_object() && event.contains("error") && !event.contains("event")) {
                       failed = serve::error_of(event);
                     } else {
                       serve::apply_event(event, observer, outcome);
                     }
                     return true;
                   });
                 }));
    if (failed)
      return *failed;
    if (status != 200)
      return Error{Code::kUnavailable, fmt::format("the server does not know run {}", id)};
    return outcome;
  }

  Env& env_;
  const Server server_;
};

}  // namespace

std::unique_ptr<serve::Backend> make_remote_backend(Env& env, const ServerAddress& address,
                                                    std::string token) {
  return std::make_unique<RemoteBackend>(env, Server(address, std::move(token)));
}

}  // namespace tarn::app
