#include <fmt/format.h>

#include "serve/iceberg/api.h"

namespace tarn::serve {
namespace {

using engine::TableChange;
using rest::Answer;
using rest::Subject;

// The table that a repeated creation has made: the same UUID under the same name.
bool is_made(const iceberg::TableCommit& commit, const engine::LakeTable* table) {
  for (const auto& update : commit.updates) {
    if (const auto* assigned = std::get_if<iceberg::AssignUuid>(&update))
      return table != nullptr && table->uuid() == assigned->uuid;
  }
  return false;
}

}  // namespace

// kNotFound: there is no such table, or none that may be seen.
Result<TableChange> IcebergApi::change_of(const engine::LakeVersion& version,
                                          const rest::TableCommitRequest& request) {
  const auto& name = *request.name;
  const auto table = find_table(version, name);
  if (request.commit->creates()) {
    if (table != nullptr && !is_made(*request.commit, table.get()))
      return Error{Code::kConflict, "Requirement failed: table already exists"};
    if (table == nullptr)
      return creation(name, request.commit);
  }
  if (table == nullptr)
    return Error{Code::kNotFound, fmt::format("Table does not exist: {}.{}", name.schema, name.name)};
  TableChange change{.kind = TableChange::Kind::kUpdate, .name = table->name(), .uuid = table->uuid()};
  // A creation that was applied already changes nothing: its answer was lost.
  change.outside =
      request.commit->creates() ? std::make_shared<const iceberg::TableCommit>() : request.commit;
  return change;
}

Answer IcebergApi::commit_table(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kTable);
  auto asked = rest::commit_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kTable);
  asked->name = engine::TableName{call.route.space, call.route.name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  if (asked->commit->creates() && find_table(**version, *asked->name) == nullptr) {
    if (auto taken = name_taken(**version, *asked->name, false))
      return std::move(*taken);
  }
  auto change = change_of(**version, *asked);
  return change ? commit_change(call, std::move(*change), true)
                : rest::answer_error(change.error(), Subject::kTable);
}

Answer IcebergApi::commit_change(const Call& call, TableChange change, bool by_body) {
  const auto uuid = change.uuid;
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.repeatable.by_body = by_body;
  request.tables.push_back(std::move(change));
  const auto done = lake_.commit(std::move(request));
  if (!done)
    return rest::answer_error(done.error(), Subject::kTable);
  const auto location = done->metadata_locations.find(uuid);
  if (location == done->metadata_locations.end())
    return rest::answer_error(500, "CommitStateUnknownException", "the commit did not say what it has made");
  return document(location->second, call, Subject::kTable);
}

Answer IcebergApi::commit_transaction(const Call& call) {
  if (call.done)
    return rest::answer_empty();
  const auto changes = rest::transaction_of(call.body);
  if (!changes)
    return rest::answer_error(changes.error(), Subject::kTable);
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.repeatable.by_body = true;
  for (const auto& asked : *changes) {
    if (auto refused = refuse_system(asked.name->schema))
      return std::move(*refused);
    auto change = change_of(**version, asked);
    if (!change)
      return rest::answer_error(change.error(), Subject::kTable);
    request.tables.push_back(std::move(*change));
  }
  if (request.tables.empty())
    return rest::answer_empty();
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kTable);
}

}  // namespace tarn::serve
