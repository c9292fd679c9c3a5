#include "report/compiled_query.h"

#include <fmt/format.h>

#include "codec/scalar_place.h"
#include "engine/parse.h"

namespace tarn::report {
namespace {

size_t offset_of(std::string_view text, const Place& place) {
  size_t at = 0;
  for (int line = 1; line < place.line && at < text.size(); ++line) {
    const auto end = text.find('\n', at);
    at = end == std::string_view::npos ? text.size() : end + 1;
  }
  return std::min(at + static_cast<size_t>(std::max(place.column, 1)) - 1, text.size());
}

}  // namespace

Place place_in_text(const project::YamlFile& file, const Query& query, size_t offset) {
  return codec::place_inside(file.text, query.place, query.text, offset);
}

Place place_in_query(const project::YamlFile& file, const Query& query, const Place& inside) {
  return place_in_text(file, query, offset_of(query.text, inside));
}

Result<model::Compiled> compile_query(const model::ModelProject* models, const project::YamlFile& file,
                                      const Query& query, Diagnostic& mistake, model::Reads* reads) {
  if (models == nullptr)
    return Error{Code::kInvalid, "the project's models have mistakes: see tarn check"};
  auto compiled = model::compile_text(*models, file.path, query.text, reads, mistake);
  if (!compiled) {
    const bool placed = mistake.place.line > 0 && mistake.place.file == file.path;
    mistake.place = placed ? place_in_query(file, query, mistake.place) : query.place;
    return Error{Code::kInvalid, to_string(mistake)};
  }
  auto facts = engine::parse(compiled->rendered.text);
  if (!facts) {
    mistake = mistake_in(file, query, *compiled, facts.error());
    return Error{Code::kInvalid, to_string(mistake)};
  }
  if (facts->size() != 1 || facts->front().kind != engine::StatementKind::kSelect) {
    mistake = {query.place, "a query must be exactly one SELECT"};
    return Error{Code::kInvalid, to_string(mistake)};
  }
  return compiled;
}

Diagnostic mistake_in(const project::YamlFile& file, const Query& query, const model::Compiled& compiled,
                      const Error& error, std::string_view front) {
  Diagnostic out{query.place, error.message};
  const auto offset = engine::take_place(std::string(front) + compiled.rendered.text, out.message);
  if (offset && *offset >= front.size() && !compiled.rendered.map.empty()) {
    const auto source = compiled.rendered.source_of(*offset - front.size());
    out.place = place_in_text(file, query, source);
  }
  return out;
}

}  // namespace tarn::report
