// One database of others, open in a DuckDB instance of its own: its extensions, functions, settings and
// secrets are nowhere else, so nothing that a person writes can reach them. Only Tarn's own SELECTs run
// there. Once open, it reads no files but below the locations that tarn.yml names, and its settings are
// locked.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "duckdb.hpp"
#include "engine/outside.h"

namespace tarn::engine::outside {

namespace db = duckdb;

struct Limits {
  uint64_t memory_bytes = 0;
  int threads = 0;  // 0: all cores
  std::string time_zone = "UTC";
};

struct TableId {
  std::string schema;
  std::string name;
  auto operator<=>(const TableId&) const = default;
};

// What an error of the other side may say: one line, without the values of secrets.
class Scrubber {
 public:
  void add(std::string secret) { secrets_.push_back(std::move(secret)); }
  [[nodiscard]] std::string scrub(std::string text) const;

 private:
  std::vector<std::string> secrets_;
};

// Thread-safe.
class Instance {
 public:
  // Connects; may take as long as the other side likes.
  static Result<std::shared_ptr<Instance>> open(const OutsideDatabase& outside,
                                                const std::string& extensions_folder, const Limits& limits);

  db::DuckDB& database() { return *database_; }
  // Asks the other side to stop whatever runs there for this instance, where it can be asked so (PostgreSQL).
  void stop_all();
  // Every table that can be listed; asks the other side.
  Result<std::vector<TableId>> list();
  // "attachment shop: …", without secrets.
  [[nodiscard]] Error explain(const db::ErrorData& error) const;
  [[nodiscard]] Error explain(const std::exception& exception) const;

 private:
  explicit Instance(const OutsideDatabase& outside);

  Status resolve_settings();
  Status start(const std::string& extensions_folder, const Limits& limits);
  Status run(const std::string& sql);
  void create_secret(const std::string& type, const std::map<std::string, std::string>& options,
                     std::vector<std::string> scope = {});
  void create_file_secrets();
  Status attach_postgres();
  Status attach_iceberg();
  Status set_transport();
  Status lock_down();
  [[nodiscard]] std::string setting(const std::string& name, const std::string& fallback = "") const;

  const OutsideDatabase& outside_;
  const std::string session_name_;               // what PostgreSQL knows its connections by: no other's
  std::map<std::string, std::string> settings_;  // with the values of secrets
  Scrubber scrubber_;
  std::unique_ptr<db::DuckDB> database_;
  std::unique_ptr<db::Connection> connection_;  // of start() only
};

// What stands after FROM for a table.
std::string relation_of(const OutsideDatabase& outside, const TableId& table);

// The folders and URLs below which the files of an outside database may lie, each ending in a slash.
std::vector<std::string> allowed_places(const OutsideDatabase& outside);

}  // namespace tarn::engine::outside
