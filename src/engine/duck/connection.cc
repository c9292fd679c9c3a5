#include "engine/duck/connection.h"

#include "engine/duck/errors.h"
#include "engine/duck/lake/attach.h"
#include "engine/duck/result_stream.h"

namespace tarn::engine {
namespace {

duckdb::Value to_value(duckdb::ClientContext& context, const Parameter& parameter) {
  auto type = duckdb::TransformStringToLogicalType(parameter.type, context);
  if (parameter.list) {
    duckdb::vector<duckdb::Value> values;
    for (const auto& text : *parameter.list) {
      values.push_back(duckdb::Value(text).CastAs(context, type));
    }
    return duckdb::Value::LIST(type, std::move(values));
  }
  if (!parameter.text) {
    return duckdb::Value(type);
  }
  duckdb::Value value(*parameter.text);
  return type.id() == duckdb::LogicalTypeId::VARCHAR ? value : value.CastAs(context, type);
}

class DuckConnection : public Connection {
 public:
  DuckConnection(duckdb::DuckDB& database, bool has_lake)
      : connection_(database), state_(LakeClientState::of(*connection_.context)), has_lake_(has_lake) {}

  Result<std::unique_ptr<ResultStream>> query(std::string_view sql,
                                              std::span<const Parameter> parameters) override {
    try {
      std::string text(sql);
      auto statements = connection_.context->ParseStatements(text);
      if (statements.empty()) {
        return Error{Code::kInvalid, "there is no statement in this text"};
      }
      // One statement of the user may stand for several of DuckDB's (PIVOT); only the last has rows.
      for (size_t i = 0; i + 1 < statements.size(); ++i) {
        TARN_CHECK(run(std::move(statements[i]), sql));
      }
      bool prepares = statements.back()->type == duckdb::StatementType::PREPARE_STATEMENT;
      auto pending = start(std::move(statements.back()), parameters);
      if (pending->HasError()) {
        return to_error(pending->GetErrorObject(), sql);
      }
      auto result = pending->Execute();
      if (result->HasError()) {
        return to_error(result->GetErrorObject(), sql);
      }
      if (prepares) {
        bind_prepared_anew();
      }
      return make_stream(connection_.context, std::move(result), std::move(text));
    } catch (const std::exception& exception) {
      return to_error(exception, sql);
    }
  }

  Result<int64_t> execute(std::string_view sql) override {
    try {
      int64_t rows = 0;
      for (auto& statement : connection_.context->ParseStatements(std::string(sql))) {
        TARN_TRY(rows, run(std::move(statement), sql));
      }
      return rows;
    } catch (const std::exception& exception) {
      return to_error(exception, sql);
    }
  }

  Result<std::vector<Column>> describe(std::string_view sql) override {
    try {
      auto statement = connection_.Prepare(std::string(sql));
      if (statement->HasError()) {
        return to_error(statement->error, sql);
      }
      if (statement->GetStatementProperties().return_type != duckdb::StatementReturnType::QUERY_RESULT) {
        return Error{Code::kInvalid, "this statement returns no rows: write a SELECT"};
      }
      return columns_of(statement->GetNames(), statement->GetTypes());
    } catch (const std::exception& exception) {
      return to_error(exception, sql);
    }
  }

  Result<std::vector<Column>> describe(std::string_view sql, std::span<const Parameter> parameters) override {
    try {
      auto statements = connection_.context->ParseStatements(std::string(sql));
      if (statements.size() != 1) {
        return Error{Code::kInvalid, "this text must be one statement"};
      }
      auto pending = start(std::move(statements.back()), parameters);
      if (pending->HasError()) {
        return to_error(pending->GetErrorObject(), sql);
      }
      auto columns = columns_of(pending->names, pending->types);
      pending->Close();
      return columns;
    } catch (const std::exception& exception) {
      return to_error(exception, sql);
    }
  }

  void interrupt() override { connection_.Interrupt(); }
  bool forbid_commits() override { return state_->commits.forbid(); }

  [[nodiscard]] bool in_transaction() const override {
    return !connection_.context->transaction.IsAutoCommit();
  }

  void set_principal(Principal principal) override { state_->principal = std::move(principal); }

  Status set_as_of(std::optional<Timestamp> time) override {
    if (in_transaction()) {
      return Error{Code::kInvalid,
                   "the as-of time cannot change inside a transaction: COMMIT or ROLLBACK first"};
    }
    state_->as_of = time;
    return ok();
  }

  Status set_commit_note(CommitNote note) override {
    bool writes = !note.token.empty() || !note.cursors.empty();
    state_->note = std::move(note);
    state_->last_commit.reset();
    if (!writes || !in_transaction() || !has_lake_) {
      return ok();
    }
    return in_lake([&] {  // DuckDB commits only the databases that the transaction touched
      auto& catalog = duckdb::Catalog::GetCatalog(*connection_.context, kLakeDatabase);
      duckdb::Transaction::Get(*connection_.context, catalog.GetAttached());
      return ok();
    });
  }
  [[nodiscard]] std::optional<CommitOutcome> last_commit() const override { return state_->last_commit; }

  Status remove_files(const TableName& table, const std::vector<std::string>& paths) override {
    return in_lake([&] { return engine::remove_files(*connection_.context, table, paths); });
  }

  Status remove_all_files(const TableName& table) override {
    return in_lake([&] { return engine::remove_all_files(*connection_.context, table); });
  }

 private:
  // DuckDB would answer EXECUTE from the old body of a view that was replaced meanwhile.
  void bind_prepared_anew() {
    for (auto& entry : duckdb::ClientData::Get(*connection_.context).prepared_statements) {
      entry.second->properties.always_require_rebind = true;
    }
  }

  // Runs `work`, which needs the transaction that is open here.
  template <class Work>
  Status in_lake(Work work) {
    if (!in_transaction()) {
      return Error{Code::kInvalid, "files can be taken out of a table only inside a transaction"};
    }
    try {
      Status status;
      connection_.context->RunFunctionInTransaction([&] { status = work(); });
      return status;
    } catch (const std::exception& exception) {
      return to_error(exception);
    }
  }

  duckdb::unique_ptr<duckdb::PendingQueryResult> start(duckdb::unique_ptr<duckdb::SQLStatement> statement,
                                                       std::span<const Parameter> parameters) {
    auto& context = *connection_.context;
    duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
    if (!parameters.empty()) {
      context.RunFunctionInTransaction([&] {  // names of types may need the catalog
        for (size_t i = 0; i < parameters.size(); ++i) {
          auto name = parameters[i].name.empty() ? std::to_string(i + 1) : parameters[i].name;
          if (!parameters[i].name.empty() && statement->named_param_map.count(name) == 0) {
            continue;  // one set of named parameters serves many statements
          }
          values[name] = duckdb::BoundParameterData(to_value(context, parameters[i]));
        }
      });
    }
    return context.PendingQuery(std::move(statement), values, duckdb::QueryResultOutputType::ALLOW_STREAMING);
  }

  Result<int64_t> run(duckdb::unique_ptr<duckdb::SQLStatement> statement, std::string_view sql) {
    auto result = connection_.context->Query(std::move(statement), duckdb::QueryParameters());
    if (result->HasError()) {
      return to_error(result->GetErrorObject(), sql);
    }
    auto changed = result->properties.return_type == duckdb::StatementReturnType::CHANGED_ROWS;
    return changed ? take_rows_changed(*result) : 0;
  }

  duckdb::Connection connection_;
  duckdb::shared_ptr<LakeClientState> state_;
  bool has_lake_;
};

}  // namespace

Result<std::unique_ptr<Connection>> make_connection(duckdb::DuckDB& database, bool has_lake) {
  try {
    auto connection = std::make_unique<DuckConnection>(database, has_lake);
    TARN_CHECK(connection->execute("SET errors_as_json = true"));  // keeps the position of an error
    if (has_lake) {
      TARN_CHECK(connection->execute(fmt::format("USE {}", kLakeDatabase)));
    }
    return connection;
  } catch (const std::exception& exception) {
    return to_error(exception);
  }
}

}  // namespace tarn::engine
