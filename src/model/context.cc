#include "model/context.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/time.h"
#include "codec/text_distance.h"

namespace tarn::model {
namespace {

using jinja::Arguments;
using jinja::Value;

Error bad(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& known) {
  std::string near = codec::nearest(wrong, known);
  return near.empty() ? "" : fmt::format(": did you mean '{}'?", near);
}

// The globals of one rendering. Everything it captures lives longer than the interpreter.
class Context {
 public:
  Context(const ModelProject& project, const RenderRequest& request) : project_(project), request_(request) {}

  jinja::Globals make() {
    jinja::Globals all;
    auto add = [&](const std::string& name,
                   Result<Value> (*call)(const ModelProject&, const RenderRequest&, const Arguments&)) {
      all[name] =
          Value::function(name, [call, &project = project_, &request = request_](const Arguments& given) {
            return call(project, request, given);
          });
    };
    add("ref", ref);
    add("source", source);
    add("env_var", env_var);
    add("is_incremental", is_incremental);
    add("should_full_refresh", should_full_refresh);
    add("log", log);
    add("print", log);
    all["var"] = variables();
    all["config"] = config();
    all["exceptions"] = exceptions();
    all["target"] = target();
    all["execute"] = Value(true);
    all["schema"] = Value("public");
    all["database"] = Value("lake");
    all["project_name"] = Value(project_.settings.name);
    all["run_started_at"] = time_object(project_.env->clock->now());
    all["flags"] = Value::object({"<flags>", {{"FULL_REFRESH", Value(request_.full_refresh)}}, {}});
    if (request_.node != nullptr) {
      all["this"] = relation_of(request_.node->table);
      all["model"] = Value::object({request_.node->name,
                                    {{"name", Value(request_.node->name)},
                                     {"alias", Value(request_.node->table.name)},
                                     {"schema", Value(request_.node->table.schema)},
                                     {"path", Value(request_.node->path)}},
                                    {}});
    }
    return all;
  }

 private:
  // ref(orders) for ref('orders').
  static Status must_be_text(const Arguments& given) {
    for (const Value& one : given.positional) {
      if (const auto* nothing = one.as<jinja::Undefined>()) {
        return bad(nothing->name + "; a name stands in quotes");
      }
    }
    return ok();
  }

  static Result<Value> ref(const ModelProject& project, const RenderRequest& request,
                           const Arguments& given) {
    TARN_CHECK(given.expect("ref", 1, 2, {"v", "version"}));
    TARN_CHECK(must_be_text(given));
    if (!given.named.empty()) {
      return bad("versions of models are not supported yet; write the model's own name");
    }
    std::string name = given.positional.back().text();
    bool other = given.positional.size() == 2 && given.positional[0].text() != project.settings.name;
    if (other) {
      return bad(fmt::format("package '{}' is not installed; copy its models into the project",
                             given.positional[0].text()));
    }
    const Node* node = project.find(name);
    if (node == nullptr) {
      return bad(missing(project, name));
    }
    if (request.reads != nullptr) {
      request.reads->refs.push_back(name);
    }
    if (node->config.materialized == "ephemeral") {
      std::string text = "__dbt__cte__" + name;
      return Value::object({text, {{"identifier", Value(text)}, {"name", Value(text)}}, {}});
    }
    return relation_of(node->table);
  }

  static std::string missing(const ModelProject& project, const std::string& name) {
    if (project.disabled.contains(name)) {
      return fmt::format("model '{}' is disabled; enable it or take this ref out", name);
    }
    for (const SourceTables& one : project.sources) {
      for (const auto& table : one.writes) {
        if (table.name == name) {
          return fmt::format("'{}' is a table of source '{}', not a model; write source('{}', '{}')", name,
                             one.name, one.name, name);
        }
      }
    }
    std::vector<std::string> known;
    for (const auto& entry : project.nodes) {
      known.push_back(entry.first);
    }
    return fmt::format("there is no model or seed '{}'{}", name, did_you_mean(name, known));
  }

  static Result<Value> source(const ModelProject& project, const RenderRequest& request,
                              const Arguments& given) {
    TARN_CHECK(given.expect("source", 1, 2, {}));
    TARN_CHECK(must_be_text(given));
    std::string group = given.positional[0].text();
    std::string name = given.positional.back().text();
    auto found = project.declared.find({group, name});
    engine::TableName table;
    if (found != project.declared.end() && !found->second.database.empty()) {
      if (request.reads != nullptr) {
        request.reads->outside.push_back(found->second.database + "." + to_text(found->second.table));
      }
      return relation_of(found->second.table, found->second.database);
    }
    if (found != project.declared.end()) {
      table = found->second.table;
    } else {
      const engine::TableName* written = table_of(project, group, given.positional.size() == 2 ? name : "");
      if (written == nullptr) {
        return bad(missing_source(project, group, name));
      }
      table = *written;
    }
    if (request.reads != nullptr) {
      request.reads->tables.push_back(table);
    }
    return relation_of(table);
  }

  // A table that the Tarn source `group` writes; its first when no name is given.
  static const engine::TableName* table_of(const ModelProject& project, const std::string& group,
                                           const std::string& name) {
    for (const SourceTables& one : project.sources) {
      if (one.name != group) {
        continue;
      }
      for (const auto& table : one.writes) {
        if (name.empty() || engine::fold(table.name) == engine::fold(name)) {
          return &table;
        }
      }
    }
    return nullptr;
  }

  static std::string missing_source(const ModelProject& project, const std::string& group,
                                    const std::string& name) {
    std::vector<std::string> groups;
    std::vector<std::string> names;
    for (const auto& [key, declared] : project.declared) {
      groups.push_back(key.first);
      if (key.first == group) {
        names.push_back(key.second);
      }
    }
    for (const SourceTables& one : project.sources) {
      groups.push_back(one.name);
      for (const auto& table : one.writes) {
        if (one.name == group) {
          names.push_back(table.name);
        }
      }
    }
    if (!names.empty()) {
      return fmt::format("source '{}' has no table '{}'{}", group, name, did_you_mean(name, names));
    }
    std::string near = did_you_mean(group, groups);
    return fmt::format("there is no source '{}'{}", group,
                       near.empty()
                           ? "; write sources/" + group + ".yml, or name it under 'sources:' in models/*.yml"
                           : near);
  }

  static Result<Value> env_var(const ModelProject& /*project*/, const RenderRequest& /*request*/,
                               const Arguments& given) {
    TARN_CHECK(given.expect("env_var", 1, 2, {"var", "default"}));
    const Value* name = given.find(0, "var");
    const Value* other = given.find(1, "default");
    if (name == nullptr) {
      return bad("env_var() needs the variable's name");
    }
    if (name->text().starts_with("DBT_ENV_SECRET")) {
      return bad(
          fmt::format("'{}' is a secret and must not get into SQL; use it in sources/*.yml", name->text()));
    }
    const char* value = std::getenv(name->text().c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets any
    if (value == nullptr && other == nullptr) {
      return bad(
          fmt::format("the environment has no variable '{0}'; set it, or write env_var('{0}', 'a default')",
                      name->text()));
    }
    return value != nullptr ? Value(value) : *other;
  }

  static Result<Value> is_incremental(const ModelProject& /*project*/, const RenderRequest& request,
                                      const Arguments& given) {
    TARN_CHECK(given.expect("is_incremental", 0, 0, {}));
    return Value(request.incremental);
  }

  static Result<Value> should_full_refresh(const ModelProject& /*project*/, const RenderRequest& request,
                                           const Arguments& /*given*/) {
    bool configured = request.node != nullptr && request.node->config.full_refresh.has_value();
    return Value(configured ? *request.node->config.full_refresh : request.full_refresh);
  }

  static Result<Value> log(const ModelProject& /*project*/, const RenderRequest& /*request*/,
                           const Arguments& /*given*/) {
    return Value("");
  }

  Value variables() {
    const ModelProject& project = project_;
    auto look = [&project](const Arguments& given) -> Result<Value> {
      TARN_CHECK(given.expect("var", 1, 2, {"name", "default"}));
      const Value* name = given.find(0, "name");
      const Value* other = given.find(1, "default");
      if (name == nullptr) {
        return bad("var() needs the variable's name");
      }
      auto found = project.settings.vars.find(name->text());
      if (found != project.settings.vars.end()) {
        return found->second;
      }
      if (other != nullptr) {
        return *other;
      }
      std::vector<std::string> known;
      for (const auto& entry : project.settings.vars) {
        known.push_back(entry.first);
      }
      std::string near = did_you_mean(name->text(), known);
      return bad(fmt::format("there is no variable '{}'{}", name->text(),
                             near.empty() ? "; set it under 'vars:' in tarn.yml" : near));
    };
    auto has = [&project](const Arguments& given) -> Result<Value> {
      const Value* name = given.find(0, "name");
      return Value(name != nullptr && project.settings.vars.contains(name->text()));
    };
    return Value::object({"<var>", {{"has_var", Value::function("has_var", has)}}, look});
  }

  Value config() {
    const RenderRequest& request = request_;
    auto set = [&request](const Arguments& given) -> Result<Value> {
      for (const Value& one : given.positional) {
        const jinja::Dict* dict = one.entries();
        if (dict == nullptr) {
          return bad("config() takes named values: config(materialized='table')");
        }
        for (const auto& [key, value] : *dict) {
          if (request.configured != nullptr) {
            request.configured->emplace_back(key.text(), value);
          }
        }
      }
      for (const auto& [key, value] : given.named) {
        if (const auto* nothing = value.as<jinja::Undefined>()) {
          return bad(fmt::format("'{}': {}; a text stands in quotes", key, nothing->name));
        }
      }
      if (request.configured != nullptr) {
        request.configured->insert(request.configured->end(), given.named.begin(), given.named.end());
      }
      return Value("");
    };
    auto look = [&request](const Arguments& given, bool required) -> Result<Value> {
      const Value* name = given.find(0, "name");
      const Value* other = given.find(1, "default");
      if (name == nullptr) {
        return bad("config.get() needs the key");
      }
      if (request.node != nullptr) {
        auto found = request.node->items.find(name->text());
        if (found != request.node->items.end()) {
          return found->second.value;
        }
        if (name->text() == "materialized") {
          return Value(request.node->config.materialized);
        }
      }
      if (required && request.configured == nullptr) {
        return bad(fmt::format("the configuration lacks '{}'", name->text()));
      }
      return other != nullptr ? *other : Value();
    };
    auto get = [look](const Arguments& given) { return look(given, false); };
    auto require = [look](const Arguments& given) { return look(given, true); };
    return Value::object(
        {"<config>",
         {{"get", Value::function("get", get)}, {"require", Value::function("require", require)}},
         set});
  }

  static Value exceptions() {
    auto fail = [](const Arguments& given) -> Result<Value> {
      const Value* message = given.find(0, "msg");
      return bad(message != nullptr ? message->text() : "the template stopped");
    };
    auto warn = [](const Arguments& /*given*/) -> Result<Value> { return Value(""); };
    return Value::object({"<exceptions>",
                          {{"raise_compiler_error", Value::function("raise_compiler_error", fail)},
                           {"warn", Value::function("warn", warn)}},
                          {}});
  }

  Value target() const {
    return Value::object({"<target>",
                          {{"name", Value(project_.target_name)},
                           {"schema", Value("public")},
                           {"database", Value("lake")},
                           {"type", Value("duckdb")},
                           {"profile_name", Value(project_.settings.name)},
                           {"threads", Value(1)}},
                          {}});
  }

  static Value time_object(Timestamp time) {
    auto format = [time](const Arguments& given) -> Result<Value> {
      const Value* pattern = given.find(0, "format");
      std::time_t clock = time.time_since_epoch().count() / 1'000'000;
      std::tm parts{};
      gmtime_r(&clock, &parts);
      char out[256];
      std::string wanted = pattern != nullptr ? pattern->text() : "%Y-%m-%d %H:%M:%S";
      size_t size = std::strftime(out, sizeof out, wanted.c_str(), &parts);
      return Value(std::string(out, size));
    };
    auto iso = [time](const Arguments& /*given*/) -> Result<Value> { return Value(format_utc(time)); };
    return Value::object({format_utc(time),
                          {{"strftime", Value::function("strftime", format)},
                           {"isoformat", Value::function("isoformat", iso)}},
                          {}});
  }

  const ModelProject& project_;
  const RenderRequest& request_;
};

}  // namespace

jinja::Globals make_globals(const ModelProject& project, const RenderRequest& request) {
  return Context(project, request).make();
}

std::string quote_table(const engine::TableName& table, const std::string& database) {
  const auto name = session::quote_name(table);
  return database.empty() ? name : session::quote_identifier(database) + "." + name;
}

Value relation_of(const engine::TableName& table, const std::string& database) {
  return Value::object({quote_table(table, database),
                        {{"identifier", Value(table.name)},
                         {"name", Value(table.name)},
                         {"table", Value(table.name)},
                         {"schema", Value(table.schema)},
                         {"database", Value(database.empty() ? "lake" : database)}},
                        {}});
}

}  // namespace tarn::model
