#include "flowfile/check.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codec/scalar_place.h"
#include "codec/text_distance.h"
#include "flowfile/statement.h"

namespace tarn::flowfile {
namespace {

using engine::StatementKind;

constexpr std::string_view kRowsFront = "SELECT * FROM (\n";
constexpr std::string_view kWhenFront = "SELECT (\n";

std::string near_or(const std::string& wrong, const std::vector<std::string>& known, std::string otherwise) {
  const auto near = codec::nearest(wrong, known);
  return near.empty() ? std::move(otherwise) : fmt::format("did you mean '{}'?", near);
}

class Checker {
 public:
  Checker(const Flows& flows, const FlowConfig& flow, session::Draft& draft, const Select& select,
          Diagnostics& found)
      : flows_(flows), flow_(flow), draft_(draft), select_(select), found_(found) {}

  void run() {
    for (const auto& parameter : flow_.parameters) {
      if (!parameter.choices_query.text.empty())
        (void)columns_of_rows(parameter.choices_query, "choices");
    }
    hide_what_is_made();
    for (const auto* task : in_order())
      check_task(*task);
  }

 private:
  using Columns = std::optional<std::vector<engine::Column>>;

  void tell(const Place& place, std::string message) { found_.push_back({place, std::move(message)}); }

  // Each after all that it comes after, so that columns of results are known.
  std::vector<const TaskConfig*> in_order() const {
    std::vector<const TaskConfig*> order;
    while (order.size() < flow_.tasks.size()) {
      for (const auto& task : flow_.tasks) {
        const auto placed = [&](std::string_view name) {
          return std::any_of(order.begin(), order.end(), [&](const auto* one) { return one->name == name; });
        };
        if (!placed(task.name) && std::all_of(task.after.begin(), task.after.end(),
                                              [&](const auto& before) { return placed(before.name); }))
          order.push_back(&task);
      }
    }
    return order;
  }

  // Tables that statements of the flow make are not known before they run.
  void hide_what_is_made() {
    for (const auto& task : flow_.tasks) {
      if (task.kind != Kind::kSql)
        continue;
      Diagnostic unused;
      const auto statement = compile_statement(flows_.models().get(), flow_.file, task.sql, unused);
      if (!statement)
        continue;
      for (const auto& part : statement->parts) {
        if (part.kind != StatementKind::kCreateTable && part.kind != StatementKind::kCreateView &&
            part.kind != StatementKind::kAlter)
          continue;
        for (const auto& table : part.tables) {
          if (table.write && (part.kind == StatementKind::kAlter || !is_in_lake(table)))
            draft_.hide({table.schema, table.name});
        }
      }
    }
  }

  [[nodiscard]] bool is_in_lake(const engine::TableUse& table) const {
    const auto name = engine::fold(table.schema);
    const auto schema = draft_.version().schemas.find(name.empty() || name == "main" ? "public" : name);
    return schema != draft_.version().schemas.end() &&
           schema->second->tables.contains(engine::fold(table.name));
  }

  // The draft has stand-ins for tables that a run will make, which cannot be written.
  [[nodiscard]] bool is_bound(const engine::StatementFacts& part) const {
    static constexpr StatementKind kKinds[] = {StatementKind::kSelect, StatementKind::kInsert,
                                               StatementKind::kUpdate, StatementKind::kDelete,
                                               StatementKind::kMerge};
    return std::find(std::begin(kKinds), std::end(kKinds), part.kind) != std::end(kKinds) &&
           !draft_.is_blind(part) &&
           std::all_of(part.tables.begin(), part.tables.end(),
                       [&](const auto& table) { return !table.write || is_in_lake(table); });
  }

  void check_task(const TaskConfig& task) {
    row_.reset();
    check_vars(task);
    check_when(task);
    if (!task.for_each.text.empty()) {
      row_ = columns_of_rows(task.for_each, "for_each");
      check_row_columns(task);
    }
    switch (task.kind) {
      case Kind::kRun: return check_selection(task);
      case Kind::kSql: return check_sql(task);
      case Kind::kReport: return check_report(task);
      case Kind::kScript: return check_script(task);
      case Kind::kHttp: return;
    }
  }

  void check_vars(const TaskConfig& task) {
    const auto& vars = flows_.project().vars;
    std::vector<std::string> names;
    for (const auto& [name, value] : vars)
      names.push_back(name);
    for_each_text(task, [&](const Text& text) {
      for (const auto& piece : text.pieces) {
        if (!piece.reference || piece.reference->kind != Reference::Kind::kVar ||
            vars.contains(piece.reference->name))
          continue;
        tell(place_of(text, *piece.reference),
             fmt::format("{} is not among the vars of tarn.yml: {}", piece.text,
                         near_or(piece.reference->name, names, "add it there")));
      }
    });
  }

  Place place_of(const Text& text, const Reference& reference) const {
    return codec::place_inside(flow_.file.text, text.place, text.text, reference.offset);
  }

  // ${row.x} in texts; in SQL the same is checked with the statement.
  void check_row_columns(const TaskConfig& task) {
    for_each_text(task, [&](const Text& text) {
      for (const auto& piece : text.pieces) {
        if (piece.reference && piece.reference->kind == Reference::Kind::kRow)
          (void)check_column(*piece.reference, place_of(text, *piece.reference));
      }
    });
  }

  bool check_column(const Reference& reference, const Place& place) {
    if (!row_)
      return true;
    std::vector<std::string> names;
    for (const auto& column : *row_) {
      if (engine::fold(column.name) == engine::fold(reference.field))
        return true;
      names.push_back(column.name);
    }
    tell(place,
         fmt::format("for_each has no column '{}': {}", reference.field,
                     near_or(reference.field, names, fmt::format("it has {}", fmt::join(names, ", ")))));
    return false;
  }

  // Parameters of the right types without values, where types are known.
  std::vector<engine::Parameter> blanks(const Statement& statement) {
    auto values = report::blank_values(flow_.parameters);
    for (const auto& reference : statement.references) {
      if (reference.kind == Reference::Kind::kParameter)
        continue;
      values.push_back({.text = std::nullopt, .type = type_of(reference), .name = parameter_name(reference)});
    }
    if (values.empty())
      values.push_back({.text = std::nullopt, .type = "VARCHAR", .name = "tarn_none"});
    return values;
  }

  std::string type_of(const Reference& reference) const {
    if (reference.kind == Reference::Kind::kRun)
      return "VARCHAR";
    const auto result = results_.find(reference.name);
    const auto* columns = reference.kind == Reference::Kind::kRow ? (row_ ? &*row_ : nullptr)
                          : result == results_.end()              ? nullptr
                                                                  : &result->second;
    if (columns == nullptr)
      return "NULL";
    for (const auto& column : *columns) {
      if (engine::fold(column.name) == engine::fold(reference.field))
        return type_as_bound(column.type);
    }
    return "NULL";
  }

  // As parameter_of() binds what row_json() makes of such a column.
  static std::string type_as_bound(const std::string& type) {
    if (type == "BOOLEAN" || type == "\"NULL\"")
      return type == "BOOLEAN" ? type : "NULL";
    if (type.ends_with("INT") || type == "INTEGER")
      return type == "HUGEINT" || type == "UHUGEINT" ? "DOUBLE" : "BIGINT";
    if (type == "DOUBLE" || type == "FLOAT" || type.starts_with("DECIMAL"))
      return "DOUBLE";
    return "VARCHAR";
  }

  // Of results whose fields are known, because a SELECT makes them.
  bool check_fields(const Statement& statement) {
    bool good = true;
    for (const auto& reference : statement.references) {
      const auto at = statement.query.text.find("$" + reference.shown());
      const auto place = codec::place_inside(flow_.file.text, statement.query.place, statement.query.text,
                                             at == std::string::npos ? 0 : at);
      if (reference.kind == Reference::Kind::kRow)
        good = check_column(reference, place) && good;
      const auto result = results_.find(reference.name);
      if (reference.kind != Reference::Kind::kResult || result == results_.end())
        continue;
      std::vector<std::string> names;
      for (const auto& column : result->second)
        names.push_back(column.name);
      if (std::find(names.begin(), names.end(), reference.field) != names.end())
        continue;
      tell(place,
           fmt::format("the result of {} has no '{}': {}", reference.name, reference.field,
                       near_or(reference.field, names, fmt::format("it has {}", fmt::join(names, ", ")))));
      good = false;
    }
    return good;
  }

  std::optional<Statement> compiled(const report::Query& query, std::string_view front = "",
                                    std::string_view end = "") {
    Diagnostic mistake;
    auto statement = compile_statement(flows_.models().get(), flow_.file, query, mistake, front, end);
    if (!statement) {
      found_.push_back(std::move(mistake));
      return std::nullopt;
    }
    if (!check_fields(*statement))
      return std::nullopt;
    return std::move(*statement);
  }

  Columns described(const Statement& statement, const std::string& sql) {
    auto columns = draft_.describe(sql, blanks(statement));
    if (columns)
      return std::move(*columns);
    found_.push_back(mistake_in(flow_.file, statement, columns.error()));
    return std::nullopt;
  }

  Columns columns_of_rows(const report::Query& query, std::string_view what) {
    auto statement = compiled(query);
    if (!statement)
      return std::nullopt;
    if (!is_one_select(*statement)) {
      tell(query.place, fmt::format("{} is exactly one SELECT", what));
      return std::nullopt;
    }
    if (draft_.is_blind(statement->parts.front()))
      return std::nullopt;
    statement->front = kRowsFront;
    return described(*statement,
                     fmt::format("{}{}\n) LIMIT 0", kRowsFront, statement->compiled.rendered.text));
  }

  void check_when(const TaskConfig& task) {
    if (task.when.text.empty())
      return;
    const auto statement = compiled(task.when, kWhenFront, "\n) AS \"when\" LIMIT 0");
    if (!statement || draft_.is_blind(statement->parts.front()))
      return;
    const auto columns = described(*statement, statement->text);
    if (!columns || columns->size() != 1)
      return;
    const auto& type = columns->front().type;
    if (type != "BOOLEAN" && type != "\"NULL\"" && type != "NULL")
      tell(task.when.place,
           fmt::format("when is a condition, true or false, not {}: compare it with something", type));
  }

  void check_sql(const TaskConfig& task) {
    const auto statement = compiled(task.sql);
    if (!statement)
      return;
    for (const auto& part : statement->parts) {
      const bool last = &part == &statement->parts.back();
      if (!is_bound(part))
        continue;
      const auto columns = described(*statement, statement->placed(part));
      if (!columns)
        return;
      if (last && part.kind == StatementKind::kSelect)
        results_[task.name] = *columns;
    }
  }

  void check_selection(const TaskConfig& task) {
    const auto names = select_(task.run.take, task.run.leave);
    if (!names)
      tell(task.kind_place, fmt::format("task {}: {}", task.name, names.error().message));
    else if (names->empty())
      tell(task.kind_place, fmt::format("task {} selects nothing", task.name));
  }

  void check_report(const TaskConfig& task) {
    const auto config = flows_.reports()->find(task.report.report);
    if (!config)
      return tell(task.kind_place, config.error().message);
    if (task.report.mail && !(*config)->mail && !(*config)->broken)
      tell(task.kind_place,
           fmt::format("report {} has no mail: write 'mail: {{to: ada@example.org}}' in {}, or "
                       "here 'file: exports/{}.xlsx'",
                       task.report.report, (*config)->file.path, task.report.report));
    std::vector<std::string> names, given;
    for (const auto& parameter : (*config)->parameters)
      names.push_back(parameter.name);
    for (const auto& [name, texts] : task.report.parameters) {
      given.push_back(name);
      if (std::find(names.begin(), names.end(), name) == names.end())
        tell(texts.empty() ? task.kind_place : texts.front().place,
             fmt::format("report {} has no parameter '{}': {}", task.report.report, name,
                         near_or(name, names,
                                 names.empty() ? "it takes none"
                                               : fmt::format("it has {}", fmt::join(names, ", ")))));
    }
    for (const auto& parameter : (*config)->parameters) {
      const bool lacks = parameter.required && !parameter.defaults &&
                         std::find(given.begin(), given.end(), parameter.name) == given.end();
      if (lacks)
        tell(task.kind_place, fmt::format("report {} needs its parameter {}: give it under parameters",
                                          task.report.report, parameter.name));
    }
  }

  void check_script(const TaskConfig& task) {
    const auto& file = task.script.file;
    if (file.empty())
      return;
    const auto path = flows_.project().root + "/" + file;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
      return tell(task.kind_place, fmt::format("the script {} is not there: write it, or name one that is; a "
                                               "text for the shell is 'shell: …'",
                                               file));
    if ((info.st_mode & S_IXUSR) == 0 && !file.ends_with(".py"))
      tell(task.kind_place, fmt::format("{} is not executable: chmod +x {}", file, file));
  }

  const Flows& flows_;
  const FlowConfig& flow_;
  session::Draft& draft_;
  const Select& select_;
  Diagnostics& found_;
  Columns row_;  // of the task's for_each
  std::map<std::string, std::vector<engine::Column>> results_;
};

}  // namespace

void check_flow(const Flows& flows, const FlowConfig& flow, session::Draft& draft, const Select& select,
                Diagnostics& found) {
  if (flows.models() != nullptr)
    Checker(flows, flow, draft, select, found).run();
}

}  // namespace tarn::flowfile
