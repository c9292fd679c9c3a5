#include "catalog/control_tables.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "catalog/repeated_requests.h"
#include "catalog/table.h"

namespace tarn::catalog {
namespace {

using engine::fold;
using nlohmann::json;
using store::Connection;

constexpr const char* kTables = R"sql(
CREATE TABLE lake_versions (
  number INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TABLE lake_schemas (
  folded TEXT NOT NULL,
  name TEXT NOT NULL,
  properties TEXT NOT NULL,
  begin_version INTEGER NOT NULL,
  end_version INTEGER
) STRICT;
CREATE UNIQUE INDEX lake_schemas_live ON lake_schemas (folded) WHERE end_version IS NULL;
CREATE TABLE lake_tables (
  uuid TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  folded_schema TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  metadata_location TEXT NOT NULL,
  begin_version INTEGER NOT NULL,
  end_version INTEGER
) STRICT;
CREATE UNIQUE INDEX lake_tables_live ON lake_tables (uuid) WHERE end_version IS NULL;
CREATE UNIQUE INDEX lake_tables_name ON lake_tables (folded_schema, folded_name) WHERE end_version IS NULL;
CREATE INDEX lake_tables_begin ON lake_tables (begin_version, end_version);
CREATE TABLE lake_views (
  uuid TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  folded_schema TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  sql TEXT NOT NULL,
  columns TEXT NOT NULL,
  comment TEXT NOT NULL,
  metadata_location TEXT NOT NULL,
  version_id INTEGER NOT NULL,
  begin_version INTEGER NOT NULL,
  end_version INTEGER
) STRICT;
CREATE UNIQUE INDEX lake_views_live ON lake_views (uuid) WHERE end_version IS NULL;
CREATE UNIQUE INDEX lake_views_name ON lake_views (folded_schema, folded_name) WHERE end_version IS NULL;
CREATE TABLE commit_tokens (
  token TEXT PRIMARY KEY,
  outcome TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE source_cursors (
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kMacros = R"sql(
CREATE TABLE lake_macros (
  uuid TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  folded_schema TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  sql TEXT NOT NULL,
  begin_version INTEGER NOT NULL,
  end_version INTEGER
) STRICT;
CREATE UNIQUE INDEX lake_macros_live ON lake_macros (uuid) WHERE end_version IS NULL;
CREATE UNIQUE INDEX lake_macros_name ON lake_macros (folded_schema, folded_name) WHERE end_version IS NULL;
)sql";

// For people and tests that read the file itself: where the tables stand now.
constexpr const char* kCurrentTables = R"sql(
CREATE VIEW current_tables AS
  SELECT schema AS namespace, name, metadata_location FROM lake_tables WHERE end_version IS NULL;
)sql";

// Past its time: the files of this version of the table may be gone; see history.h.
constexpr const char* kExpiry = "ALTER TABLE lake_tables ADD COLUMN expired_at INTEGER;";

std::string to_text(const engine::CommitOutcome& outcome) {
  json document = {{"lake_version", outcome.lake_version},
                   {"time_us", outcome.time.time_since_epoch().count()},
                   {"snapshot_ids", outcome.snapshot_ids}};
  return document.dump();
}

std::string to_text(const std::vector<engine::ViewColumn>& columns) {
  json list = json::array();
  for (const auto& column : columns) {
    list.push_back({{"name", column.name}, {"type", column.type}, {"comment", column.comment}});
  }
  return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const std::map<std::string, std::string>& properties) {
  return json(properties).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string string_of(const json& object, const char* key) {
  auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

std::vector<engine::ViewColumn> columns_of(const std::string& text) {
  std::vector<engine::ViewColumn> columns;
  json list = json::parse(text, nullptr, false);
  for (const auto& each : list.is_array() ? list : json::array()) {
    columns.push_back({string_of(each, "name"), string_of(each, "type"), string_of(each, "comment")});
  }
  return columns;
}

std::map<std::string, std::string> properties_of(const std::string& text) {
  std::map<std::string, std::string> properties;
  json object = json::parse(text, nullptr, false);
  if (object.is_object()) {
    for (const auto& [key, value] : object.items()) {
      properties[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
  }
  return properties;
}

// Rows of the newest version are found by an index of their own; `number` is bound in both.
std::string good_rows(std::string_view columns, std::string_view table, bool newest) {
  return fmt::format("SELECT {} FROM {} WHERE begin_version <= ?1 AND {}", columns, table,
                     newest ? "end_version IS NULL" : "(end_version IS NULL OR end_version > ?1)");
}

using Schemas = std::map<std::string, std::shared_ptr<engine::LakeSchema>>;

Status load_schemas(Connection& connection, int64_t number, bool newest, Schemas& schemas) {
  TARN_TRY(auto rows,
           connection.query(good_rows("folded, name, properties", "lake_schemas", newest), {number}));
  for (;;) {
    TARN_TRY(bool more, rows.next());
    if (!more) {
      return ok();
    }
    auto schema = std::make_shared<engine::LakeSchema>();
    schema->name = rows.text(1);
    schema->properties = properties_of(rows.text(2));
    schemas[rows.text(0)] = std::move(schema);
  }
}

// Calls with each row of a table of things that have a name in a schema, and with that schema. The first four
// columns are folded_schema, folded_name, schema and name; `more` are those after them.
template <class Put>
Status load_named(Connection& connection, int64_t number, std::string_view table, std::string_view more,
                  bool newest, Schemas& schemas, const Put& put) {
  const auto columns = fmt::format("folded_schema, folded_name, schema, name, {}", more);
  TARN_TRY(auto rows, connection.query(good_rows(columns, table, newest), {number}));
  for (;;) {
    TARN_TRY(bool has_row, rows.next());
    if (!has_row) {
      return ok();
    }
    auto schema = schemas.find(rows.text(0));
    if (schema == schemas.end()) {
      return Error{Code::kCorrupt,
                   fmt::format("{} has no schema in version {} ({})", rows.text(3), number, table)};
    }
    put(rows, *schema->second);
  }
}

Status load_tables(Connection& connection, Env& env, int64_t number, bool newest, Schemas& schemas) {
  return load_named(
      connection, number, "lake_tables", "uuid, metadata_location, expired_at", newest, schemas,
      [&](auto& rows, engine::LakeSchema& schema) {
        const engine::TableName name{rows.text(2), rows.text(3)};
        auto& table = schema.tables[rows.text(1)];
        if (const auto expired = rows.optional_time(6)) {
          table = std::make_shared<const ExpiredTable>(name, rows.text(4), rows.text(5), *expired);
        } else {
          table = std::make_shared<const CatalogTable>(env, name, rows.text(4), rows.text(5), nullptr);
        }
      });
}

Status load_views(Connection& connection, int64_t number, bool newest, Schemas& schemas) {
  return load_named(connection, number, "lake_views", "uuid, sql, columns, comment, metadata_location",
                    newest, schemas, [](auto& rows, engine::LakeSchema& schema) {
                      auto view = std::make_shared<engine::LakeView>();
                      view->name = {rows.text(2), rows.text(3)};
                      view->uuid = rows.text(4);
                      view->sql = rows.text(5);
                      view->columns = columns_of(rows.text(6));
                      view->comment = rows.text(7);
                      view->metadata_location = rows.text(8);
                      schema.views[rows.text(1)] = std::move(view);
                    });
}

Status load_macros(Connection& connection, int64_t number, bool newest, Schemas& schemas) {
  return load_named(
      connection, number, "lake_macros", "uuid, sql", newest, schemas,
      [](auto& rows, engine::LakeSchema& schema) {
        schema.macros[rows.text(1)] = std::make_shared<const engine::LakeMacro>(engine::LakeMacro{
            .name = {rows.text(2), rows.text(3)}, .uuid = rows.text(4), .sql = rows.text(5)});
      });
}

Status end_rows(Connection& c, const RowChanges& changes) {
  for (const auto& uuid : changes.ended_tables) {
    TARN_CHECK(c.run("UPDATE lake_tables SET end_version = ? WHERE uuid = ? AND end_version IS NULL",
                     {changes.version, uuid}));
  }
  for (const auto& uuid : changes.purged_tables) {
    TARN_CHECK(c.run("UPDATE lake_tables SET expired_at = ? WHERE uuid = ? AND expired_at IS NULL",
                     {changes.time, uuid}));
  }
  for (const auto& uuid : changes.ended_views) {
    TARN_CHECK(c.run("UPDATE lake_views SET end_version = ? WHERE uuid = ? AND end_version IS NULL",
                     {changes.version, uuid}));
  }
  for (const auto& uuid : changes.ended_macros) {
    TARN_CHECK(c.run("UPDATE lake_macros SET end_version = ? WHERE uuid = ? AND end_version IS NULL",
                     {changes.version, uuid}));
  }
  for (const auto& folded : changes.ended_schemas) {
    TARN_CHECK(c.run("UPDATE lake_schemas SET end_version = ? WHERE folded = ? AND end_version IS NULL",
                     {changes.version, folded}));
  }
  return ok();
}

Status begin_rows(Connection& c, const RowChanges& changes) {
  for (const auto& row : changes.schemas) {
    TARN_CHECK(c.run("INSERT INTO lake_schemas VALUES (?, ?, ?, ?, NULL)",
                     {fold(row.name), row.name, to_text(row.properties), changes.version}));
  }
  for (const auto& row : changes.tables) {
    TARN_CHECK(c.run("INSERT INTO lake_tables VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                     {row.uuid, row.name.schema, row.name.name, fold(row.name.schema), fold(row.name.name),
                      row.metadata_location, changes.version}));
  }
  for (const auto& [view, location, version_id] : changes.views) {
    TARN_CHECK(
        c.run("INSERT INTO lake_views VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
              {view.uuid, view.name.schema, view.name.name, fold(view.name.schema), fold(view.name.name),
               view.sql, to_text(view.columns), view.comment, location, version_id, changes.version}));
  }
  for (const auto& macro : changes.macros) {
    TARN_CHECK(c.run("INSERT INTO lake_macros VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                     {macro.uuid, macro.name.schema, macro.name.name, fold(macro.name.schema),
                      fold(macro.name.name), macro.sql, changes.version}));
  }
  return ok();
}

}  // namespace

const store::Migrations& catalog_migrations() {
  static const store::Migrations migrations{
      "catalog", {kTables, kCurrentTables, kRepeatedRequestTables, kExpiry, kMacros}};
  return migrations;
}

Status write_rows(Connection& c, const RowChanges& changes) {
  if (changes.new_version) {
    TARN_CHECK(c.run("INSERT INTO lake_versions VALUES (?, ?)", {changes.version, changes.time}));
    TARN_CHECK(end_rows(c, changes));
    TARN_CHECK(begin_rows(c, changes));
  }
  for (const auto& row : changes.expired) {
    TARN_CHECK(c.run("UPDATE lake_tables SET expired_at = ? WHERE uuid = ? AND begin_version = ?",
                     {changes.time, row.uuid, row.begin_version}));
  }
  for (const auto& cursor : changes.cursors) {
    TARN_CHECK(
        c.run("INSERT INTO source_cursors VALUES (?, ?, ?, ?) ON CONFLICT (source, key) "
              "DO UPDATE SET value = excluded.value, version = excluded.version",
              {cursor.source, cursor.key, cursor.value, changes.version}));
  }
  if (!changes.token.empty()) {
    TARN_CHECK(c.run("INSERT INTO commit_tokens VALUES (?, ?, ?)",
                     {changes.token, to_text(changes.outcome), changes.version}));
  }
  return note_repeatable(c, changes.repeatable, changes.outcome, changes.asked_at);
}

Result<std::shared_ptr<const engine::LakeVersion>> load_version(Connection& connection, Env& env,
                                                                int64_t number) {
  TARN_TRY(auto time, connection.integer("SELECT time_us FROM lake_versions WHERE number = ?", {number}));
  if (!time) {
    return nullptr;
  }
  TARN_TRY(int64_t head, newest_version(connection));
  bool newest = number == head;
  Schemas schemas;
  TARN_CHECK(load_schemas(connection, number, newest, schemas));
  TARN_CHECK(load_tables(connection, env, number, newest, schemas));
  TARN_CHECK(load_views(connection, number, newest, schemas));
  TARN_CHECK(load_macros(connection, number, newest, schemas));
  auto version = std::make_shared<engine::LakeVersion>();
  version->number = number;
  version->time = Timestamp(Duration(*time));
  version->schemas.insert(schemas.begin(), schemas.end());
  return version;
}

Result<int64_t> newest_version(Connection& connection) {
  TARN_TRY(auto number, connection.integer("SELECT max(number) FROM lake_versions"));
  return number.value_or(0);
}

Result<int64_t> version_at(Connection& connection, Timestamp time) {
  TARN_TRY(auto number,
           connection.integer(
               "SELECT number FROM lake_versions WHERE time_us <= ? ORDER BY time_us DESC LIMIT 1", {time}));
  if (number) {
    return *number;
  }
  TARN_TRY(auto first, connection.integer("SELECT min(time_us) FROM lake_versions"));
  return Error{Code::kNotFound,
               fmt::format("the lake has no version at {}; its first one is of {}", format_utc(time),
                           format_utc(Timestamp(Duration(first.value_or(0)))))};
}

Result<std::optional<engine::CommitOutcome>> load_token(Connection& connection, const std::string& token) {
  TARN_TRY(auto text, connection.text("SELECT outcome FROM commit_tokens WHERE token = ?", {token}));
  if (!text) {
    return std::nullopt;
  }
  json document = json::parse(*text, nullptr, false);
  engine::CommitOutcome outcome;
  outcome.already_done = true;
  auto number = [&](const char* key) -> std::optional<int64_t> {
    auto it = document.is_object() ? document.find(key) : document.end();
    return it != document.end() && it->is_number_integer() ? std::optional(it->get<int64_t>()) : std::nullopt;
  };
  auto version = number("lake_version");
  auto time_us = number("time_us");
  if (!version || !time_us || !document["snapshot_ids"].is_object()) {
    return Error{Code::kCorrupt, fmt::format("the outcome of commit {} cannot be read: {}", token, *text)};
  }
  outcome.lake_version = *version;
  outcome.time = Timestamp(Duration(*time_us));
  for (const auto& [uuid, id] : document["snapshot_ids"].items()) {
    if (id.is_number_integer()) {
      outcome.snapshot_ids[uuid] = id.get<int64_t>();
    }
  }
  return outcome;
}

Result<std::optional<std::string>> load_cursor(Connection& connection, const std::string& source,
                                               const std::string& key) {
  return connection.text("SELECT value FROM source_cursors WHERE source = ? AND key = ?", {source, key});
}

Result<std::optional<ViewFile>> load_view_file(Connection& connection, const std::string& uuid) {
  TARN_TRY(auto rows, connection.query("SELECT metadata_location, version_id FROM lake_views WHERE uuid = ? "
                                       "ORDER BY begin_version DESC LIMIT 1",
                                       {uuid}));
  TARN_TRY(bool found, rows.next());
  if (!found) {
    return std::nullopt;
  }
  return ViewFile{rows.text(0), rows.integer(1)};
}

}  // namespace tarn::catalog
