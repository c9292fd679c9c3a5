#include "flowfile/records.h"

#include <array>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/utf8.h"
#include "flow/record_table.h"
#include "flowfile/value.h"

namespace tarn::flowfile {
namespace {

std::string to_text(const std::vector<engine::Parameter>& parameters) {
  auto list = Json::array();
  for (const auto& one : parameters) {
    Json json = {{"name", one.name}, {"type", one.type}};
    if (one.text)
      json["text"] = *one.text;
    if (one.list)
      json["list"] = *one.list;
    list.push_back(std::move(json));
  }
  return dump(list);
}

std::string member_text(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<engine::Parameter> parameters_of(const std::string& text) {
  std::vector<engine::Parameter> parameters;
  const auto list = Json::parse(text, nullptr, false);
  if (!list.is_array())
    return parameters;
  for (const auto& json : list) {
    engine::Parameter one{.name = member_text(json, "name")};
    one.type = member_text(json, "type");
    if (json.is_object() && json.contains("text"))
      one.text = member_text(json, "text");
    if (json.is_object() && json.contains("list") && json["list"].is_array()) {
      one.list.emplace();
      for (const auto& item : json["list"])
        one.list->push_back(item.is_string() ? item.get<std::string>() : dump(item));
    }
    parameters.push_back(std::move(one));
  }
  return parameters;
}

}  // namespace

std::string_view name_of(EffectState state) {
  switch (state) {
    case EffectState::kStarted: return "started";
    case EffectState::kDone: return "done";
    case EffectState::kFailed: return "failed";
    case EffectState::kUnknown: return "unknown";
  }
  return "unknown";
}

Result<std::unique_ptr<FlowRecords>> FlowRecords::open(Env& env, store::Store& store) {
  const auto started = store.read([](store::Connection& db) {
    return db.integer("SELECT count(*) FROM effects WHERE state = 'started'");
  });
  if (!started)
    return started.error();
  if (started->value_or(0) > 0) {
    TARN_CHECK(store.write([](store::Connection& db) {
      return db.run(
          "UPDATE effects SET state = 'unknown', answer = 'Tarn was stopped while it was done' "
          "WHERE state = 'started'");
    }));
  }
  return std::unique_ptr<FlowRecords>(new FlowRecords(env, store));
}

Status FlowRecords::put_start(const std::string& run, const FlowStart& start) {
  return store_.write([&](store::Connection& db) {
    return db.run("INSERT OR REPLACE INTO flow_runs (run_id, flow, parameters, vars) VALUES (?, ?, ?, ?)",
                  {run, start.flow, to_text(start.parameters), dump(Json(start.vars))});
  });
}

Result<std::optional<FlowStart>> FlowRecords::start_of(const std::string& run) {
  return store_.read([&](store::Connection& db) -> Result<std::optional<FlowStart>> {
    TARN_TRY(auto rows, db.query("SELECT flow, parameters, vars FROM flow_runs WHERE run_id = ?", {run}));
    TARN_TRY(const bool found, rows.next());
    if (!found)
      return std::optional<FlowStart>();
    FlowStart start{.flow = rows.text(0), .parameters = parameters_of(rows.text(1))};
    const auto vars = object_of(rows.text(2));
    for (const auto& [name, value] : vars.items())
      start.vars[name] = text_of(value);
    return std::optional(std::move(start));
  });
}

Result<std::optional<std::string>> FlowRecords::begin(const Effect& effect, bool repeatable) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Result<std::optional<std::string>> {
    TARN_TRY(auto rows,
             db.query("SELECT state, result, started_at FROM effects WHERE key = ?", {effect.key}));
    TARN_TRY(const bool known, rows.next());
    const auto state = known ? rows.text(0) : std::string();
    if (state == "done")
      return std::optional(rows.text(1));
    if ((state == "unknown" && !repeatable) || state == "started") {
      return Error{Code::kAborted,
                   fmt::format("nobody knows whether {} was done at {}: look there, and run the flow again "
                               "from the start if it was not; 'repeatable: true' repeats such tasks",
                               effect.what, format_utc(rows.time(2)))};
    }
    TARN_CHECK(
        db.run("INSERT INTO effects VALUES (?, ?, ?, ?, ?, 'started', 1, '', '', ?, NULL) ON CONFLICT (key) "
               "DO UPDATE SET state = 'started', tries = tries + 1, answer = '', what = excluded.what, "
               "started_at = excluded.started_at, finished_at = NULL",
               {effect.key, effect.run, effect.task, effect.kind, effect.what, now}));
    return std::optional<std::string>();
  });
}

Status FlowRecords::end(const std::string& key, const EffectEnd& end) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) {
    return db.run("UPDATE effects SET state = ?, answer = ?, result = ?, finished_at = ? WHERE key = ?",
                  {name_of(end.state), codec::as_utf8(end.answer), end.result, now, key});
  });
}

Status FlowRecords::settle(const std::string& key, bool done) {
  const auto now = env_.clock->now();
  return store_.write([&](store::Connection& db) -> Status {
    TARN_CHECK(
        db.run("UPDATE effects SET state = ?, result = ?, answer = ?, finished_at = ? WHERE key = ? AND "
               "state = 'unknown'",
               {done ? "done" : "failed", done ? "{}" : "",
                done ? "somebody looked: it was done" : "somebody looked: it was not done", now, key}));
    if (db.changes() == 1)
      return ok();
    return Error{Code::kNotFound, fmt::format("nothing is unknown of {}; _tarn.effects lists what is", key)};
  });
}

Status FlowRecords::prepare_result(const std::string& run, const std::string& task,
                                   const std::string& result) {
  return store_.write([&](store::Connection& db) {
    return db.run("INSERT OR REPLACE INTO prepared_results VALUES (?, ?, ?)", {run, task, result});
  });
}

Result<std::string> FlowRecords::prepared_result(const std::string& run, const std::string& task) {
  auto text = store_.read([&](store::Connection& db) {
    return db.text("SELECT result FROM prepared_results WHERE run_id = ? AND task = ?", {run, task});
  });
  if (!text)
    return text.error();
  return text->value_or("");
}

std::shared_ptr<engine::TableSource> FlowRecords::effects_table() {
  using flow::kText, flow::kTime;
  return flow::record_table(
      store_,
      {.name = "effects",
       .about = "What flows did outside of the lake, newest first: HTTP calls and scripts.",
       .columns = {{{"key", kText, "run/task; the Idempotency-Key of an HTTP call"}, "key"},
                   {{"run", kText, ""}, "run_id"},
                   {{"task", kText, ""}, "task"},
                   {{"kind", kText, "http or script"}, "kind"},
                   {{"what", kText, ""}, "what"},
                   {{"state", kText, "started, done, failed, unknown (it may have been done)"}, "state"},
                   {{"tries", "INTEGER", ""}, "tries"},
                   {{"answer", kText, "why it failed or is unknown"}, "nullif(answer, '')"},
                   {{"result", kText, "JSON"}, "nullif(result, '')"},
                   {{"started_at", kTime, "of the newest try"}, "started_at"},
                   {{"finished_at", kTime, ""}, "finished_at"}},
       .from = "effects ORDER BY started_at DESC, key"});
}

}  // namespace tarn::flowfile
