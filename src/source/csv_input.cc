// CSV: DuckDB's own reader with typed columns; what it rejects is kept with its line.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
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
// The reader's own way takes more than these formats say: a date with a time, say.
constexpr std::string_view kIsoDate = "%Y-%m-%d", kIsoTime = "%Y-%m-%d %H:%M:%S";

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
    // Nothing: a statement has to look for all of it.
    struct Rest {
      std::string new_line, comment;
      std::optional<std::string> date_format, timestamp_format;
      int64_t skip = 0;
      bool header = false;
      bool operator==(const Rest&) const = default;
    };
    std::optional<Rest> rest;
    bool operator==(const Dialect&) const = default;
  };
  struct Sniffed {
    Dialect dialect;
    std::vector<InputColumn> columns;
  };
  // `known`: with all that was found, not only the delimiter and the quotes.
  [[nodiscard]] std::string options(const Dialect& dialect, bool known) const;
  [[nodiscard]] std::string scan(const std::vector<Landed>& files, const Dialect& dialect, const Types& types,
                                 bool known) const;
  [[nodiscard]] bool is_known(size_t file, const Types& types) const;
  Result<Sniffed> sniff(const Landed& one, const Dialect& dialect);
  Result<std::vector<InputColumn>> look_into(const Landed& one);
  [[nodiscard]] int64_t landed_bytes() const;
  [[nodiscard]] int64_t header_lines(size_t file) const;
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

std::string CsvInput::options(const Dialect& dialect, bool known) const {
  std::string out;
  auto add = [&out](std::string_view name, const std::optional<std::string>& value) {
    if (value) {
      out += fmt::format(", {} = {}", name, quote_literal(*value));
    }
  };
  const auto rest = known ? dialect.rest.value_or(Dialect::Rest{}) : Dialect::Rest{};
  add("delim", format_.delimiter ? format_.delimiter : dialect.delimiter);
  add("quote", format_.quote ? format_.quote : dialect.quote);
  add("escape", format_.escape ? format_.escape : dialect.escape);
  add("nullstr", format_.null_text);
  add("dateformat", format_.date_format ? format_.date_format : rest.date_format);
  add("timestampformat", format_.timestamp_format ? format_.timestamp_format : rest.timestamp_format);
  if (format_.header || known) {
    out += format_.header.value_or(rest.header) ? ", header = true" : ", header = false";
  }
  if (format_.skip > 0 || rest.skip > 0) {
    out += fmt::format(", skip = {}", format_.skip > 0 ? format_.skip : rest.skip);
  }
  if (known) {
    add("new_line", rest.new_line);
    add("comment", rest.comment);
    return out;
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

// `types` of all columns of the files, in their order.
std::string CsvInput::scan(const std::vector<Landed>& files, const Dialect& dialect, const Types& types,
                           bool known) const {
  return fmt::format(
      "read_csv({}{}, hive_partitioning = false, filename = 'tarn_file', store_rejects = true, "
      "rejects_table = 'tarn_rejects_{}', rejects_scan = 'tarn_scans_{}', rejects_limit = 0{})",
      literal_list(paths_of(files)),
      types.empty()
          ? ""
          : fmt::format(", {} = {}", known ? "auto_detect = false, columns" : "types", literal_struct(types)),
      generation_, generation_, options(dialect, known));
}

// A statement that says all of it need not look at the file first. Where a column is to be a date that is not
// one throughout the sample, how its dates are written is found by the reader alone, given its type.
bool CsvInput::is_known(size_t file, const Types& types) const {
  const auto is_time = [](const std::string& type) {
    return type == "DATE" || type.starts_with("TIMESTAMP");
  };
  const auto is_found = [&](const auto& wanted) {
    return std::any_of(by_file_[file].begin(), by_file_[file].end(), [&](const auto& column) {
      return engine::fold(column.name) == engine::fold(wanted.first) && column.inferred == wanted.second;
    });
  };
  return dialects_[file].rest && std::all_of(types.begin(), types.end(), [&](const auto& wanted) {
           return !is_time(wanted.second) || is_found(wanted);
         });
}

Result<CsvInput::Sniffed> CsvInput::sniff(const Landed& one, const Dialect& dialect) {
  TARN_TRY(
      const auto rows,
      rows_of(session_, fmt::format("SELECT Delimiter, Quote, Escape, NewLineDelimiter, Comment, SkipRows, "
                                    "HasHeader, DateFormat, TimestampFormat, c.name, c.type FROM (SELECT *, "
                                    "unnest(Columns) AS c FROM sniff_csv({}, ignore_errors = true{}))",
                                    quote_literal(one.path), options(dialect, false))));
  if (rows.empty()) {
    return Error{Code::kInvalid, fmt::format("{} has no columns", one.path)};
  }
  const auto& row = rows.front();
  const auto found = [&row](size_t i) { return row[i] == "(empty)" ? "" : row[i].value_or(""); };
  Sniffed sniffed{.dialect = {.delimiter = found(0), .quote = found(1), .escape = found(2)}, .columns = {}};
  sniffed.dialect.rest = {.new_line = found(3),
                          .comment = found(4),
                          .date_format = row[7] == kIsoDate ? std::nullopt : row[7],
                          .timestamp_format = row[8] && row[8]->starts_with(kIsoTime) ? std::nullopt : row[8],
                          .skip = std::strtoll(found(5).c_str(), nullptr, 10),
                          .header = row[6] == "true"};
  for (const auto& each : rows) {
    sniffed.columns.push_back({.name = each[9].value_or(""), .inferred = each[10].value_or("VARCHAR")});
  }
  return sniffed;
}

// Where the sample has no quotes, or none inside quotes, the reader takes a later one for a letter. Then
// values are read as RFC 4180 quotes them, unless a quote in the file lacks its partner: that one is a
// letter.
Result<std::vector<InputColumn>> CsvInput::look_into(const Landed& one) {
  const auto first = sniff(one, {});
  // What it finds is then given: header and types may be others when nothing else comes into question.
  auto sniffed = first ? sniff(one, {.delimiter = first->dialect.delimiter,
                                     .quote = first->dialect.quote,
                                     .escape = first->dialect.escape,
                                     .rest = {}})
                       : first;
  if (!sniffed) {  // the reader's own error says why
    dialects_.emplace_back();
    TARN_TRY(auto rows, rows_of(session_, fmt::format("DESCRIBE SELECT * EXCLUDE (tarn_file) FROM {}",
                                                      scan({one}, {}, {}, false))));
    std::vector<InputColumn> columns;
    for (const auto& row : rows) {
      columns.push_back({.name = row[0].value_or(""), .inferred = row[1].value_or("VARCHAR")});
    }
    return columns;
  }
  const auto& dialect = first->dialect;
  const bool open = !format_.quote && !format_.escape && dialect.escape == "" && dialect.quote != "'";
  if (open && landed_bytes() >= kSniffAllBytes && !is_packed(one.path)) {
    TARN_TRY(const auto quotes, count_quotes(one.path));
    if (quotes > 0 && quotes % 2 == 0) {
      auto quoted = sniff(one, {.delimiter = dialect.delimiter, .quote = "\"", .escape = "\"", .rest = {}});
      if (quoted && quoted->columns.size() == first->columns.size()) {
        sniffed = std::move(quoted);
      }
    }
  }
  dialects_.push_back(std::move(sniffed->dialect));
  return std::move(sniffed->columns);
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

int64_t CsvInput::header_lines(size_t file) const {
  const auto& rest = dialects_[file].rest;
  const bool header = format_.header.value_or(rest && rest->header);
  return format_.skip + (header ? 1 : 0);
}

// One file, with a null for each column that it lacks.
Result<std::string> CsvInput::select_of(size_t file, const Types& types, bool careful) {
  Types own;  // in the file's order
  for (const auto& column : by_file_[file])
    own.emplace_back(column.name, column.inferred);
  std::vector<engine::Column> columns;
  std::string list;
  for (const auto& [name, type] : types) {
    bool there = false;
    for (auto& [own_name, own_type] : own) {
      if (engine::fold(own_name) == engine::fold(name)) {
        own_type = type;
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
                       scan(single, dialects_[file], own, is_known(file, own)));
  }
  // Accepted row k stands in line k + header + the rejected lines before it. Those are known only after the
  // scan: load.cc adds them.
  const auto header = header_lines(file);
  return fmt::format(
      "SELECT {}{} AS tarn_fetch, row_number() OVER () + {} AS tarn_row, {} AS tarn_raw FROM "
      "{}",
      list, fetch_expression(single), header, row_struct(columns),
      scan(single, dialects_[file], own, is_known(file, own)));
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
    // Of all files, in the order of their columns, which is the first one's.
    bool known = true;
    for (size_t file = 0; file < landed_.size(); ++file) {
      known = known && is_known(file, types);
    }
    relation.sql = fmt::format("SELECT {}, {} AS tarn_fetch FROM {}", identifiers(names),
                               fetch_expression(landed_), scan(landed_, dialects_.front(), types, known));
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
