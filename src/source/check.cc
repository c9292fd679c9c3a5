#include "source/check.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text_distance.h"
#include "engine/parse.h"
#include "source/contract.h"
#include "source/input.h"
#include "source/staging.h"

namespace tarn::source {
namespace {

using engine::Column;

constexpr int64_t kSampleBytesMax = 32 * 1024 * 1024;  // check does not read larger raw files
constexpr std::string_view kCheckFront = "SELECT NOT (";

// Declared columns with DuckDB's names of their types; what is not a type is a mistake.
std::vector<Column> declared_columns(const SourceConfig& config, session::Draft& draft,
                                     Diagnostics& diagnostics) {
  std::vector<Column> columns;
  for (const auto& column : config.columns) {
    if (column.type.empty()) {
      continue;
    }
    auto described = draft.describe(fmt::format("SELECT CAST(NULL AS {}) AS c", column.type));
    if (described) {
      columns.push_back({.name = column.name, .type = described->front().type});
      continue;
    }
    static const std::vector<std::string> kTypes = {
        "bigint", "int",  "integer",   "double",      "decimal", "varchar", "text",
        "date",   "time", "timestamp", "timestamptz", "boolean", "json"};
    std::string near = codec::nearest(engine::fold(column.type), kTypes);
    diagnostics.push_back(
        {column.type_place, fmt::format("column {}: '{}' is not a type: {}", column.name, column.type,
                                        near.empty() ? "write for example bigint, double, varchar, "
                                                       "date or timestamp"
                                                     : fmt::format("did you mean '{}'?", near))});
  }
  return columns;
}

bool has_column(const std::vector<Column>& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const Column& column) { return engine::fold(column.name) == engine::fold(name); });
}

// Names that must be columns of the table, where no other column can come.
void check_names(const SourceConfig& config, std::vector<Column> columns, Diagnostics& diagnostics) {
  if (config.on_new_columns == NewColumns::kEvolve || (config.columns.empty() && columns.empty())) {
    return;
  }
  for (const auto& column : config.columns) {
    columns.push_back({.name = column.name, .type = column.type});
  }
  std::vector<std::string> names;
  for (const auto& column : columns) {
    names.push_back(column.name);
  }
  auto must_exist = [&](const std::string& name, std::string_view what, const Place& place) {
    if (has_column(columns, name)) {
      return;
    }
    std::string near = codec::nearest(name, names);
    diagnostics.push_back(
        {place, fmt::format("{} names a column '{}', which the table has not{}", what, name,
                            near.empty() ? "" : fmt::format(": did you mean '{}'?", near))});
  };
  for (const auto& key : config.key) {
    must_exist(key, "key", config.key_place);
  }
  if (config.since) {
    must_exist(config.since->column, "since", config.since->place);
  }
}

bool all_known(const std::string& text, const session::Draft& draft) {
  auto facts = engine::parse(text);
  return facts && facts->size() == 1 && !draft.is_blind(facts->front());
}

void check_each(const SourceConfig& config, session::Draft& draft, Diagnostics& diagnostics) {
  Sql each = config.fetcher ? config.fetcher->query() : Sql{};
  if (each.text.empty() || !all_known(each.text, draft)) {
    return;
  }
  if (auto described = draft.describe(each.text); !described) {
    diagnostics.push_back(mistake_in(config, each, "each", described.error()));
  }
}

void check_checks(const SourceConfig& config, session::Draft& draft, Diagnostics& diagnostics) {
  if (draft.is_hidden(config.table)) {
    return;
  }
  for (const auto& column : config.columns) {
    std::string sql =
        fmt::format("{}{}\n) FROM {}", kCheckFront, column.check.text, session::quote_name(config.table));
    if (column.check.text.empty() || !all_known(sql, draft)) {
      continue;  // one that does not parse was told already
    }
    if (auto described = draft.describe(sql); !described) {
      diagnostics.push_back(mistake_in(config, column.check, "check", described.error(), kCheckFront));
    }
  }
}

// A file of the newest run that kept one, small enough to look into; its shape is what `input` will be.
Result<std::optional<Landed>> sample(const SourceConfig& config, const CheckContext& context) {
  std::optional<Landed> found;
  TARN_CHECK(context.records.scan([&](const FetchRecord& record) {
    bool usable = record.source == config.name && !record.path.empty() && record.bytes > 0 &&
                  record.bytes <= kSampleBytesMax;
    if (!usable) {
      return true;
    }
    found = Landed{.number = record.number,
                   .id = record.id(),
                   .path = context.data_folder + "/" + record.path,
                   .each_json = record.each_json,
                   .request_key = record.request_key,
                   .replaces = ""};
    return false;
  }));
  return found && file_bytes(found->path) > 0 ? found : std::nullopt;
}

// Columns of `input` as the last fetch had them; none when nothing was kept.
Result<std::vector<Column>> input_columns(const SourceConfig& config, const CheckContext& context) {
  std::vector<Column> columns;
  TARN_TRY(auto newest, sample(config, context));
  if (!newest) {
    return columns;
  }
  const std::vector<Landed> landed = {*newest};  // outlives the input, which refers to it
  TARN_TRY(auto session, context.sessions.open({}));
  auto input = make_input(*session, config.format, landed);
  TARN_TRY(auto found, input->discover(true));
  TARN_TRY(auto relation, input->relation(Purpose::kSelect, {}, -1));
  columns = relation.columns;
  TARN_TRY(auto each, each_type(landed));
  if (!each.empty()) {
    TARN_TRY(auto row, rows_of(*session, fmt::format("DESCRIBE SELECT tarn_json_value('null', {}) AS each",
                                                     session::quote_literal(each))));
    columns.push_back({.name = "each", .type = row.front()[1].value_or("")});
  }
  return columns;
}

void check_select(const SourceConfig& config, const CheckContext& context, Diagnostics& diagnostics) {
  if (config.select.text.empty() || !all_known(config.select.text, context.draft)) {
    return;
  }
  // What cannot be read says so in the run; here it means that the columns are not known.
  auto columns = input_columns(config, context);
  bool known = columns && !columns->empty();
  if (!context.draft.put_input(known ? *columns
                                     : std::vector<Column>{{.name = "nothing", .type = "INTEGER"}})) {
    return;
  }
  auto described = context.draft.describe(config.select.text);
  // What a select may not do is wrong whatever its input looks like.
  if (!described && (known || described.error().code == Code::kDenied)) {
    diagnostics.push_back(mistake_in(config, config.select, "select", described.error()));
  }
}

}  // namespace

Status draft_table(const SourceConfig& config, session::Draft& draft, Diagnostics& diagnostics) {
  auto declared = declared_columns(config, draft, diagnostics);
  auto standing = draft.describe("SELECT * FROM " + session::quote_name(config.table));
  check_names(config, standing ? *standing : std::vector<Column>(), diagnostics);
  bool typed = declared.size() == config.columns.size() && !declared.empty();
  bool complete = typed && config.on_new_columns != NewColumns::kEvolve;
  if (!complete && !standing) {
    draft.hide(config.table);
    return ok();
  }
  std::vector<Column> columns = standing ? *standing : std::vector<Column>();
  // New ones go before _tarn_run and _tarn_fetch, which stand last.
  size_t own = columns.size() < 2 ? 0 : columns.size() - 2;
  for (const auto& column : declared) {
    if (!has_column(columns, column.name)) {
      columns.insert(columns.begin() + static_cast<std::ptrdiff_t>(own++), column);
    }
  }
  if (!has_column(columns, "_tarn_run")) {
    columns.push_back({.name = "_tarn_run", .type = "VARCHAR"});
    columns.push_back({.name = "_tarn_fetch", .type = "VARCHAR"});
  }
  if (!draft.put(config.table, columns)) {
    draft.hide(config.table);  // a type that has no NULL, or a name that SQL refuses
  }
  return ok();
}

Status check_sql(const SourceConfig& config, const CheckContext& context, Diagnostics& diagnostics) {
  check_each(config, context.draft, diagnostics);
  check_checks(config, context.draft, diagnostics);
  check_select(config, context, diagnostics);
  return ok();
}

}  // namespace tarn::source
