#include "engine/duck/lake/transaction.h"

#include <fmt/format.h>

#include "base/time.h"
#include "duckdb/common/random_engine.hpp"
#include "duckdb/planner/tableref/bound_at_clause.hpp"
#include "engine/duck/lake/lake_database.h"
#include "engine/duck/lake/lake_fs.h"
#include "engine/duck/lake/macro_entry.h"
#include "engine/duck/lake/table_entry.h"
#include "engine/duck/lake/view_entry.h"

namespace tarn::engine::lake {
namespace {

constexpr int kCommitsMax = 5;

bool is_conflict(const Result<CommitOutcome>& outcome) {
  return !outcome && outcome.error().code == Code::kConflict;
}

std::string random_tag(db::ClientContext& context) {
  auto& random = db::RandomEngine::Get(context);
  return fmt::format("{:08x}{:04x}", random.NextRandomInteger(), random.NextRandomInteger() & 0xffff);
}

}  // namespace

Transaction::Transaction(LakeDatabase& lake, db::TransactionManager& manager, db::ClientContext& context)
    : db::Transaction(manager, context),
      lake_(lake),
      tag_(random_tag(context)),
      begun_by_user_(!context.transaction.IsAutoCommit()) {}

Transaction::~Transaction() = default;

Transaction& Transaction::of(db::ClientContext& context, db::Catalog& catalog) {
  return db::Transaction::Get(context, catalog).Cast<Transaction>();
}

const std::shared_ptr<const LakeVersion>& Transaction::version() {
  if (!base_) {
    auto client = context.lock();
    auto as_of = client ? LakeClientState::of(*client)->as_of : std::nullopt;
    historic_ = as_of.has_value();
    base_ = value_or_throw(as_of ? lake_.service().at_time(*as_of) : lake_.service().head());
    working_ = base_;
  }
  return working_;
}

std::shared_ptr<const LakeVersion> Transaction::version_at(db::optional_ptr<db::BoundAtClause> at) {
  if (!at) {
    return version();
  }
  const std::string unit = db::StringUtil::Lower(at->Unit());
  const auto& value = at->GetValue();
  const std::string key = unit + "=" + value.ToString();
  auto& known = at_[key];
  if (known) {
    return known;
  }
  if (value.IsNull()) {
    throw_error({Code::kInvalid, fmt::format("AT ({} => NULL): write a number or a time", at->Unit())});
  }
  if (unit == "version") {
    const auto number = value.DefaultCastAs(db::LogicalType::BIGINT).GetValue<int64_t>();
    known = value_or_throw(lake_.service().at_version(number));
  } else if (unit == "timestamp") {
    const auto time = value.DefaultCastAs(db::LogicalType::TIMESTAMP_TZ).GetValueUnsafe<db::timestamp_t>();
    known = value_or_throw(lake_.service().at_time(Timestamp(std::chrono::microseconds(time.value))));
  } else {
    throw_error({Code::kInvalid,
                 fmt::format("AT ({} => …) is not known: write AT (VERSION => 7), the number of a lake "
                             "version, or AT (TIMESTAMP => …)",
                             at->Unit())});
  }
  return known;
}

uint64_t Transaction::state_number() {
  const auto& pinned = version();
  auto client = context.lock();
  const uint64_t who = client ? lake_.principal_number(LakeClientState::of(*client)->principal) : 0;
  if (local_state_ != 0) {
    return (uint64_t{1} << 62) + (local_state_ << 16) + who;
  }
  return (static_cast<uint64_t>(pinned->number) << 16) + who;
}

std::shared_ptr<const LakeTable> Transaction::find_table(const LakeVersion& version,
                                                         const std::string& schema, const std::string& name) {
  const auto found = version.schemas.find(fold(schema));
  if (found == version.schemas.end()) {
    return nullptr;
  }
  const auto table = found->second->tables.find(fold(name));
  return table == found->second->tables.end() ? nullptr : table->second;
}

db::optional_ptr<db::CatalogEntry> Transaction::table_entry(std::shared_ptr<const LakeTable> table,
                                                            bool historic) {
  auto& known = tables_[{table.get(), historic}];
  if (!known) {
    auto client = context.lock();
    known = lake_.make_table_entry(*client, std::move(table), historic);
  }
  return known.get();
}

db::optional_ptr<db::CatalogEntry> Transaction::view_entry(const std::shared_ptr<const LakeView>& view) {
  auto& known = views_[view.get()];
  if (!known) {
    auto client = context.lock();
    known = lake_.make_view_entry(*client, view);
  }
  return known.get();
}

db::CatalogEntry& Transaction::macro_entry(db::SchemaCatalogEntry& schema,
                                           const std::shared_ptr<const LakeMacro>& macro) {
  auto& known = macros_[macro];
  if (!known) {
    known = make_macro_entry(lake_, schema, *macro);
  }
  return *known;
}

void Transaction::need_writable() {
  version();
  if (historic_) {
    throw_error({Code::kInvalid,
                 "this session looks at the lake as of an earlier time, where nothing can be "
                 "changed: leave the as-of time out to write"});
  }
}

LakeVersion& Transaction::edit() {
  need_writable();
  local_state_ = lake_.next_local_state();
  if (!edited_) {
    edited_ = std::make_shared<LakeVersion>(*working_);
    working_ = edited_;
  }
  return *edited_;
}

// The schema is copied for every change: entries and plans may hold the former one.
LakeSchema& Transaction::edit_schema(const std::string& name) {
  auto& slot = edit().schemas.at(fold(name));
  auto copy = std::make_shared<LakeSchema>(*slot);
  slot = copy;
  return *copy;
}

void Transaction::put_schema(const std::string& name, std::map<std::string, std::string> properties) {
  auto& slot = edit().schemas[fold(name)];
  auto schema = slot ? std::make_shared<LakeSchema>(*slot) : std::make_shared<LakeSchema>();
  schema->name = name;
  schema->properties = std::move(properties);
  slot = schema;
}

void Transaction::drop_schema(const std::string& name) {
  edit().schemas.erase(fold(name));
}

void Transaction::put_table(const std::shared_ptr<const LakeTable>& table) {
  edit_schema(table->name().schema).tables[fold(table->name().name)] = table;
}

void Transaction::drop_table(const TableName& name) {
  auto& tables = edit_schema(name.schema).tables;
  const auto found = tables.find(fold(name.name));
  if (found != tables.end()) {
    files_.erase(found->second->uuid());
    tables.erase(found);
  }
}

void Transaction::put_view(LakeView view) {
  auto& schema = edit_schema(view.name.schema);
  const auto key = fold(view.name.name);
  schema.views[key] = std::make_shared<const LakeView>(std::move(view));
}

void Transaction::drop_view(const TableName& name) {
  edit_schema(name.schema).views.erase(fold(name.name));
}

void Transaction::put_macro(LakeMacro macro) {
  auto& schema = edit_schema(macro.name.schema);
  const auto key = fold(macro.name.name);
  schema.macros[key] = std::make_shared<const LakeMacro>(std::move(macro));
}

void Transaction::drop_macro(const TableName& name) {
  edit_schema(name.schema).macros.erase(fold(name.name));
}

FileChange& Transaction::change_files(const std::string& table_uuid) {
  need_writable();
  local_state_ = lake_.next_local_state();
  return files_[table_uuid];
}

void Transaction::take_out_rows(const std::string& table_uuid, RowsByFile rows) {
  if (rows.empty()) {
    return;
  }
  auto& out = change_files(table_uuid).rows_out;
  for (auto& [path, positions] : rows) {
    auto& known = out[path];
    if (known) {
      positions.add_all(*known);
    }
    known = std::make_shared<const Positions>(std::move(positions));
  }
}

const FileChange* Transaction::files_changed(const std::string& table_uuid) const {
  const auto found = files_.find(table_uuid);
  return found == files_.end() ? nullptr : &found->second;
}

TransactionManager::TransactionManager(db::AttachedDatabase& attached, LakeDatabase& lake)
    : db::TransactionManager(attached), lake_(lake) {}

db::Transaction& TransactionManager::StartTransaction(db::ClientContext& context) {
  auto transaction = std::make_unique<Transaction>(lake_, *this, context);
  auto& result = *transaction;
  const std::lock_guard lock(mutex_);
  transactions_[&result] = std::move(transaction);
  return result;
}

std::unique_ptr<Transaction> TransactionManager::take(db::Transaction& transaction) {
  const std::lock_guard lock(mutex_);
  auto node = transactions_.extract(&transaction);
  return node.empty() ? nullptr : std::move(node.mapped());
}

db::ErrorData TransactionManager::CommitTransaction(db::ClientContext& context,
                                                    db::Transaction& transaction) {
  auto taken = take(transaction);  // DuckDB does not call RollbackTransaction after a failure here
  auto state = LakeClientState::of(context);
  // A note without changes is committed by COMMIT only, not by a SELECT that happens to come first.
  if (!taken->changed() && !taken->begun_by_user()) {
    return {};
  }
  const CommitNote note = std::exchange(state->note, {});
  if (!taken->changed() && note.token.empty() && note.cursors.empty()) {
    return {};
  }
  auto deltas =
      taken->takes_out_rows() ? taken->write_row_deltas(context, taken->working_version()) : RowDeltas{};
  if (!deltas) {
    lake_.discard_files(taken->tag());
    return db::ErrorData(db::ExceptionType::TRANSACTION, coded_text(deltas.error()));
  }
  if (!state->commits.enter()) {
    lake_.discard_files(taken->tag());
    return db::ErrorData(db::ExceptionType::TRANSACTION,
                         coded_text(Error{Code::kCancelled, "the statement was stopped before its commit"}));
  }
  auto outcome = taken->commit(note, *deltas);
  if (is_conflict(outcome) && (taken->takes_out_rows() || taken->brings_keys())) {
    outcome = commit_on_head(context, *taken, note, std::move(*deltas), std::move(outcome));
  }
  state->commits.leave();
  if (!outcome) {
    // Only an answer that proves the commit did not happen frees the files; others stay as orphans.
    const Code code = outcome.error().code;
    if (code == Code::kIo || code == Code::kInternal || code == Code::kUnavailable ||
        code == Code::kTimeout) {
      lake_.keep_files(taken->tag());
    } else {
      lake_.discard_files(taken->tag());
    }
    return db::ErrorData(db::ExceptionType::TRANSACTION, coded_text(outcome.error()));
  }
  if (outcome->already_done) {
    lake_.discard_files(taken->tag());
  } else {
    lake_.keep_files(taken->tag());
  }
  state->last_commit = std::move(*outcome);
  return {};
}

// Others may have taken other rows out of the same files, or brought other keys: puts the rows of this
// transaction on top of theirs.
Result<CommitOutcome> TransactionManager::commit_on_head(db::ClientContext& context, Transaction& transaction,
                                                         const CommitNote& note, RowDeltas deltas,
                                                         Result<CommitOutcome> outcome) {
  for (int attempt = 1; attempt < kCommitsMax && is_conflict(outcome); ++attempt) {
    for (const auto& [uuid, delta] : deltas) {
      for (const auto& file : delta.deletes) {
        lake_.attachment().written->remove(path_of(file.path));
      }
    }
    deltas.clear();
    auto head = lake_.service().head();
    if (!head) {
      return outcome;
    }
    auto written = transaction.write_row_deltas(context, **head);
    if (written) {
      if (auto checked = transaction.check_keys(context, **head); !checked) {
        written = checked.error();
      }
    }
    if (!written) {
      // It is certain that nothing was committed, whatever failed.
      return Error{Code::kConflict, written.error().message};
    }
    deltas = std::move(*written);
    outcome = transaction.commit(note, deltas);
  }
  return outcome;
}

void TransactionManager::RollbackTransaction(db::Transaction& transaction) {
  auto taken = take(transaction);
  if (!taken) {
    return;
  }
  if (auto context = taken->context.lock()) {
    LakeClientState::of(*context)->note = {};
  }
  lake_.discard_files(taken->tag());
}

void TransactionManager::Checkpoint(db::ClientContext&, bool) {}

}  // namespace tarn::engine::lake
