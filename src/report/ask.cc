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

Result<std::vector<Choice>> Asker::choices(const ParameterConfig& parameter, size_t max) {
  if (parameter.choices_query.text.empty())
    return parameter.choices;
  Diagnostic mistake;
  TARN_TRY(const auto compiled, compile_query(models_, file_, parameter.choices_query, mistake));
  const auto rows = session_.query(compiled.rendered.text);
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

}  // namespace tarn::report
