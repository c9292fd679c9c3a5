// Iceberg's REST protocol without sockets and without a catalog: paths to operations, bodies to requests, and
// names back to JSON. Never throws; what a client sent wrong is kInvalid.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/lake_catalog.h"
#include "iceberg/metadata.h"
#include "iceberg/table_commit.h"
#include "iceberg/view_metadata.h"
#include "serve/http/json.h"

namespace tarn::serve::rest {

enum class Operation {
  kConfig,
  kToken,
  kListNamespaces,
  kCreateNamespace,
  kLoadNamespace,
  kNamespaceExists,
  kDropNamespace,
  kUpdateNamespace,
  kListTables,
  kCreateTable,
  kLoadTable,
  kTableExists,
  kCommitTable,
  kDropTable,
  kUnregisterTable,
  kLoadCredentials,
  kRegisterTable,
  kReportMetrics,
  kRenameTable,
  kCommitTransaction,
  kListViews,
  kCreateView,
  kLoadView,
  kViewExists,
  kReplaceView,
  kDropView,
  kRegisterView,
  kRenameView,
};

struct Route {
  Operation operation = Operation::kConfig;
  std::string space;  // the namespace, its levels joined by dots; empty where there is none
  std::string name;   // of a table or view
};

// `path` as it was sent, from "/v1" on. kNotFound: there is no such path; kUnsupported: not by this method.
Result<Route> route_of(std::string_view method, std::string_view path);

// "GET /v1/{prefix}/namespaces" and so on: all that is answered but config and tokens.
std::vector<std::string> endpoints();

// Levels in a text are separated by 0x1F (the text is decoded). No level is empty or has a dot.
Result<std::string> namespace_of_text(std::string_view text);
Result<std::string> namespace_of(const Json& levels);
std::vector<std::string> levels_of(const std::string& space);
Json identifier(const engine::TableName& name);
Result<engine::TableName> name_of(const Json& identifier);

// The body as an object of bounded depth.
Result<Json> object_of(std::string_view body);
Result<std::map<std::string, std::string>> properties_of(const Json& body, const char* name);

struct NamespaceUpdate {
  std::vector<std::string> removals;
  std::map<std::string, std::string> updates;
};
// kFailed: a key is both set and removed.
Result<NamespaceUpdate> namespace_update_of(const Json& body);

struct NewTableRequest {
  std::string name;
  std::string location;  // may be empty
  bool is_staged = false;
  std::vector<iceberg::TableUpdate> updates;  // that make it; without a UUID and a location
};
// Columns, partition fields and sort fields get ids of their own, as for every new table.
Result<NewTableRequest> new_table_of(const Json& body);

struct RegisterRequest {
  std::string name;
  std::string metadata_location;
  bool overwrites = false;
};
Result<RegisterRequest> register_of(const Json& body);

struct RenameRequest {
  engine::TableName from, to;
};
Result<RenameRequest> rename_of(const Json& body);

struct TableCommitRequest {
  std::optional<engine::TableName> name;
  std::shared_ptr<const iceberg::TableCommit> commit;
};
Result<TableCommitRequest> commit_of(const Json& body);
// Of {"table-changes": [...]}: each has a name.
Result<std::vector<TableCommitRequest>> transaction_of(const Json& body);

struct NewViewRequest {
  std::string name;
  iceberg::ViewCommit commit;  // that makes it; without a UUID
};
Result<NewViewRequest> new_view_of(const Json& body);
Result<iceberg::ViewCommit> view_commit_of(const Json& body);

// "file:/p" and "/p" as "file:///p"; other schemes as they are.
std::string plain_location(std::string location);

// One page of a sorted list of names: those after `token`, and the token of the next page, or "".
struct Page {
  std::vector<std::string> names;
  std::string next;
};
Result<Page> page_of(const std::vector<std::string>& names, const std::map<std::string, std::string>& query);

}  // namespace tarn::serve::rest
