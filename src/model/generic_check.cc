#include "model/generic_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "model/jinja/text.h"
#include "session/session.h"

namespace tarn::model {
namespace {

using jinja::Value;

const Value* argument(const DataTest& test, std::string_view name) {
  for (const auto& [key, value] : test.arguments) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

// "ref('x')" and "source('a', 'b')" in YAML stand without braces; they give a relation.
Result<Value> resolved(const ModelProject& project, const RenderRequest& request, const DataTest& test,
                       const Value& value, Diagnostic& mistake) {
  const auto* text = value.as<std::string>();
  if (text == nullptr) {
    return value;
  }
  std::string trimmed = jinja::strip(*text, " ", true, true);
  bool call = trimmed.starts_with("ref(") || trimmed.starts_with("source(") || trimmed.starts_with("var(");
  if (!call) {
    return value;
  }
  auto parsed = jinja::parse_template(test.place.file, "{{ " + trimmed + " }}", mistake);
  if (parsed) {
    auto rendered = render(project, **parsed, request, mistake);
    if (rendered) {
      return Value(rendered->text);
    }
  }
  mistake.place = test.place;  // within the YAML's own line the template's column says nothing
  return Error{Code::kInvalid, to_string(mistake)};
}

std::string column_sql(const std::string& column) {
  bool plain = column.find_first_of(" ()'\"+-*/|,") == std::string::npos;
  return plain ? session::quote_identifier(column) : column;
}

std::string literal(const Value& value, bool quote) {
  return quote && value.as<bool>() == nullptr ? session::quote_literal(value.text()) : value.text();
}

std::string unique_sql(const std::string& relation, const std::string& column) {
  return fmt::format(
      "select {0} as unique_field, count(*) as n_records from {1} where {0} is not null\n"
      "group by {0} having count(*) > 1",
      column, relation);
}

std::string accepted_sql(const std::string& relation, const std::string& column, const DataTest& test) {
  const Value* values = argument(test, "values");
  const Value* quote = argument(test, "quote");
  std::vector<std::string> allowed;
  for (const Value& one : *values->items()) {
    allowed.push_back(literal(one, quote == nullptr || quote->truthy()));
  }
  return fmt::format(
      "select value_field, n_records from (\n  select {0} as value_field, count(*) as n_records from {1}"
      " group by {0}\n) where value_field not in ({2})",
      column, relation, fmt::join(allowed, ", "));
}

std::string relationships_sql(const std::string& relation, const std::string& column, const std::string& to,
                              const std::string& field) {
  return fmt::format(
      "select child.from_field from (select {} as from_field from {}) child\n"
      "left join (select {} as to_field from {}) parent on child.from_field = parent.to_field\n"
      "where child.from_field is not null and parent.to_field is null",
      column, relation, field, to);
}

const std::vector<std::string>& builtin_tests() {
  static const std::vector<std::string> kNames = {"unique", "not_null", "accepted_values", "relationships"};
  return kNames;
}

}  // namespace

Result<std::string> generic_test_sql(const ModelProject& project, const DataTest& test,
                                     const RenderRequest& request, Diagnostic& mistake) {
  const Node* on = project.find(test.on);
  std::string relation =
      on != nullptr ? session::quote_name(on->table) : quote_table(test.table, test.database);
  if (on != nullptr && on->config.materialized == "ephemeral") {
    relation = "__dbt__cte__" + on->name;
  }
  if (on != nullptr && request.reads != nullptr) {
    request.reads->refs.push_back(on->name);
  } else if (on == nullptr && request.reads != nullptr && test.database.empty()) {
    request.reads->tables.push_back(test.table);
  }
  if (!test.config.where.empty()) {
    relation = fmt::format("(select * from {} where {}\n) dbt_subquery", relation, test.config.where);
  }
  std::string column = column_sql(test.column);
  auto macro = project.macros.find("test_" + test.generic);
  if (macro != project.macros.end()) {
    jinja::Arguments arguments;
    arguments.named.emplace_back("model", Value(relation));
    if (!test.column.empty()) {
      arguments.named.emplace_back("column_name", Value(test.column));
    }
    for (const auto& [key, value] : test.arguments) {
      if (key != "column_name") {
        TARN_TRY(Value given, resolved(project, request, test, value, mistake));
        arguments.named.emplace_back(key, std::move(given));
      }
    }
    TARN_TRY(Value sql, call_macro(project, "test_" + test.generic, arguments, request, mistake));
    return sql.text();
  }
  if (test.generic == "unique") {
    return unique_sql(relation, column);
  }
  if (test.generic == "not_null") {
    return fmt::format("select * from {} where {} is null", relation, column);
  }
  if (test.generic == "accepted_values") {
    return accepted_sql(relation, column, test);
  }
  const Value* field = argument(test, "field");
  TARN_TRY(Value to, resolved(project, request, test, *argument(test, "to"), mistake));
  return relationships_sql(relation, column, to.text(), column_sql(field->text()));
}

bool is_generic_test(const ModelProject& project, const std::string& name, std::vector<std::string>& known) {
  known = builtin_tests();
  for (const auto& entry : project.macros) {
    if (entry.first.starts_with("test_")) {
      known.push_back(entry.first.substr(5));
    }
  }
  return std::find(known.begin(), known.end(), name) != known.end();
}

void check_arguments(const ModelProject& project, const DataTest& test, Diagnostics& diagnostics) {
  if (project.macros.contains("test_" + test.generic)) {
    return;  // the macro itself says what it lacks
  }
  static const std::map<std::string, std::vector<std::string>> kNeeded = {
      {"unique", {}}, {"not_null", {}}, {"accepted_values", {"values"}}, {"relationships", {"to", "field"}}};
  std::vector<std::string> known = kNeeded.at(test.generic);
  for (const std::string& name : known) {
    if (argument(test, name) == nullptr) {
      diagnostics.push_back({test.place, fmt::format("the test '{}' needs '{}'", test.generic, name)});
    }
  }
  known.emplace_back("column_name");
  if (test.generic == "accepted_values") {
    known.emplace_back("quote");
    const Value* values = argument(test, "values");
    if (values != nullptr && (values->items() == nullptr || values->items()->empty())) {
      diagnostics.push_back({test.place, "'values' of accepted_values must be a list, such as [a, b]"});
    }
  }
  for (const auto& [key, value] : test.arguments) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      std::string near = codec::nearest(key, known);
      diagnostics.push_back(
          {test.place, fmt::format("the test '{}' has no argument '{}'{}", test.generic, key,
                                   near.empty() ? "" : fmt::format(": did you mean '{}'?", near))});
    }
  }
  if (test.column.empty()) {
    diagnostics.push_back(
        {test.place,
         fmt::format("the test '{}' needs a column: put it under 'columns:', or write column_name",
                     test.generic)});
  }
}

}  // namespace tarn::model
