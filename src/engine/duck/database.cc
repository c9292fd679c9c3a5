#include "engine/duck/connection.h"
#include "engine/duck/errors.h"
#include "engine/duck/json/deep_values.h"
#include "engine/duck/json/json_lines.h"
#include "engine/duck/lake/attach.h"
#include "engine/duck/outside/outside_attach.h"

namespace tarn::engine {
namespace {

class DuckDatabase : public Database {
 public:
  DuckDatabase(std::unique_ptr<duckdb::DuckDB> database, bool has_lake,
               duckdb::shared_ptr<LakeAttachment> attachment, outside::Attachments outside)
      : database_(std::move(database)),
        has_lake_(has_lake),
        attachment_(std::move(attachment)),
        outside_(std::move(outside)) {}
  ~DuckDatabase() override {
    for (const auto& one : outside_) {
      one->stop();
    }
  }
  DuckDatabase(const DuckDatabase&) = delete;
  DuckDatabase& operator=(const DuckDatabase&) = delete;

  Result<std::unique_ptr<Connection>> connect() override { return make_connection(*database_, has_lake_); }
  std::set<std::string> open_files() override {
    return has_lake_ ? open_lake_files(*attachment_) : std::set<std::string>();
  }
  Result<std::vector<OutsideTable>> outside_tables(const std::string& name) override {
    return outside::list_tables(outside_, name);
  }

 private:
  std::unique_ptr<duckdb::DuckDB> database_;
  bool has_lake_;
  duckdb::shared_ptr<LakeAttachment> attachment_;
  outside::Attachments outside_;
};

// Of the instances that attachments are opened in: they only read, and keep nothing.
outside::Limits outside_limits(const DatabaseOptions& options) {
  return {.memory_bytes = options.memory_limit_bytes / 4,
          .threads = options.threads,
          .time_zone = options.time_zone};
}

duckdb::shared_ptr<LakeAttachment> attachment_of(const DatabaseOptions& options) {
  auto attachment = duckdb::make_shared_ptr<LakeAttachment>();
  attachment->catalog = options.lake;
  attachment->visibility = options.visibility;
  attachment->system_tables = options.system_tables;
  attachment->folder = options.lake_folder;
  attachment->faults = options.faults;
  return attachment;
}

void configure(duckdb::DBConfig& config, const DatabaseOptions& options) {
  auto& set = config.options;
  if (options.memory_limit_bytes > 0) {
    set.maximum_memory = options.memory_limit_bytes;
  }
  if (options.threads > 0) {
    set.maximum_threads = static_cast<duckdb::idx_t>(options.threads);
  }
#if __has_feature(thread_sanitizer)
  // DuckDB's library is not instrumented: what its own threads hand each other would all look like races.
  set.maximum_threads = 1;
#endif
  set.use_temporary_directory = !options.spill_folder.empty();
  set.temporary_directory = options.spill_folder;
  config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
  config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
}

std::string settings_after_open(const DatabaseOptions& options, bool has_lake,
                                const outside::Attachments& outside) {
  auto sql = fmt::format("SET GLOBAL TimeZone = '{}';", options.time_zone);
  if (has_lake) {
    sql += fmt::format("ATTACH '' AS {} (TYPE {});", kLakeDatabase, kLakeExtension);
  }
  sql += outside::attach_text(outside);
  if (!options.external_access) {
    sql += "SET GLOBAL enable_external_access = false;";
  }
  return sql;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(DatabaseOptions options) {
  try {
    duckdb::DBConfig config;
    configure(config, options);
    bool has_lake = options.lake != nullptr;
    auto attachment = attachment_of(options);
    if (has_lake) {
      register_lake(config, attachment);
    }
    auto outside = outside::make_attachments(options.outside, outside_limits(options));
    outside::register_outside(config, outside, options.visibility);
    auto database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    // A name that is no table must not become a file.
    auto& running = duckdb::DBConfig::GetConfig(*database->instance);
    if (!options.external_access) {
      running.replacement_scans.clear();
    }
    for (const auto& folder : options.allowed_folders) {
      running.AddAllowedDirectory(folder);  // needs the file system, which opening made
    }
    if (has_lake) {
      register_lake_files(*database->instance, *attachment);
    }
    json::register_json_lines(*database->instance);
    register_lake_functions(*database->instance);
    json::refuse_deep_values(*database->instance);
    duckdb::Connection first(*database);
    auto result = first.Query(settings_after_open(options, has_lake, outside));
    if (result->HasError()) {
      return to_error(result->GetErrorObject());
    }
    return std::make_unique<DuckDatabase>(std::move(database), has_lake, attachment, std::move(outside));
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

}  // namespace tarn::engine
