// CSV: DuckDB's own reader with typed columns; what it rejects is kept with its line.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"
#include "source/contract.h"
#include "source/input.h"
#include "source/sql_text.h"

namespace tarn::source {
namespace {

using session::quote_identifier;
using session::quote_literal;

constexpr int64_t kSniffAllBytes = 32 << 20;

// Of the bytes from `begin` on, up to `end`. Quotes are rare here: memchr finds none faster than a loop
// counts.
Result<int64_t> count_quotes(const std::string& path, off_t begin, off_t end) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string buffer(size_t{1} << 18, '\0');
  int64_t count = 0;
  while (begin < end) {
    const auto wanted = std::min(buffer.size(), static_cast<size_t>(end - begin));
    const ssize_t got = file.valid() ? ::pread(file.get(), buffer.data(), wanted, begin) : -1;
    if (got < 0 && file.valid() && errno == EINTR)
      continue;
    if (got < 0)
      return Error{Code::kIo, fmt::format("cannot read {}: {}", path, std::strerror(errno))};
    if (got == 0)
      break;
    begin += got;
    std::string_view rest(buffer.data(), static_cast<size_t>(got));
    for (auto at = rest.find('"'); at != std::string_view::npos; at = rest.find('"', at + 1))
      ++count;
  }
  return count;
}

// The halves of the file side by side: nothing else of a load runs meanwhile.
Result<int64_t> count_quotes(const std::string& path) {
  const auto bytes = static_cast<off_t>(file_bytes(path));
  Result<int64_t> second = 0;
  std::thread other([&] { second = count_quotes(path, bytes / 2, bytes); });
  const auto first = count_quotes(path, 0, bytes / 2);
  other.join();
  TARN_CHECK(first);
  TARN_CHECK(second);
  return *first + *second;
}

class CsvInput : public Input {
 public:
  CsvInput(session::Session& session, const Format& format, const std::vector<Landed>& landed)
      : session_(session), format_(format), landed_(landed) {}

  Result<std::vector<InputColumn>> find_columns(bool) override;
  [[nodiscard]] bool streams() const override { return true; }
  [[nodiscard]] std::string bad_rows() const override;
  Result<Relation> relation(Purpose purpose, const WantedColumns& wanted, int only) override;

 private:
  using Types = std::vector<std::pair<std::string, std::string>>;
  // What the source's YAML leaves open, as found once: each statement over the file would look for it anew.
  struct Dialect {
    std::optional<std::string> delimiter, quote, escape;
    bool operator==(const Dialect&) const = default;
  };
  [[nodiscard]] std::string options(const Dialect& dialect) const;
  [[nodiscard]] std::string scan(const std::vector<Landed>& files, const Dialect& dialect,
                                 const Types& types) const;
  Result<std::vector<InputColumn>> look_into(const Landed& one, const Dialect& dialect);
  Result<std::vector<InputColumn>> look_into(const Landed& one);
  [[nodiscard]] int64_t landed_bytes() const;
  Result<int64_t> header_lines(size_t file);
  Result<std::string> select_of(size_t file, const Types& types, bool careful);

  session::Session& session_;
  const Format& format_;
  const std::vector<Landed>& landed_;
  std::vector<InputColumn> found_;  // of all files
  std::vector<std::vector<InputColumn>> by_file_;
  std::vector<Dialect> dialects_;  // by file
  bool same_shape_ = true;         // all files have the same columns in the same order, and one dialect
  int generation_ = 0;             // of the tables that take what is rejected
};

std::string CsvInput::options(const Dialect& dialect) const {
  std::string out;
  auto add = [&out](std::string_view name, const std::optional<std::string>& value) {
    if (value) {
      out += fmt::format(", {} = {}", name, quote_literal(*value));
    }
  };
  add("delim", format_.delimiter ? format_.delimiter : dialect.delimiter);
  add("quote", format_.quote ? format_.quote : dialect.quote);
  add("escape", format_.escape ? format_.escape : dialect.escape);
  add("nullstr", format_.null_text);
  add("dateformat", format_.date_format);
  add("timestampformat", format_.timestamp_format);
  if (format_.header) {
    out += *format_.header ? ", header = true" : ", header = false";
  }
  if (format_.skip > 0) {
    out += fmt::format(", skip = {}", format_.skip);
  }
  return out + (landed_bytes() < kSniffAllBytes ? ", sample_size = -1" : "");
}

int64_t CsvInput::landed_bytes() const {
  int64_t bytes = 0;
  for (const auto& one : landed_) {
    bytes += file_bytes(one.path);
  }
  return bytes;
}

std::string CsvInput::scan(const std::vector<Landed>& files, const Dialect& dialect,
                           const Types& types) const {
  return fmt::format(
      "read_csv({}{}, hive_partitioning = false, filename = 'tarn_file', store_rejects = true, "
      "rejects_table = 'tarn_rejects_{}', rejects_scan = 'tarn_scans_{}', rejects_limit = 0{})",
      literal_list(paths_of(files)), types.empty() ? "" : ", types = " + literal_struct(types), generation_,
      generation_, options(dialect));
}

Result<std::vector<InputColumn>> CsvInput::look_into(const Landed& one, const Dialect& dialect) {
  TARN_TRY(auto rows, rows_of(session_, fmt::format("DESCRIBE SELECT * EXCLUDE (tarn_file) FROM {}",
                                                    scan({one}, dialect, {}))));
  std::vector<InputColumn> columns;
  for (const auto& row : rows) {
    columns.push_back({.name = row[0].value_or(""), .inferred = row[1].value_or("VARCHAR")});
  }
  return columns;
}

// Where the sample has no quotes, or none inside quotes, the reader takes a later one for a letter. Then
// values are read as RFC 4180 quotes them, unless a quote in the file lacks its partner: that one is a
// letter.
Result<std::vector<InputColumn>> CsvInput::look_into(const Landed& one) {
  Dialect& dialect = dialects_.emplace_back();
  const auto sniffed =
      rows_of(session_, fmt::format("SELECT Delimiter, Quote, Escape, len(Columns) FROM sniff_csv({}, "
                                    "ignore_errors = true{})",
                                    quote_literal(one.path), options({})));
  if (!sniffed || sniffed->size() != 1) {
    return look_into(one, dialect);  // its error says why
  }
  const auto& row = sniffed->front();
  const auto found = [&row](size_t i) { return row[i] == "(empty)" ? "" : row[i].value_or(""); };
  dialect = {.delimiter = found(0), .quote = found(1), .escape = found(2)};
  const bool open = !format_.quote && !format_.escape && dialect.escape == "" && dialect.quote != "'";
  if (open && landed_bytes() >= kSniffAllBytes && !is_packed(one.path)) {
    TARN_TRY(const auto quotes, count_quotes(one.path));
    const Dialect quoted{.delimiter = dialect.delimiter, .quote = "\"", .escape = "\""};
    if (quotes > 0 && quotes % 2 == 0) {
      auto columns = look_into(one, quoted);
      if (columns && std::to_string(columns->size()) == row[3]) {
        dialect = quoted;
        return columns;
      }
    }
  }
  return look_into(one, dialect);
}

Result<std::vector<InputColumn>> CsvInput::find_columns(bool) {
  ++generation_;
  std::map<std::string, size_t> known;
  for (const auto& one : landed_) {
    TARN_TRY(auto columns, look_into(one));
    for (const auto& column : columns) {
      auto [at, fresh] = known.emplace(engine::fold(column.name), found_.size());
      if (fresh) {
        found_.push_back(column);
      } else if (auto& type = found_[at->second].inferred; type != column.inferred) {
        bool numbers = (is_integer_type(column.inferred) || column.inferred == "DOUBLE") &&
                       (is_integer_type(type) || type == "DOUBLE");
        type = numbers ? "DOUBLE" : "VARCHAR";
      }
    }
    by_file_.push_back(std::move(columns));
  }
  for (size_t file = 0; file < by_file_.size(); ++file) {
    const auto& columns = by_file_[file];
    same_shape_ =
        same_shape_ && columns.size() == by_file_.front().size() && dialects_[file] == dialects_.front();
    for (size_t i = 0; same_shape_ && i < columns.size(); ++i) {
      same_shape_ = columns[i].name == by_file_.front()[i].name;
    }
  }
  return found_;
}

Result<int64_t> CsvInput::header_lines(size_t file) {
  if (format_.header) {
    return format_.skip + (*format_.header ? 1 : 0);
  }
  TARN_TRY(auto rows,
           rows_of(session_, fmt::format("SELECT HasHeader FROM sniff_csv({}, ignore_errors = true{})",
                                         quote_literal(landed_[file].path), options(dialects_[file]))));
  return format_.skip + (!rows.empty() && rows.front()[0] == "true" ? 1 : 0);
}

// One file, with a null for each column that it lacks.
Result<std::string> CsvInput::select_of(size_t file, const Types& types, bool careful) {
  Types own;
  std::vector<engine::Column> columns;
  std::string list;
  for (const auto& [name, type] : types) {
    bool there = false;
    for (const auto& column : by_file_[file]) {
      if (engine::fold(column.name) == engine::fold(name)) {
        own.emplace_back(column.name, type);
        there = true;
      }
    }
    list +=
        there ? quote_identifier(name) : fmt::format("CAST(NULL AS {}) AS {}", type, quote_identifier(name));
    list += ", ";
    columns.push_back({.name = name, .type = type});
  }
  std::vector<Landed> single{landed_[file]};
  if (!careful) {
    return fmt::format("SELECT {}{} AS tarn_fetch FROM {}", list, fetch_expression(single),
                       scan(single, dialects_[file], own));
  }
  // Accepted row k stands in line k + header + the rejected lines before it. Those are known only after the
  // scan: load.cc adds them.
  TARN_TRY(int64_t header, header_lines(file));
  return fmt::format(
      "SELECT {}{} AS tarn_fetch, row_number() OVER () + {} AS tarn_row, {} AS tarn_raw FROM "
      "{}",
      list, fetch_expression(single), header, row_struct(columns), scan(single, dialects_[file], own));
}

Result<Relation> CsvInput::relation(Purpose purpose, const WantedColumns& wanted, int only) {
  ++generation_;
  Types types;
  std::vector<std::string> names;
  Relation relation;
  relation.raw_is_row = true;
  for (const auto& column : found_) {
    auto found = wanted.find(engine::fold(column.name));
    std::string type = found == wanted.end() ? column.inferred : found->second.type;
    // The reader rounds fractions into integers without a word, so integers are read wider and cast by us.
    if (purpose != Purpose::kSelect && is_integer_type(type)) {
      type = purpose == Purpose::kStream ? stream_type_of_integers() : "VARCHAR";
    } else if (!is_plain_type(type) && !is_integer_type(type)) {
      type = "VARCHAR";
    }
    types.emplace_back(column.name, type);
    names.push_back(column.name);
    relation.columns.push_back({.name = column.name, .type = type});
  }
  if (purpose != Purpose::kCareful && same_shape_ && only < 0) {
    relation.sql = fmt::format("SELECT {}, {} AS tarn_fetch FROM {}", identifiers(names),
                               fetch_expression(landed_), scan(landed_, dialects_.front(), types));
    return relation;
  }
  size_t first = only < 0 ? 0 : static_cast<size_t>(only);
  size_t end = only < 0 ? landed_.size() : first + 1;
  for (size_t i = first; i < end; ++i) {
    TARN_TRY(std::string one, select_of(i, types, purpose == Purpose::kCareful));
    relation.sql += (relation.sql.empty() ? "" : " UNION ALL ") + one;
  }
  return relation;
}

std::string CsvInput::bad_rows() const {
  // The path tells the landed file, whatever scan read it.
  return fmt::format(
      "SELECT concat({}, split_part(parse_filename(s.file_path), '.', 1)) AS fetch_id, CAST(e.line AS "
      "BIGINT) "
      "AS "
      "row_number, string_agg(DISTINCT split_part(e.error_message, chr(10), 1), '; ') AS reason, "
      "any_value(e.csv_line) AS raw FROM tarn_rejects_{} e JOIN tarn_scans_{} s USING (scan_id, file_id) "
      "GROUP BY "
      "s.file_path, e.line",
      quote_literal(landed_.front().id.substr(0, landed_.front().id.rfind('/') + 1)), generation_,
      generation_);
}

}  // namespace

std::unique_ptr<Input> make_csv_input(session::Session& session, const Format& format,
                                      const std::vector<Landed>& landed) {
  return std::make_unique<CsvInput>(session, format, landed);
}

}  // namespace tarn::source
