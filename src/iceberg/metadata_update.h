// Changes of a table's definition: a new table, schemas, partition specs, sort orders, properties. All pure:
// each takes a document and gives the next one. Snapshots are made by snapshot_builder.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/metadata.h"

namespace tarn::iceberg {

// A partition or sort field as a user asks for it: a column of the schema and a transform.
struct PartitionRequest {
  std::string column;  // a top-level column
  Transform transform;
  std::string name;  // empty: made from column and transform, as Java does ("day_at": "at_day")
};

struct NewTable {
  std::string uuid;
  std::string location;       // may be empty until the catalog chooses it
  std::vector<Field> fields;  // ids of any value; they are given anew from 1
  std::vector<std::string> identifier_columns;
  std::vector<PartitionRequest> partitions;
  std::map<std::string, std::string> properties;
  int64_t now_ms = 0;
};

// The first version of a table: schema 0, spec 0, sort order 0, no snapshot.
Result<TableMetadata> new_table(const NewTable& request);

// Makes `schema` current. Its fields carry ids: known ones keep their field, new ones lie above
// last_column_id. A schema that was there before is used again, else it gets the next schema id. Fields of a
// known id may be renamed, moved, widened and made optional, nothing else.
Result<TableMetadata> with_schema(const TableMetadata& base, Schema schema);

// Replaces the schema altogether (CREATE OR REPLACE), to go with the removal of all files. A column of the
// same name and type keeps its id, so that replacing a table by itself every hour does not pile up schemas;
// others get new ones. Partitions and sort order are taken off.
Result<TableMetadata> with_replaced_schema(const TableMetadata& base, std::vector<Field> fields,
                                           const std::vector<std::string>& identifier_columns);

// Makes a spec of these fields the default one; fields that an older spec had keep their field ids.
Result<TableMetadata> with_partitions(const TableMetadata& base,
                                      const std::vector<PartitionRequest>& requests);

TableMetadata with_properties(const TableMetadata& base, const std::map<std::string, std::string>& set,
                              const std::vector<std::string>& removed);

// Schemas, specs, sort orders, properties and location are the same: nobody changed the definition in
// between.
bool same_definition(const TableMetadata& a, const TableMetadata& b);
// Schemas, specs and sort orders alone.
bool same_layout(const TableMetadata& a, const TableMetadata& b);

// `head` with the definition of `changed`, keeping head's snapshots: how a change of definition is put on top
// of data commits that came in between. Ids never go back.
TableMetadata with_definition_of(const TableMetadata& head, const TableMetadata& changed);

// Sets last-updated-ms and notes the file of the version before in the metadata log, which keeps at most
// write.metadata.previous-versions-max (100) entries. `base_location` is empty for a new table.
void finish_version(TableMetadata& next, const TableMetadata* base, const std::string& base_location,
                    int64_t now_ms);

// Alterations of a schema, to be followed by with_schema. `path` names a column: {"a"}, or {"a", "b"} for a
// field of a struct; lists and maps are stepped into by "element", "key", "value". New ids come from
// `last_column_id`.
Status add_field(Schema& schema, const std::vector<std::string>& parent, Field field, int& last_column_id);
Status drop_field(Schema& schema, const std::vector<std::string>& path);
Status rename_field(Schema& schema, const std::vector<std::string>& path, const std::string& new_name);
Status widen_field(Schema& schema, const std::vector<std::string>& path, const Type& type);
Status set_field_doc(Schema& schema, const std::vector<std::string>& path, std::optional<std::string> doc);
Status make_field_optional(Schema& schema, const std::vector<std::string>& path);

}  // namespace tarn::iceberg
