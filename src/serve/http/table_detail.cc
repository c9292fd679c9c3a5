#include "serve/http/table_detail.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "flow/run_detail.h"
#include "iceberg/metadata.h"

namespace tarn::serve {
namespace {

constexpr int kMomentsMax = 500;
constexpr size_t kFilesMax = 500;

std::string simple_name(const iceberg::Type& type) {
  using Kind = iceberg::TypeKind;
  switch (type.kind) {
    case Kind::kBoolean: return "BOOLEAN";
    case Kind::kInt: return "INTEGER";
    case Kind::kLong: return "BIGINT";
    case Kind::kFloat: return "FLOAT";
    case Kind::kDouble: return "DOUBLE";
    case Kind::kDecimal: return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case Kind::kDate: return "DATE";
    case Kind::kTime: return "TIME";
    case Kind::kTimestamp: return "TIMESTAMP";
    case Kind::kTimestampTz: return "TIMESTAMP WITH TIME ZONE";
    case Kind::kTimestampNs: return "TIMESTAMP_NS";
    case Kind::kTimestampTzNs: return "TIMESTAMP WITH TIME ZONE";
    case Kind::kString: return "VARCHAR";
    case Kind::kUuid: return "UUID";
    case Kind::kFixed:
    case Kind::kBinary: return "BLOB";
    case Kind::kStruct: {
      std::string fields;
      for (const auto& field : type.fields)
        fields += fmt::format("{}{} {}", fields.empty() ? "" : ", ", field.name, simple_name(field.type));
      return "STRUCT(" + fields + ")";
    }
    case Kind::kList: return simple_name(type.fields.at(0).type) + "[]";
    case Kind::kMap:
      return fmt::format("MAP({}, {})", simple_name(type.fields.at(0).type),
                         simple_name(type.fields.at(1).type));
  }
  return "";
}

// A whole number from a snapshot's summary; null when it is not told.
Json count_of(const iceberg::Snapshot* snapshot, const std::string& key) {
  const auto text = snapshot == nullptr ? std::string() : snapshot->summary_value(key);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || text.size() > 18)
    return {};
  return std::stoll(text);
}

// Each lake version in which the table changed, with the snapshot that it made, where the newest document
// still has it. Both carry the commit's time, the snapshot in milliseconds.
Json versions_of(const std::vector<TableMoment>& moments, const iceberg::TableMetadata& metadata) {
  std::map<int64_t, const iceberg::Snapshot*> by_time;
  for (const auto& snapshot : metadata.snapshots)
    by_time[snapshot.timestamp_ms] = &snapshot;
  Json versions = Json::array();
  for (const auto& moment : moments) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(moment.time.time_since_epoch()).count();
    const auto found = by_time.find(ms);
    const auto* snapshot = found == by_time.end() ? nullptr : found->second;
    versions.push_back(
        {{"lake_version", moment.lake_version},
         {"at", format_utc(moment.time)},
         {"snapshot_id", snapshot == nullptr ? Json() : Json(std::to_string(snapshot->snapshot_id))},
         {"operation", snapshot == nullptr ? "" : snapshot->summary_value("operation")},
         {"rows_added", count_of(snapshot, "added-records")},
         {"rows_deleted", count_of(snapshot, "deleted-records")},
         {"rows", count_of(snapshot, "total-records")},
         {"bytes", count_of(snapshot, "total-files-size")}});
  }
  return versions;
}

Json files_of(const engine::ScanPlan& plan, const std::string& location) {
  Json files = Json::array();
  for (size_t i = 0; i < plan.files.size() && i < kFilesMax; ++i) {
    const auto& scanned = plan.files[i];
    const auto& path = scanned.file.path;
    files.push_back({{"path", path.starts_with(location) ? path.substr(location.size() + 1) : path},
                     {"rows", scanned.file.record_count},
                     {"bytes", scanned.file.file_size_bytes},
                     {"sequence_number", scanned.sequence_number},
                     {"deletes", scanned.deletes.size()}});
  }
  return files;
}

Json columns_of(const iceberg::TableMetadata& metadata) {
  const auto& schema = metadata.schema();
  Json columns = Json::array();
  for (const auto& field : schema.fields) {
    const bool is_key = std::find(schema.identifier_field_ids.begin(), schema.identifier_field_ids.end(),
                                  field.id) != schema.identifier_field_ids.end();
    columns.push_back({{"name", field.name},
                       {"type", shown_type(metadata, field)},
                       {"required", field.required},
                       {"key", is_key},
                       {"comment", field.doc.value_or("")}});
  }
  return columns;
}

// The table's newest document knows the most snapshots; of a table that is gone this one has to do.
Result<std::shared_ptr<const iceberg::TableMetadata>> newest_metadata(Insight& insight,
                                                                      const engine::LakeTable& table) {
  TARN_TRY(const auto head, insight.lake().head());
  for (const auto& [folded, schema] : head->schemas) {
    for (const auto& [name, other] : schema->tables) {
      if (other->uuid() == table.uuid())
        return other->metadata();
    }
  }
  return table.metadata();
}

Status add_table(Insight& insight, const engine::LakeTable& table, Json& detail) {
  TARN_TRY(const auto metadata, table.metadata());
  const auto* snapshot = metadata->current_snapshot();
  const auto comment = metadata->properties.find("comment");
  detail["kind"] = "table";
  detail["comment"] = comment == metadata->properties.end() ? "" : comment->second;
  detail["columns"] = columns_of(*metadata);
  detail["location"] = metadata->location;
  detail["metadata_location"] = table.metadata_location();
  detail["format_version"] = metadata->format_version;
  TARN_TRY(const auto moments, insight.table_history(table.uuid(), kMomentsMax));
  TARN_TRY(const auto newest, newest_metadata(insight, table));
  detail["versions"] = versions_of(moments, *newest);
  engine::ScanPlan plan;
  if (snapshot != nullptr) {
    TARN_TRY(plan, insight.lake().plan(*metadata, snapshot->snapshot_id, {}));
  }
  int64_t rows = 0, bytes = 0;
  for (const auto& scanned : plan.files) {
    rows += scanned.file.record_count;
    bytes += scanned.file.file_size_bytes;
    for (const auto& deletes : scanned.deletes)
      rows -= deletes.record_count;
  }
  detail["rows"] = rows;
  detail["bytes"] = bytes;
  detail["file_count"] = plan.files.size();
  detail["files"] = files_of(plan, metadata->location);
  detail["changed_at"] = moments.empty() ? Json() : Json(format_utc(moments.front().time));
  return ok();
}

void add_view(const engine::LakeView& view, Json& detail) {
  detail["kind"] = "view";
  detail["comment"] = view.comment;
  detail["sql"] = view.sql;
  detail["columns"] = Json::array();
  for (const auto& column : view.columns) {
    detail["columns"].push_back({{"name", column.name},
                                 {"type", column.type},
                                 {"required", false},
                                 {"key", false},
                                 {"comment", column.comment}});
  }
}

Status add_users(Insight& insight, Json& detail) {
  TARN_TRY(const auto users,
           flow::users_of(insight.records(), text_of(detail, "schema") + "." + text_of(detail, "name")));
  detail["written_by"] = detail["read_by"] = Json::array();
  for (const auto& user : users) {
    detail[user.written ? "written_by" : "read_by"].push_back(
        {{"task", user.task}, {"kind", user.kind}, {"run", user.run_id}});
  }
  return ok();
}

}  // namespace

std::string shown_type(const iceberg::TableMetadata& metadata, const iceberg::Field& field) {
  const auto declared = metadata.properties.find(fmt::format("tarn.column.{}.type", field.id));
  return declared == metadata.properties.end() ? simple_name(field.type) : declared->second;
}

Result<Json> table_detail(Insight& insight, const engine::TableName& name, std::optional<Timestamp> as_of) {
  TARN_TRY(const auto version, as_of ? insight.lake().at_time(*as_of) : insight.lake().head());
  const auto schema = version->schemas.find(engine::fold(name.schema));
  Json detail = {{"lake_version", version->number}, {"lake_time", format_utc(version->time)}};
  if (schema != version->schemas.end()) {
    const auto table = schema->second->tables.find(engine::fold(name.name));
    const auto view = schema->second->views.find(engine::fold(name.name));
    detail["schema"] = schema->second->name;
    if (table != schema->second->tables.end()) {
      detail["name"] = table->second->name().name;
      TARN_CHECK(add_table(insight, *table->second, detail));
      TARN_CHECK(add_users(insight, detail));
      return detail;
    }
    if (view != schema->second->views.end()) {
      detail["name"] = view->second->name.name;
      add_view(*view->second, detail);
      TARN_CHECK(add_users(insight, detail));
      return detail;
    }
  }
  return Error{Code::kNotFound, fmt::format("there is no table or view {}.{}{}", name.schema, name.name,
                                            as_of ? " at " + format_utc(*as_of) : std::string())};
}

}  // namespace tarn::serve
