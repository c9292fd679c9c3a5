// The statements around the queries: what kind each is, and what it names.
#include "duckdb/common/string_util.hpp"
#include "duckdb/function/scalar_macro_function.hpp"
#include "duckdb/function/table_macro_function.hpp"
#include "duckdb/parser/constraints/check_constraint.hpp"
#include "duckdb/parser/parsed_data/comment_on_column_info.hpp"
#include "duckdb/parser/parsed_data/create_index_info.hpp"
#include "duckdb/parser/parsed_data/create_macro_info.hpp"
#include "duckdb/parser/parsed_data/create_type_info.hpp"
#include "duckdb/parser/parsed_data/create_view_info.hpp"
#include "duckdb/parser/parsed_data/pragma_info.hpp"
#include "duckdb/parser/parsed_data/transaction_info.hpp"
#include "duckdb/parser/parsed_data/vacuum_info.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/statement/list.hpp"
#include "duckdb/parser/statement/multi_statement.hpp"
#include "engine/duck/facts_walker.h"

namespace tarn::engine {

using duckdb::StatementType;
using duckdb::StringUtil;

StatementKind FactsWalker::statement(duckdb::SQLStatement& statement) {
  switch (statement.type) {
    case StatementType::SELECT_STATEMENT:
      return select_statement(*statement.Cast<duckdb::SelectStatement>().node);
    case StatementType::INSERT_STATEMENT: return insert(statement.Cast<duckdb::InsertStatement>());
    case StatementType::UPDATE_STATEMENT: return update(statement);
    case StatementType::DELETE_STATEMENT: return remove(statement);
    case StatementType::MERGE_INTO_STATEMENT: return merge(statement.Cast<duckdb::MergeIntoStatement>());
    case StatementType::CREATE_STATEMENT: return create(*statement.Cast<duckdb::CreateStatement>().info);
    case StatementType::ALTER_STATEMENT: return alter(*statement.Cast<duckdb::AlterStatement>().info);
    case StatementType::DROP_STATEMENT: return drop(statement);
    case StatementType::COPY_STATEMENT: return copy(*statement.Cast<duckdb::CopyStatement>().info);
    case StatementType::TRANSACTION_STATEMENT: return transaction(statement);
    case StatementType::EXPLAIN_STATEMENT:
      return inner(*statement.Cast<duckdb::ExplainStatement>().stmt, StatementKind::kExplain);
    case StatementType::PREPARE_STATEMENT:
      return inner(*statement.Cast<duckdb::PrepareStatement>().statement, StatementKind::kPrepare);
    case StatementType::EXECUTE_STATEMENT:
      for (auto& entry : statement.Cast<duckdb::ExecuteStatement>().named_values) {
        maybe(entry.second);
      }
      return StatementKind::kExecute;
    case StatementType::SET_STATEMENT:
    case StatementType::VARIABLE_SET_STATEMENT: return set(statement);
    case StatementType::PRAGMA_STATEMENT: return pragma(statement);
    case StatementType::CALL_STATEMENT:
      table_function(*statement.Cast<duckdb::CallStatement>().function);
      return StatementKind::kCall;
    case StatementType::MULTI_STATEMENT: {  // one statement of the user (PIVOT); the last has the rows
      auto kind = StatementKind::kOther;
      for (auto& part : statement.Cast<duckdb::MultiStatement>().statements) {
        kind = this->statement(*part);
      }
      return kind;
    }
    case StatementType::ATTACH_STATEMENT: return StatementKind::kAttach;
    case StatementType::DETACH_STATEMENT: return StatementKind::kDetach;
    case StatementType::LOAD_STATEMENT:
    case StatementType::UPDATE_EXTENSIONS_STATEMENT: return StatementKind::kLoad;
    case StatementType::EXPORT_STATEMENT: return StatementKind::kExport;
    case StatementType::VACUUM_STATEMENT:
    case StatementType::ANALYZE_STATEMENT: return StatementKind::kVacuum;
    default: return StatementKind::kOther;
  }
}

StatementKind FactsWalker::inner(duckdb::SQLStatement& statement, StatementKind outer) {
  auto position = facts_.inner.size();
  facts_.inner.push_back(StatementKind::kOther);
  facts_.inner[position] = this->statement(statement);
  return outer;
}

StatementKind FactsWalker::select_statement(duckdb::QueryNode& node) {
  this->node(node);
  if (node.type == duckdb::QueryNodeType::SELECT_NODE) {
    auto& from = node.Cast<duckdb::SelectNode>().from_table;
    if (from && from->type == duckdb::TableReferenceType::SHOW_REF) {
      return StatementKind::kShow;
    }
  }
  return StatementKind::kSelect;
}

StatementKind FactsWalker::insert(duckdb::InsertStatement& insert) {
  Scope scope(*this);
  use_table(insert.catalog, insert.schema, insert.table, true,
            insert.table_ref ? insert.table_ref->query_location : duckdb::optional_idx());
  ctes(insert.cte_map);
  if (insert.select_statement) {
    node(*insert.select_statement->node);
  }
  all(insert.returning_list);
  if (insert.on_conflict_info) {
    maybe(insert.on_conflict_info->condition);
    if (insert.on_conflict_info->set_info) {
      set_info(*insert.on_conflict_info->set_info);
    }
  }
  return StatementKind::kInsert;
}

StatementKind FactsWalker::update(duckdb::SQLStatement& statement) {
  auto& update = statement.Cast<duckdb::UpdateStatement>();
  Scope scope(*this);
  target(*update.table);
  ctes(update.cte_map);
  if (update.from_table) {
    table(*update.from_table);
  }
  if (update.set_info) {
    set_info(*update.set_info);
  }
  all(update.returning_list);
  return StatementKind::kUpdate;
}

StatementKind FactsWalker::remove(duckdb::SQLStatement& statement) {
  auto& remove = statement.Cast<duckdb::DeleteStatement>();
  Scope scope(*this);
  target(*remove.table);
  ctes(remove.cte_map);
  for (auto& ref : remove.using_clauses) {
    table(*ref);
  }
  maybe(remove.condition);
  all(remove.returning_list);
  return StatementKind::kDelete;
}

StatementKind FactsWalker::merge(duckdb::MergeIntoStatement& merge) {
  Scope scope(*this);
  target(*merge.target);
  ctes(merge.cte_map);
  table(*merge.source);
  maybe(merge.join_condition);
  for (auto& entry : merge.actions) {
    for (auto& action : entry.second) {
      maybe(action->condition);
      all(action->expressions);
      if (action->update_info) {
        set_info(*action->update_info);
      }
    }
  }
  all(merge.returning_list);
  return StatementKind::kMerge;
}

StatementKind FactsWalker::create(duckdb::CreateInfo& info) {
  using duckdb::CatalogType;
  facts_.temporary |= info.temporary;
  switch (info.type) {
    case CatalogType::TABLE_ENTRY: return create_table(info.Cast<duckdb::CreateTableInfo>());
    case CatalogType::VIEW_ENTRY: {
      auto& view = info.Cast<duckdb::CreateViewInfo>();
      use_table(view.catalog, view.schema, view.view_name, true);
      if (view.query) {
        node(*view.query->node);
      }
      return StatementKind::kCreateView;
    }
    case CatalogType::SCHEMA_ENTRY:
      use_table(info.catalog, info.schema, "", true);
      return StatementKind::kCreateSchema;
    case CatalogType::MACRO_ENTRY:
    case CatalogType::TABLE_MACRO_ENTRY: return create_macro(info);
    case CatalogType::TYPE_ENTRY: {
      auto& made = info.Cast<duckdb::CreateTypeInfo>();
      type(made.type);
      if (made.query) {
        statement(*made.query);
      }
      return StatementKind::kCreateOther;
    }
    case CatalogType::INDEX_ENTRY: {
      auto& index = info.Cast<duckdb::CreateIndexInfo>();
      use_table(index.catalog, index.schema, index.table, true);
      all(index.expressions);
      all(index.parsed_expressions);
      return StatementKind::kCreateOther;
    }
    default: return StatementKind::kCreateOther;
  }
}

StatementKind FactsWalker::create_table(duckdb::CreateTableInfo& info) {
  use_table(info.catalog, info.schema, info.table, true);
  for (auto& column : info.columns.Logical()) {
    type(column.Type());
    if (column.Generated()) {
      expression(const_cast<duckdb::ParsedExpression&>(column.GeneratedExpression()));
    } else if (column.HasDefaultValue()) {
      expression(const_cast<duckdb::ParsedExpression&>(column.DefaultValue()));
    }
  }
  for (auto& constraint : info.constraints) {
    if (constraint->type == duckdb::ConstraintType::CHECK) {
      maybe(constraint->Cast<duckdb::CheckConstraint>().expression);
    }
  }
  // Not partition_keys: bucket(16, id) and day(at) are transforms of the table format, not functions.
  for (auto& entry : info.options) {
    maybe(entry.second);
  }
  if (info.query) {
    node(*info.query->node);
  }
  return StatementKind::kCreateTable;
}

StatementKind FactsWalker::create_macro(duckdb::CreateInfo& info) {
  auto& create = info.Cast<duckdb::CreateMacroInfo>();
  facts_.created = StringUtil::Lower(create.name);
  for (auto& macro : create.macros) {
    for (auto& entry : macro->default_parameters) {
      maybe(entry.second);
    }
    for (auto& parameter_type : macro->types) {
      type(parameter_type);
    }
    if (macro->type == duckdb::MacroType::SCALAR_MACRO) {
      maybe(macro->Cast<duckdb::ScalarMacroFunction>().expression);
    } else if (macro->type == duckdb::MacroType::TABLE_MACRO) {
      node(*macro->Cast<duckdb::TableMacroFunction>().query_node);
    }
  }
  return StatementKind::kCreateMacro;
}

StatementKind FactsWalker::alter(duckdb::AlterInfo& info) {
  using duckdb::AlterTableType;
  use_table(info.catalog, info.schema, info.name, true);
  switch (info.type) {
    case duckdb::AlterType::SET_COMMENT:
    case duckdb::AlterType::SET_COLUMN_COMMENT: return StatementKind::kComment;
    case duckdb::AlterType::ALTER_TABLE: break;
    case duckdb::AlterType::ALTER_VIEW: return StatementKind::kAlter;
    default: facts_.inner.push_back(StatementKind::kOther); return StatementKind::kAlter;
  }
  switch (info.Cast<duckdb::AlterTableInfo>().alter_table_type) {
    case AlterTableType::ADD_COLUMN: {
      auto& column = info.Cast<duckdb::AddColumnInfo>().new_column;
      type(column.Type());
      if (!column.Generated() && column.HasDefaultValue()) {
        expression(const_cast<duckdb::ParsedExpression&>(column.DefaultValue()));
      }
      break;
    }
    case AlterTableType::ALTER_COLUMN_TYPE: {
      auto& change = info.Cast<duckdb::ChangeColumnTypeInfo>();
      type(change.target_type);
      maybe(change.expression);
      break;
    }
    case AlterTableType::SET_DEFAULT: maybe(info.Cast<duckdb::SetDefaultInfo>().expression); break;
    case AlterTableType::SET_TABLE_OPTIONS:
      for (auto& entry : info.Cast<duckdb::SetTableOptionsInfo>().table_options) {
        maybe(entry.second);
      }
      break;
    default: break;
  }
  return StatementKind::kAlter;
}

StatementKind FactsWalker::drop(duckdb::SQLStatement& statement) {
  auto& info = *statement.Cast<duckdb::DropStatement>().info;
  switch (info.type) {
    case duckdb::CatalogType::PREPARED_STATEMENT: return StatementKind::kDeallocate;
    case duckdb::CatalogType::SCHEMA_ENTRY: use_table(info.catalog, info.name, "", true); break;
    case duckdb::CatalogType::TABLE_ENTRY:
    case duckdb::CatalogType::VIEW_ENTRY: use_table(info.catalog, info.schema, info.name, true); break;
    case duckdb::CatalogType::MACRO_ENTRY:
    case duckdb::CatalogType::TABLE_MACRO_ENTRY:
    case duckdb::CatalogType::TYPE_ENTRY: break;
    default: facts_.inner.push_back(StatementKind::kOther); break;  // secrets, sequences, ...
  }
  return StatementKind::kDrop;
}

StatementKind FactsWalker::copy(duckdb::CopyInfo& info) {
  if (info.select_statement) {
    node(*info.select_statement);
  } else {
    use_table(info.catalog, info.schema, info.table, info.is_from);
  }
  maybe(info.file_path_expression);
  for (auto& entry : info.parsed_options) {
    maybe(entry.second);
  }
  return info.is_from ? StatementKind::kCopyFrom : StatementKind::kCopyTo;
}

StatementKind FactsWalker::transaction(duckdb::SQLStatement& statement) {
  switch (statement.Cast<duckdb::TransactionStatement>().info->type) {
    case duckdb::TransactionType::BEGIN_TRANSACTION: facts_.transaction = "begin"; break;
    case duckdb::TransactionType::COMMIT: facts_.transaction = "commit"; break;
    case duckdb::TransactionType::ROLLBACK: facts_.transaction = "rollback"; break;
    default: return StatementKind::kOther;
  }
  return StatementKind::kTransaction;
}

StatementKind FactsWalker::pragma(duckdb::SQLStatement& statement) {
  auto& info = *statement.Cast<duckdb::PragmaStatement>().info;
  all(info.parameters);
  for (auto& entry : info.named_parameters) {
    maybe(entry.second);
  }
  return info.name == "import_database" ? StatementKind::kImport : StatementKind::kPragma;
}

StatementKind FactsWalker::set(duckdb::SQLStatement& statement) {
  auto& set = statement.Cast<duckdb::SetStatement>();
  bool has_value = set.set_type == duckdb::SetType::SET;
  if (has_value) {
    maybe(statement.Cast<duckdb::SetVariableStatement>().value);
  }
  bool use =
      has_value && StringUtil::CIEquals(set.name, "schema") && set.scope == duckdb::SetScope::AUTOMATIC;
  if (use && statement.Cast<duckdb::SetVariableStatement>().value) {
    facts_.used_schema = statement.Cast<duckdb::SetVariableStatement>().value->ToString();
  }
  return use ? StatementKind::kUse : StatementKind::kSet;
}

}  // namespace tarn::engine
