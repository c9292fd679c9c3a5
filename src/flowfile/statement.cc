#include "flowfile/statement.h"

#include <algorithm>

#include "report/compiled_query.h"

namespace tarn::flowfile {

bool Statement::only_reads() const {
  return std::all_of(parts.begin(), parts.end(), [](const engine::StatementFacts& part) {
    return part.kind == engine::StatementKind::kSelect || part.kind == engine::StatementKind::kExplain ||
           part.kind == engine::StatementKind::kShow;
  });
}

std::string Statement::placed(const engine::StatementFacts& part) const {
  auto placed = text.substr(0, part.end);
  for (size_t i = 0; i < part.begin && i < placed.size(); ++i) {
    if (placed[i] != '\n')
      placed[i] = ' ';
  }
  return placed;
}

bool is_one_select(const Statement& statement) {
  return statement.parts.size() == 1 && statement.parts.front().kind == engine::StatementKind::kSelect;
}

Diagnostic mistake_in(const project::YamlFile& file, const Statement& statement, const Error& error) {
  return report::mistake_in(file, statement.query, statement.compiled, error, statement.front);
}

Result<Statement> compile_statement(const model::ModelProject* models, const project::YamlFile& file,
                                    const report::Query& query, Diagnostic& mistake, std::string_view front,
                                    std::string_view end, model::Reads* reads) {
  mistake = {query.place, ""};
  const auto failed = [&mistake] { return Error{Code::kInvalid, to_string(mistake)}; };
  if (models == nullptr) {
    mistake.message = "the project's models have mistakes: see tarn check";
    return failed();
  }
  auto compiled = model::compile_text(*models, file.path, query.text, reads, mistake);
  if (!compiled) {
    const bool in_text = mistake.place.line > 0 && mistake.place.file == file.path;
    mistake.place = in_text ? report::place_in_query(file, query, mistake.place) : query.place;
    return failed();
  }
  Statement statement{.query = query, .compiled = std::move(*compiled), .front = std::string(front)};
  auto sql = parse_sql(statement.compiled.rendered.text);
  statement.compiled.rendered.text = std::move(sql.text);
  statement.references = std::move(sql.references);
  statement.text = statement.front + statement.compiled.rendered.text + std::string(end);
  auto parts = engine::parse(statement.text);
  if (!parts) {
    mistake = mistake_in(file, statement, parts.error());
    return failed();
  }
  if (parts->empty() || (!front.empty() && parts->size() != 1)) {
    mistake.message = parts->empty() ? "there is no statement in this text" : "this is one expression";
    return failed();
  }
  const bool transaction = std::any_of(parts->begin(), parts->end(), [](const auto& part) {
    return part.kind == engine::StatementKind::kTransaction;
  });
  if (transaction) {
    mistake.message = "the statements of a task are one transaction already: take BEGIN and COMMIT out";
    return failed();
  }
  statement.parts = std::move(*parts);
  return statement;
}

}  // namespace tarn::flowfile
