#include "engine/duck/outside/instance.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <fmt/format.h>

#include "codec/utf8.h"
#include "duckdb/main/secret/secret_manager.hpp"
#include "engine/duck/errors.h"

namespace tarn::engine::outside {
namespace {

constexpr const char* kInner = "outside";  // the attached database, in the instance of its own
constexpr size_t kReasonBytesMax = 300;

std::string identifier(std::string_view name) {
  return db::KeywordHelper::WriteQuoted(std::string(name), '"');
}

std::string literal(std::string_view text) {
  return db::KeywordHelper::WriteQuoted(std::string(text), '\'');
}

// In the order in which they must be loaded.
std::vector<std::string> extensions_of(const OutsideDatabase& outside) {
  switch (outside.kind) {
    case OutsideKind::kPostgres: return {"postgres_scanner"};
    case OutsideKind::kIceberg: return {"avro", "httpfs", "iceberg"};
    case OutsideKind::kDelta: return {"httpfs", "delta"};
    case OutsideKind::kFiles: break;
  }
  const bool remote = std::any_of(outside.tables.begin(), outside.tables.end(), [](const auto& table) {
    return table.second.location.find("://") != std::string::npos;
  });
  return remote ? std::vector<std::string>{"httpfs"} : std::vector<std::string>{};
}

// libpq's: no secrets, those are in DuckDB's secret. Dead peers are noticed within a minute.
std::string postgres_options(const std::string& session_name, int64_t seconds, const std::string& tls) {
  return fmt::format(
      "connect_timeout={} application_name={} keepalives_idle=20 keepalives_interval=10 keepalives_count=3 "
      "tcp_user_timeout=30000 sslmode={}",
      std::max<int64_t>(2, seconds), session_name, tls);
}

bool ends_in(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

// What the message of a database says before it comes to the point.
std::string without_preamble(std::string text) {
  if (text.starts_with("Unable to connect to Postgres at \"")) {
    if (const auto end = text.find("\": "); end != std::string::npos) {
      text.erase(0, end + 3);
    }
  }
  // The client library's guess, and a picture of a statement that nobody wrote.
  text = text.substr(0, text.find("\n\tIs the server running"));
  text = text.substr(0, text.find("\nLINE 1:"));
  return text;
}

}  // namespace

std::string Scrubber::scrub(std::string text) const {
  for (const auto& secret : secrets_) {
    for (auto at = text.find(secret); !secret.empty() && at != std::string::npos;
         at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
      at += 3;
    }
  }
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  if (line.size() > kReasonBytesMax) {
    line = line.substr(0, kReasonBytesMax);
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0U) == 0x80U) {
      line.pop_back();  // into the middle of a character: its first byte goes below
    }
    line.back() = ' ';
    line += "…";
  }
  return codec::as_utf8(std::move(line));
}

std::vector<std::string> allowed_places(const OutsideDatabase& outside) {
  std::vector<std::string> places = outside.locations;
  for (const auto& [name, files] : outside.tables) {
    auto place = files.location;
    if (outside.kind == OutsideKind::kFiles) {
      place = place.substr(0, place.find_first_of("*?["));
      place = place.substr(0, place.rfind('/') + 1);
    }
    places.push_back(std::move(place));
  }
  for (auto& place : places) {
    place += ends_in(place, "/") ? "" : "/";
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

Result<std::shared_ptr<Instance>> Instance::open(const OutsideDatabase& outside,
                                                 const std::string& extensions_folder, const Limits& limits) {
  std::shared_ptr<Instance> instance(new Instance(outside));
  TARN_CHECK(instance->resolve_settings());
  try {
    auto started = instance->start(extensions_folder, limits);
    if (started) {
      return instance;
    }
    return Error{Code::kUnavailable, started.error().message};
  } catch (const std::exception& exception) {
    return Error{Code::kUnavailable, instance->explain(exception).message};
  }
}

// Of this moment, process and place in memory: two Tarns under one role must not stop each other.
Instance::Instance(const OutsideDatabase& outside)
    : outside_(outside),
      session_name_(fmt::format("tarn-{:x}-{:x}-{:x}",
                                std::chrono::steady_clock::now().time_since_epoch().count(), ::getpid(),
                                reinterpret_cast<uintptr_t>(this))) {}

void Instance::stop_all() {
  if (outside_.kind != OutsideKind::kPostgres) {
    return;
  }
  const auto sql = fmt::format(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = {} AND state = 'active' "
      "AND "
      "pid <> pg_backend_pid()",
      literal(session_name_));
  try {
    db::Connection connection(*database_);
    (void)connection.Query(fmt::format("SELECT * FROM postgres_query('{}', {})", kInner, literal(sql)));
  } catch (const std::exception&) {
    return;  // it cannot be reached: then nothing is to be stopped
  }
}

Status Instance::resolve_settings() {
  for (const auto& [name, text] : outside_.settings) {
    auto value = outside_.resolve ? outside_.resolve(text) : Result<std::string>(text);
    if (!value) {
      return value.error().at(fmt::format("attachment {}", outside_.name));
    }
    if (*value != text) {
      scrubber_.add(*value);
    }
    settings_[name] = std::move(*value);
  }
  return ok();
}

std::string Instance::setting(const std::string& name, const std::string& fallback) const {
  const auto found = settings_.find(name);
  return found == settings_.end() || found->second.empty() ? fallback : found->second;
}

Status Instance::start(const std::string& extensions_folder, const Limits& limits) {
  db::DBConfig config;
  config.options.maximum_memory =
      limits.memory_bytes > 0 ? limits.memory_bytes : config.options.maximum_memory;
  if (limits.threads > 0) {
    config.options.maximum_threads = static_cast<db::idx_t>(limits.threads);
  }
  config.options.use_temporary_directory = false;
  for (const char* off : {"autoinstall_known_extensions", "autoload_known_extensions",
                          "allow_community_extensions", "allow_persistent_secrets"}) {
    config.SetOptionByName(off, db::Value::BOOLEAN(false));
  }
  database_ = std::make_unique<db::DuckDB>(nullptr, &config);
  connection_ = std::make_unique<db::Connection>(*database_);
  for (const auto& extension : extensions_of(outside_)) {
    const auto path = fmt::format("{}/{}.duckdb_extension", extensions_folder, extension);
    if (!std::filesystem::exists(path)) {
      return Error{
          Code::kUnavailable,
          fmt::format("attachment {} needs DuckDB's extension {}, which is not in {}: './dev setup' and "
                      "'./dev install' bring it, and TARN_EXTENSIONS names another folder",
                      outside_.name, extension, extensions_folder)};
    }
    TARN_CHECK(run(fmt::format("LOAD {}", literal(path))));
  }
  TARN_CHECK(run(fmt::format("SET GLOBAL TimeZone = {}", literal(limits.time_zone))));
  TARN_CHECK(set_transport());
  switch (outside_.kind) {
    case OutsideKind::kPostgres: TARN_CHECK(attach_postgres()); break;
    case OutsideKind::kIceberg: TARN_CHECK(attach_iceberg()); break;
    case OutsideKind::kDelta:
    case OutsideKind::kFiles: create_file_secrets(); break;
  }
  TARN_CHECK(lock_down());
  connection_.reset();
  return ok();
}

Status Instance::run(const std::string& sql) {
  auto result = connection_->Query(sql);
  return result->HasError() ? Status(explain(result->GetErrorObject())) : ok();
}

// By the programming interface, so that no text of SQL holds a secret.
void Instance::create_secret(const std::string& type, const std::map<std::string, std::string>& options,
                             std::vector<std::string> scope) {
  db::CreateSecretInput input;
  input.type = type;
  input.provider = "config";
  input.storage_type = "memory";
  input.name = "tarn_" + type;
  input.on_conflict = db::OnCreateConflict::ERROR_ON_CONFLICT;
  input.persist_type = db::SecretPersistType::TEMPORARY;
  for (auto& one : scope) {
    input.scope.push_back(std::move(one));
  }
  for (const auto& [name, value] : options) {
    input.options[name] = name == "use_ssl" ? db::Value::BOOLEAN(value == "true") : db::Value(value);
  }
  auto& context = *connection_->context;
  context.RunFunctionInTransaction([&] { db::SecretManager::Get(context).CreateSecret(context, input); });
}

// Of S3 and HTTP. Always one for S3, or the extension would take keys out of the environment.
void Instance::create_file_secrets() {
  if (extensions_of(outside_).empty()) {
    return;
  }
  std::map<std::string, std::string> s3;
  for (const auto& [name, option] : {std::pair("s3_endpoint", "endpoint"),
                                     {"s3_region", "region"},
                                     {"s3_key_id", "key_id"},
                                     {"s3_secret", "secret"},
                                     {"s3_session_token", "session_token"},
                                     {"s3_url_style", "url_style"},
                                     {"s3_use_ssl", "use_ssl"}}) {
    if (auto value = setting(name); !value.empty()) {
      s3[option] = value;
    }
  }
  create_secret("s3", s3);
  if (auto bearer = setting("bearer"); !bearer.empty()) {
    create_secret("http", {{"bearer_token", bearer}}, allowed_places(outside_));
  }
}

Status Instance::attach_postgres() {
  std::map<std::string, std::string> secret = {{"host", setting("host")},
                                               {"port", setting("port", "5432")},
                                               {"database", setting("database")},
                                               {"user", setting("user")}};
  if (auto password = setting("password"); !password.empty()) {
    secret["password"] = password;
  }
  create_secret("postgres", secret);
  // Else tables that change there would be seen as they were.
  TARN_CHECK(run("SET GLOBAL pg_staleness_query_enabled = true"));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(outside_.patience).count();
  return run(fmt::format("ATTACH {} AS {} (TYPE postgres, SECRET tarn_postgres, READ_ONLY)",
                         literal(postgres_options(session_name_, seconds, setting("tls", "prefer"))),
                         kInner));
}

Status Instance::attach_iceberg() {
  create_file_secrets();
  std::map<std::string, std::string> secret;
  for (const char* name : {"token", "client_id", "client_secret", "oauth2_server_uri", "oauth2_scope"}) {
    if (auto value = setting(name); !value.empty()) {
      secret[name] = value;
    }
  }
  const bool has_credentials = secret.contains("token") || secret.contains("client_secret");
  if (has_credentials) {
    create_secret("iceberg", secret);
  }
  return run(fmt::format("ATTACH {} AS {} (TYPE iceberg, ENDPOINT {}, {}, READ_ONLY)",
                         literal(setting("warehouse")), kInner, literal(setting("url")),
                         has_credentials ? "SECRET tarn_iceberg" : "AUTHORIZATION_TYPE 'none'"));
}

// Of what speaks HTTP, before anything does.
Status Instance::set_transport() {
  const auto extensions = extensions_of(outside_);
  if (std::find(extensions.begin(), extensions.end(), "httpfs") == extensions.end()) {
    return ok();
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(outside_.patience).count();
  TARN_CHECK(
      run(fmt::format("SET GLOBAL http_timeout = {}; SET GLOBAL http_retries = 1; SET GLOBAL "
                      "enable_server_cert_verification = true; SET GLOBAL "
                      "enable_curl_server_cert_verification = true; SET GLOBAL "
                      "enable_global_s3_configuration = false",
                      std::max<int64_t>(1, seconds))));
  const auto file = setting("ca_file");
  return file.empty() ? ok() : run(fmt::format("SET GLOBAL ca_cert_file = {}", literal(file)));
}

Status Instance::lock_down() {
  std::string places;
  for (const auto& place : allowed_places(outside_)) {
    places += fmt::format("{}{}", places.empty() ? "" : ", ", literal(place));
  }
  return run(
      fmt::format("SET GLOBAL allowed_directories = [{}]; SET GLOBAL enable_external_access = false; SET "
                  "GLOBAL lock_configuration = true",
                  places));
}

Result<std::vector<TableId>> Instance::list() {
  std::vector<TableId> tables;
  for (const auto& [name, files] : outside_.tables) {
    tables.push_back({"public", name});
  }
  if (outside_.kind == OutsideKind::kDelta || outside_.kind == OutsideKind::kFiles) {
    return tables;
  }
  try {
    db::Connection connection(*database_);
    auto rows = connection.Query(fmt::format(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = '{}' AND "
        "schema_name NOT IN ('pg_catalog', 'information_schema', 'pg_toast') UNION SELECT "
        "schema_name, view_name FROM duckdb_views() WHERE database_name = '{}' AND NOT internal AND "
        "schema_name NOT IN ('pg_catalog', 'information_schema') ORDER BY ALL",
        kInner, kInner));
    if (rows->HasError()) {
      return explain(rows->GetErrorObject());
    }
    for (auto& row : *rows) {
      tables.push_back({row.GetValue<std::string>(0), row.GetValue<std::string>(1)});
    }
    return tables;
  } catch (const std::exception& exception) {
    return explain(exception);
  }
}

std::string relation_of(const OutsideDatabase& outside, const TableId& table) {
  const auto found = outside.tables.find(table.name);
  if (found == outside.tables.end()) {
    return fmt::format("{}.{}.{}", kInner, identifier(table.schema), identifier(table.name));
  }
  const auto place = literal(found->second.location);
  if (outside.kind == OutsideKind::kDelta) {
    return fmt::format("delta_scan({})", place);
  }
  const auto& format = found->second.format;
  return fmt::format("read_{}({})", format == "json" ? "json_auto" : format, place);
}

Error Instance::explain(const db::ErrorData& data) const {
  auto error = to_error(data);
  if (error.code == Code::kInternal || error.code == Code::kIo) {
    error.code = Code::kUnavailable;
  }
  return Error{error.code, fmt::format("attachment {}: {}", outside_.name,
                                       scrubber_.scrub(without_preamble(std::move(error.message))))};
}

Error Instance::explain(const std::exception& exception) const {
  return explain(db::ErrorData(exception));
}

}  // namespace tarn::engine::outside
