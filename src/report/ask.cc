#include "report/ask.h"

#include <fmt/format.h>

#include "report/compiled_query.h"
#include "report/relative_date.h"

namespace tarn::report {

Result<std::string> Asker::one_text(const std::string& sql) {
  TARN_TRY(const auto rows, session_.query_own(sql));
  TARN_TRY(const auto batch, rows->next_text());
  if (!batch || batch->rows != 1 || batch->columns.empty())
    return Error{Code::kInternal, "the engine did not say what time it is"};
  return batch->columns[0].text[0];
}

Result<std::chrono::year_month_day> Asker::today() {
  const auto micros = env_.clock->now().time_since_epoch().count();
  TARN_TRY(const auto text, one_text(fmt::format("SELECT CAST(make_timestamptz({}) AS DATE)", micros)));
  return resolve_date(text, {});
}

Result<std::string> Asker::now_text() {
  const auto seconds = env_.clock->now().time_since_epoch().count() / 1'000'000 * 1'000'000;
  return one_text(fmt::format("SELECT CAST(make_timestamptz({}) AS VARCHAR)", seconds));
}

Result<std::vector<Choice>> Asker::choices(const ParameterConfig& parameter, size_t max,
                                           const std::vector<engine::Parameter>& before) {
  if (parameter.choices_query.text.empty())
    return parameter.choices;
  Diagnostic mistake;
  TARN_TRY(const auto compiled, compile_query(models_, file_, parameter.choices_query, mistake));
  const auto rows = session_.query(compiled.rendered.text, before);
  if (!rows) {
    return Error{rows.error().code,
                 to_string(mistake_in(file_, parameter.choices_query, compiled, rows.error()))};
  }
  std::vector<Choice> all;
  while (all.size() < max) {
    TARN_TRY(const auto batch, (*rows)->next_text());
    if (!batch)
      break;
    const auto& values = batch->columns.front();
    const auto& labels = batch->columns.size() > 1 ? batch->columns[1] : values;
    for (size_t row = 0; row < batch->rows && all.size() < max; ++row) {
      if (!values.null[row])
        all.push_back({values.text[row], labels.null[row] ? values.text[row] : labels.text[row]});
    }
  }
  return all;
}

Result<std::vector<Asker::Look>> Asker::look(std::string_view of,
                                             const std::vector<ParameterConfig>& parameters,
                                             const Given& given, bool all) {
  TARN_CHECK(check_names(of, parameters, given));
  TARN_TRY(const auto today, this->today());
  auto needs = needs_of(models_, file_, parameters);
  const auto order = order_of(needs);
  if (!order)
    return Error{Code::kInvalid, fmt::format("{}: choices of its parameters depend on each other in a "
                                             "circle: see tarn check",
                                             of)};
  std::vector<Look> looks(parameters.size());
  std::vector<engine::Parameter> before;
  for (const auto i : *order) {
    const auto& parameter = parameters[i];
    auto& look = looks[i];
    look.needs = std::move(needs[i]);
    for (const auto need : look.needs)
      look.is_open = look.is_open || looks[need].is_open || !looks[need].problem.empty();
    bool asked = false;
    const auto ask = [&](const ParameterConfig& one) -> Result<std::vector<Choice>> {
      if (!asked) {
        TARN_TRY(look.choices, choices(one, kCheckedChoicesMax, before));
      }
      asked = true;
      return look.choices;
    };
    auto plain = parameter;  // what nobody can look for is taken as it is
    if (look.is_open) {
      plain.choices.clear();
      plain.choices_query.text.clear();
    }
    auto value = settle_value(plain, given, today, ask);
    look.value = value ? std::move(*value) : blank_value(parameter);
    look.problem = value ? "" : value.error().message;
    if (!look.is_open && (all || !look.needs.empty())) {
      const auto known = ask(parameter);
      if (!known && all)
        return known.error();
      if (!known && look.problem.empty())
        look.problem = known.error().message;
    }
    before.push_back(look.value.bound);
  }
  return looks;
}

Result<std::vector<Value>> Asker::settle(std::string_view of, const std::vector<ParameterConfig>& parameters,
                                         const Given& given) {
  TARN_TRY(auto looks, look(of, parameters, given, false));
  std::vector<Value> values;
  for (auto& look : looks) {
    if (!look.problem.empty())
      return Error{Code::kInvalid, std::move(look.problem)};
    values.push_back(std::move(look.value));
  }
  return values;
}

}  // namespace tarn::report
