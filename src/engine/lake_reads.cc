#include "engine/lake_reads.h"

#include <tuple>

#include <fmt/format.h>

namespace tarn::engine {
namespace {

constexpr const char* kLake = "lake";
constexpr const char* kDefaultSchema = "public";

class Walker {
 public:
  Walker(const LakeVersion& version, const LakeReadsOptions& options)
      : version_(version), options_(options) {}

  Status look(std::span<const StatementFacts> statements) {
    for (const auto& statement : statements) {
      for (const auto& table : statement.tables) {
        if (!table.write) {
          TARN_CHECK(look(table));
        }
      }
      for (const auto& function : statement.functions) {
        TARN_CHECK(look(function));
      }
    }
    return ok();
  }

  LakeReads take() { return std::move(reads_); }

 private:
  Status look(const TableUse& use) {
    // "x.t" is database x before it is schema x, as for the engine.
    const auto first = fold(use.schema);
    const bool moved = use.database.empty() && (first == kLake || options_.databases.contains(first));
    const auto database = moved ? first : fold(use.database);
    const auto written = moved ? std::string() : use.schema;
    if (!database.empty() && database != kLake) {
      if (seen_.insert(fmt::format("{}.{}.{}", database, fold(written), fold(use.name))).second) {
        reads_.others.push_back({.database = database, .schema = written, .name = use.name});
      }
      return ok();
    }
    auto schema = fold(written);
    if (schema.empty() || schema == "main") {
      schema = kDefaultSchema;
    }
    const auto name = fold(use.name);
    const bool is_new = seen_.insert(fmt::format("{}.{}", schema, name)).second;
    return !is_new || (options_.known && options_.known({schema, name})) ? ok() : find({schema, name});
  }

  Status find(const TableName& name) {
    if (const auto schema = version_.schemas.find(name.schema); schema != version_.schemas.end()) {
      const auto& [tables, views] = std::tie(schema->second->tables, schema->second->views);
      if (const auto table = tables.find(name.name); table != tables.end()) {
        reads_.tables.push_back(table->second);
        return ok();
      }
      if (const auto view = views.find(name.name); view != views.end()) {
        reads_.views.push_back(view->second);
        return look_into(view->second->sql);
      }
    }
    reads_.others.push_back({.schema = name.schema, .name = name.name});
    return ok();
  }

  Status look(const FunctionUse& use) {
    for (const auto& [schema, entry] : version_.schemas) {
      const auto found = entry->macros.find(fold(use.name));
      if (found != entry->macros.end() && seen_.insert("macro " + found->second->uuid).second) {
        reads_.macros.push_back(found->second);
        TARN_CHECK(look_into(found->second->sql));
      }
    }
    return ok();
  }

  Status look_into(const std::string& sql) {
    TARN_TRY(const auto statements, parse(sql));
    return look(std::span<const StatementFacts>(statements));
  }

  const LakeVersion& version_;
  const LakeReadsOptions& options_;
  LakeReads reads_;
  std::set<std::string> seen_;
};

}  // namespace

Result<LakeReads> lake_reads(const LakeVersion& version, std::span<const StatementFacts> statements,
                             const LakeReadsOptions& options) {
  Walker walker(version, options);
  TARN_CHECK(walker.look(statements));
  return walker.take();
}

}  // namespace tarn::engine
