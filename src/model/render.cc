#include "model/render.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/parse.h"
#include "model/context.h"
#include "model/generic_check.h"
#include "model/jinja/text.h"
#include "model/unknown_names.h"

namespace tarn::model {
namespace {

constexpr int kEphemeralDepthMax = 50;

// Behind blanks and comments.
size_t skip_blank(std::string_view sql, size_t at) {
  while (at < sql.size()) {
    if (std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else if (sql.substr(at, 2) == "--") {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at, 2) == "/*") {
      size_t end = sql.find("*/", at + 2);
      at = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

bool word_at(std::string_view sql, size_t at, std::string_view word) {
  auto rest = sql.substr(std::min(at, sql.size()));
  return rest.size() > word.size() && jinja::to_lower(std::string(rest.substr(0, word.size()))) == word &&
         std::isspace(static_cast<unsigned char>(rest[word.size()])) != 0;
}

// Puts CTEs in front of a SELECT, into its own WITH when it has one.
void put_ctes(jinja::Rendered& rendered, const std::string& ctes) {
  size_t at = skip_blank(rendered.text, 0);
  if (!word_at(rendered.text, at, "with")) {
    rendered.insert(at, "with " + ctes + "\n");
    return;
  }
  at = skip_blank(rendered.text, at + 4);
  if (word_at(rendered.text, at, "recursive")) {
    at = skip_blank(rendered.text, at + 9);
  }
  rendered.insert(at, ctes + ",\n");
}

void cut_semicolon(jinja::Rendered& rendered) {
  std::string kept = jinja::strip(rendered.text, " \t\r\n;", false, true);
  // Only when nothing but blanks and semicolons follows; a comment at the end stays.
  rendered.cut_end(kept.size());
}

// All ephemeral models that `refs` need, each once, in order of need, as CTEs.
class EphemeralModels {
 public:
  EphemeralModels(const ModelProject& project, Diagnostic& mistake) : project_(project), mistake_(mistake) {}

  Status add_all(const std::vector<std::string>& refs, int depth) {
    if (depth > kEphemeralDepthMax) {
      return Error{Code::kInvalid,
                   fmt::format("ephemeral models nest more than {} deep", kEphemeralDepthMax)};
    }
    for (const std::string& name : refs) {
      const Node* node = project_.find(name);
      bool wanted = node != nullptr && node->config.materialized == "ephemeral" && !done_.contains(name);
      if (!wanted) {
        continue;
      }
      done_.insert(name);
      Reads reads;
      RenderRequest request{.node = node, .reads = &reads};
      TARN_TRY(jinja::Rendered rendered, render(project_, *node->text, request, mistake_));
      TARN_CHECK(add_all(reads.refs, depth + 1));
      cut_semicolon(rendered);
      ctes_ += fmt::format("{}__dbt__cte__{} as (\n{}\n)", ctes_.empty() ? "" : ",\n", name, rendered.text);
    }
    return ok();
  }

  [[nodiscard]] const std::string& ctes() const { return ctes_; }

 private:
  const ModelProject& project_;
  Diagnostic& mistake_;
  std::set<std::string> done_;
  std::string ctes_;
};

std::shared_ptr<const jinja::Template> unowned(const jinja::Template& text) {
  return {std::shared_ptr<const jinja::Template>(), &text};
}

Status finish(const ModelProject& project, const Reads& reads, jinja::Rendered& rendered,
              Diagnostic& mistake) {
  EphemeralModels ephemeral(project, mistake);
  TARN_CHECK(ephemeral.add_all(reads.refs, 0));
  if (!ephemeral.ctes().empty()) {
    put_ctes(rendered, ephemeral.ctes());
  }
  cut_semicolon(rendered);
  return ok();
}

// The macro that a tag calls: what it wrote stands in another file.
std::string written_by(const ModelProject& project, const jinja::Template& text, size_t offset) {
  const jinja::Node* tag = jinja::find_tag(text.nodes, offset);
  if (tag == nullptr || tag->expr->kind != jinja::Expr::Kind::kCall) {
    return "";
  }
  auto macro = project.macros.find(tag->expr->children[0]->text);
  if (macro == project.macros.end()) {
    return "";
  }
  Place home = macro->second.home->place_of(macro->second.node->offset);
  return fmt::format(" (in what macro {} at {} writes)", macro->first, to_string(home));
}

}  // namespace

Result<jinja::Rendered> render(const ModelProject& project, const jinja::Template& text,
                               const RenderRequest& request, Diagnostic& mistake) {
  jinja::Globals globals = make_globals(project, request);
  jinja::Interpreter interpreter(globals, project.macros);
  auto out = interpreter.render(unowned(text));
  if (!out) {
    mistake = interpreter.mistake();
  }
  return out;
}

Result<jinja::Value> call_macro(const ModelProject& project, const std::string& name,
                                const jinja::Arguments& arguments, const RenderRequest& request,
                                Diagnostic& mistake) {
  jinja::Globals globals = make_globals(project, request);
  jinja::Interpreter interpreter(globals, project.macros);
  auto out = interpreter.call_macro(name, arguments);
  if (!out) {
    mistake = interpreter.mistake();
    return out;
  }
  return jinja::Value(out->text());
}

Result<jinja::Value> render_yaml_text(const ModelProject& project, const std::string& text,
                                      const Place& place) {
  Diagnostic mistake;
  auto parsed = jinja::parse_template(place.file, text, mistake);
  Reads reads;
  RenderRequest request{.reads = &reads};
  if (parsed) {
    auto rendered = render(project, **parsed, request, mistake);
    if (rendered) {
      bool single = (*parsed)->nodes.size() == 1;
      return single ? scalar_of(rendered->text) : jinja::Value(rendered->text);
    }
  }
  return Error{Code::kInvalid, mistake.message};
}

Result<Compiled> compile_node(const ModelProject& project, const Node& node, bool incremental,
                              bool full_refresh, Diagnostic& mistake) {
  Reads reads;
  RenderRequest request{
      .node = &node, .incremental = incremental, .full_refresh = full_refresh, .reads = &reads};
  TARN_TRY(jinja::Rendered rendered, render(project, *node.text, request, mistake));
  TARN_CHECK(finish(project, reads, rendered, mistake));
  if (skip_blank(rendered.text, 0) >= rendered.text.size()) {
    mistake = {Place{node.path}, "this model is empty; write a SELECT"};
    return Error{Code::kInvalid, to_string(mistake)};
  }
  return Compiled{node.text, std::move(rendered)};
}

Result<Compiled> compile_text(const ModelProject& project, const std::string& file, const std::string& text,
                              Reads* reads, Diagnostic& mistake) {
  TARN_TRY(auto parsed, jinja::parse_template(file, text, mistake));
  const auto unknown = unknown_names(project, *parsed, {});
  if (!unknown.empty()) {
    mistake = unknown.front();
    return Error{Code::kInvalid, to_string(mistake)};
  }
  Reads own;
  Reads& read = reads != nullptr ? *reads : own;
  TARN_TRY(jinja::Rendered rendered, render(project, *parsed, {.reads = &read}, mistake));
  TARN_CHECK(finish(project, read, rendered, mistake));
  return Compiled{std::move(parsed), std::move(rendered)};
}

Result<Compiled> compile_test(const ModelProject& project, const DataTest& test, Diagnostic& mistake) {
  Reads reads;
  RenderRequest request{.test = &test, .reads = &reads};
  Compiled compiled;
  if (test.generic.empty()) {
    TARN_TRY(compiled.rendered, render(project, *test.text, request, mistake));
    compiled.text = test.text;
  } else {
    TARN_TRY(compiled.rendered.text, generic_test_sql(project, test, request, mistake));
  }
  TARN_CHECK(finish(project, reads, compiled.rendered, mistake));
  return compiled;
}

Diagnostic place_error(const ModelProject& project, const Compiled& compiled, const Error& error,
                       std::string_view front) {
  Diagnostic out{compiled.text ? Place{compiled.text->file} : Place{}, error.message};
  auto offset = engine::take_place(std::string(front) + compiled.rendered.text, out.message);
  if (offset && *offset >= front.size() && compiled.text && !compiled.rendered.map.empty()) {
    size_t source = compiled.rendered.source_of(*offset - front.size());
    out.place = compiled.text->place_of(source);
    out.message += written_by(project, *compiled.text, source);
  }
  return out;
}

}  // namespace tarn::model
