#include "source/input.h"

#include <filesystem>

#include <fmt/format.h>

#include "source/contract.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

using session::quote_literal;

class ParquetInput : public Input {
 public:
  ParquetInput(session::Session& session, const std::vector<Landed>& landed)
      : session_(session), landed_(landed) {}

  Result<std::vector<InputColumn>> find_columns(bool) override {
    std::vector<InputColumn> found;
    TARN_TRY(auto rows, rows_of(session_, "DESCRIBE SELECT * FROM " + scan(landed_, false)));
    for (const auto& row : rows) {
      found.push_back({.name = row[0].value_or(""), .inferred = row[1].value_or("")});
      columns_.push_back({.name = found.back().name, .type = found.back().inferred});
    }
    return found;
  }

  [[nodiscard]] bool streams() const override { return true; }
  [[nodiscard]] std::string bad_rows() const override { return ""; }

  Result<Relation> relation(Purpose purpose, const WantedColumns&, int only) override {
    std::vector<Landed> files = only < 0 ? landed_ : std::vector<Landed>{landed_[static_cast<size_t>(only)]};
    bool careful = purpose == Purpose::kCareful;
    std::vector<std::string> names;
    for (const auto& column : columns_) {
      names.push_back(column.name);
    }
    std::string list = identifiers(names);
    std::string extra =
        careful ? ", file_row_number + 1 AS tarn_row, " + row_struct(columns_) + " AS tarn_raw" : "";
    return Relation{.sql = fmt::format("SELECT {}, {} AS tarn_fetch{} FROM {}", list, fetch_expression(files),
                                       extra, scan(files, careful)),
                    .columns = columns_,
                    .raw_is_row = true};
  }

 private:
  static std::string scan(const std::vector<Landed>& files, bool numbered) {
    return fmt::format("read_parquet({}, union_by_name = true, hive_partitioning = false{})",
                       literal_list(paths_of(files)),
                       fmt::format("{}{}", numbered ? ", file_row_number = true" : "",
                                   files.size() > 1 ? ", filename = 'tarn_file'" : ""));
  }

  session::Session& session_;
  const std::vector<Landed>& landed_;
  std::vector<engine::Column> columns_;
};

Result<std::vector<InputColumn>> nameable(Result<std::vector<InputColumn>> columns) {
  for (size_t i = 0; columns && i < columns->size(); ++i) {
    const auto& [name, type] = (*columns)[i];
    for (const auto& text : {name, type}) {  // the type holds the names of nested members
      if (const auto zero = text.find('\0'); zero != std::string::npos) {
        return Error{Code::kInvalid,
                     fmt::format("the name of a column holds a zero byte after \"{}\", and SQL can "
                                 "name no such column: is the file UTF-16 rather than UTF-8?",
                                 text.substr(0, zero))};
      }
    }
  }
  return columns;
}

}  // namespace

Result<std::vector<InputColumn>> Input::discover(bool types_matter) {
  return nameable(find_columns(types_matter));
}

Result<std::vector<InputColumn>> Input::late_columns() {
  return nameable(find_late_columns());
}

std::unique_ptr<Input> make_parquet_input(session::Session& session, const Format&,
                                          const std::vector<Landed>& landed) {
  return std::make_unique<ParquetInput>(session, landed);
}

std::unique_ptr<Input> make_input(session::Session& session, const Format& format,
                                  const std::vector<Landed>& landed) {
  switch (format.kind) {
    case FormatKind::kJson: return make_json_input(session, format, landed);
    case FormatKind::kNdjson: return make_ndjson_input(session, format, landed);
    case FormatKind::kCsv: return make_csv_input(session, format, landed);
    case FormatKind::kParquet: return make_parquet_input(session, format, landed);
  }
  return nullptr;
}

Result<std::vector<engine::TextRow>> rows_of(session::Session& session, const std::string& sql) {
  std::vector<engine::TextRow> rows;
  TARN_TRY(auto stream, session.query_own(sql));
  for (;;) {
    TARN_TRY(auto batch, stream->next_text());
    if (!batch) {
      return rows;
    }
    for (size_t i = 0; i < batch->rows; ++i) {
      engine::TextRow row;
      for (const auto& cells : batch->columns) {
        row.push_back(cells.null[i] ? std::nullopt : std::optional(cells.text[i]));
      }
      rows.push_back(std::move(row));
    }
  }
}

std::vector<std::string> paths_of(const std::vector<Landed>& landed) {
  std::vector<std::string> paths;
  for (const auto& one : landed) {
    paths.push_back(one.path);
  }
  return paths;
}

std::string fetch_expression(const std::vector<Landed>& landed) {
  if (landed.size() == 1) {
    return quote_literal(landed.front().id);
  }
  std::string run = landed.front().id.substr(0, landed.front().id.rfind('/') + 1);
  std::vector<std::string> ids;
  for (const auto& one : landed) {
    ids.push_back(one.id);
  }
  const std::string list = literal_list(ids);  // an ENUM is written by its codes, see coded_text.h
  return fmt::format("CAST(concat({}, split_part(parse_filename(tarn_file), '.', 1)) AS ENUM({}))",
                     quote_literal(run), list.substr(1, list.size() - 2));
}

int64_t file_bytes(const std::string& path) {
  std::error_code error;
  auto bytes = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

bool is_packed(std::string_view path) {
  return path.ends_with(".gz") || path.ends_with(".zst");
}

}  // namespace tarn::source
