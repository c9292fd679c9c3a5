#include "report/cascade.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/parse.h"
#include "report/compiled_query.h"

namespace tarn::report {
namespace {

enum class Seen { kNo, kOnTheWay, kDone };

class Walk {
 public:
  explicit Walk(const Needs& needs) : needs_(needs), seen_(needs.size(), Seen::kNo) {
    for (size_t i = 0; i < needs.size(); ++i)
      visit(i);
  }
  std::vector<size_t> order;
  std::vector<std::vector<size_t>> circles;  // each one's last needs its first

 private:
  // As deep as there are parameters in a file.
  void visit(size_t i) {
    if (seen_[i] == Seen::kDone)
      return;
    seen_[i] = Seen::kOnTheWay;
    way_.push_back(i);
    for (const auto need : needs_[i]) {
      if (seen_[need] == Seen::kOnTheWay)
        circles.emplace_back(std::find(way_.begin(), way_.end(), need), way_.end());
      else
        visit(need);
    }
    way_.pop_back();
    seen_[i] = Seen::kDone;
    order.push_back(i);
  }

  const Needs& needs_;
  std::vector<Seen> seen_;
  std::vector<size_t> way_;
};

}  // namespace

Needs needs_of(const model::ModelProject* models, const project::YamlFile& file,
               const std::vector<ParameterConfig>& parameters) {
  Needs needs(parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& query = parameters[i].choices_query;
    Diagnostic unused;
    if (query.text.find('$') == std::string::npos)
      continue;
    const auto compiled = compile_query(models, file, query, unused);
    const auto facts = compiled ? engine::parse(compiled->rendered.text)
                                : Result<std::vector<engine::StatementFacts>>(compiled.error());
    if (!facts || facts->empty())
      continue;
    const auto& names = facts->front().parameter_names;
    for (size_t other = 0; other < parameters.size(); ++other) {
      if (std::any_of(names.begin(), names.end(), [&](const auto& name) {
            return engine::fold(name) == engine::fold(parameters[other].name);
          }))
        needs[i].push_back(other);
    }
  }
  return needs;
}

std::optional<std::vector<size_t>> order_of(const Needs& needs) {
  Walk walk(needs);
  if (!walk.circles.empty())
    return std::nullopt;
  return std::move(walk.order);
}

void check_circles(const Needs& needs, const project::YamlFile& file,
                   const std::vector<ParameterConfig>& parameters, Diagnostics& found) {
  for (const auto& circle : Walk(needs).circles) {
    const auto& last = parameters[circle.back()];
    const auto& first = parameters[circle.front()];
    const auto folded = engine::fold(last.choices_query.text);
    const auto at = folded.find("$" + engine::fold(first.name));
    const auto place =
        at == std::string::npos ? last.choices_query.place : place_in_text(file, last.choices_query, at);
    if (circle.size() == 1) {
      found.push_back(
          {place, fmt::format("the choices of {0} depend on {0} itself: take ${0} out of them", first.name)});
      continue;
    }
    std::vector<std::string> names;
    for (const auto i : circle)
      names.push_back(parameters[i].name);
    names.push_back(first.name);
    found.push_back(
        {place, fmt::format("choices depend on each other in a circle ({}): take one of the $ out",
                            fmt::join(names, " on "))});
  }
}

}  // namespace tarn::report
