#include "store/connection.h"

#include <sqlite3.h>

#include <fmt/format.h>

namespace tarn::store {
namespace {

constexpr int kBusyTimeoutMs = 10000;

Code code_of(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_FULL: return Code::kDiskFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kLocked;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return Code::kIo;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY: return Code::kDenied;
    case SQLITE_CONSTRAINT:
      return extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY
                 ? Code::kExists
                 : Code::kInternal;
    case SQLITE_INTERRUPT: return Code::kCancelled;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return Code::kExhausted;
    default: return Code::kInternal;
  }
}

std::string_view remedy_of(Code code) {
  switch (code) {
    case Code::kDiskFull: return "; free some space and run it again";
    case Code::kCorrupt: return "; restore the data folder from a backup";
    case Code::kLocked: return "; another program has the file open";
    case Code::kDenied: return "; check the rights of the data folder";
    default: return "";
  }
}

}  // namespace

Rows::Rows(Rows&& other) noexcept
    : connection_(other.connection_),
      statement_(std::exchange(other.statement_, nullptr)),
      sql_(std::move(other.sql_)) {}

Rows::~Rows() {
  if (statement_ != nullptr) {
    connection_->give_back(statement_, std::move(sql_));
  }
}

Result<bool> Rows::next() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  return connection_->error("run a statement in");
}

bool Rows::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Rows::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Rows::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

std::string Rows::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) {
    return "";
  }
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::string> Rows::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

Timestamp Rows::time(int column) const {
  return Timestamp(Duration(integer(column)));
}

std::optional<Timestamp> Rows::optional_time(int column) const {
  return is_null(column) ? std::nullopt : std::optional(time(column));
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  sqlite3* db = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (options.writes) {
    flags |= SQLITE_OPEN_CREATE;
  }
  int code =
      sqlite3_open_v2(options.path.c_str(), &db, flags, options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Connection> connection(new Connection(db, options.path));
  if (code != SQLITE_OK) {
    return connection->error("open");
  }
  sqlite3_busy_timeout(db, kBusyTimeoutMs);
  if (options.writes) {
    // Before the first page is written: of a file that is there VACUUM has to bring it about.
    TARN_CHECK(connection->script("PRAGMA auto_vacuum=INCREMENTAL;"));
    TARN_TRY(auto mode, connection->text("PRAGMA journal_mode=WAL"));
    if (mode != "wal") {
      return Error{Code::kIo,
                   fmt::format("{} cannot use a write-ahead log here; put the data folder on a local disk",
                               options.path)};
    }
    TARN_CHECK(connection->script("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"));
  } else {
    TARN_CHECK(connection->script("PRAGMA query_only=ON;"));
  }
  return connection;
}

Connection::~Connection() {
  for (auto& [sql, statements] : idle_) {
    for (sqlite3_stmt* statement : statements) {
      sqlite3_finalize(statement);
    }
  }
  sqlite3_close_v2(db_);
}

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  if (auto it = idle_.find(std::string(sql)); it != idle_.end() && !it->second.empty()) {
    sqlite3_stmt* statement = it->second.back();
    it->second.pop_back();
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    return error("prepare a statement for");
  }
  return statement;
}

void Connection::give_back(sqlite3_stmt* statement, std::string sql) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  idle_[std::move(sql)].push_back(statement);
}

Status Connection::bind(sqlite3_stmt* statement, std::initializer_list<Bind> binds) {
  int index = 0;
  for (const Bind& each : binds) {
    ++index;
    int code = SQLITE_OK;
    if (const auto* number = std::get_if<int64_t>(&each.value_)) {
      code = sqlite3_bind_int64(statement, index, *number);
    } else if (const auto* real = std::get_if<double>(&each.value_)) {
      code = sqlite3_bind_double(statement, index, *real);
    } else if (const auto* text = std::get_if<std::string_view>(&each.value_)) {
      code = sqlite3_bind_text64(statement, index, text->data() == nullptr ? "" : text->data(), text->size(),
                                 SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    if (code != SQLITE_OK) {
      return error("bind a value in");
    }
  }
  return ok();
}

Result<Rows> Connection::query(std::string_view sql, std::initializer_list<Bind> binds) {
  TARN_TRY(sqlite3_stmt * statement, prepare(sql));
  Rows rows(*this, statement, std::string(sql));
  TARN_CHECK(bind(statement, binds));
  return rows;
}

Status Connection::run(std::string_view sql, std::initializer_list<Bind> binds) {
  TARN_TRY(auto rows, query(sql, binds));
  for (;;) {
    TARN_TRY(bool more, rows.next());
    if (!more) {
      return ok();
    }
  }
}

Result<std::optional<int64_t>> Connection::integer(std::string_view sql, std::initializer_list<Bind> binds) {
  TARN_TRY(auto rows, query(sql, binds));
  TARN_TRY(bool found, rows.next());
  return found && !rows.is_null(0) ? std::optional(rows.integer(0)) : std::nullopt;
}

Result<std::optional<std::string>> Connection::text(std::string_view sql, std::initializer_list<Bind> binds) {
  TARN_TRY(auto rows, query(sql, binds));
  TARN_TRY(bool found, rows.next());
  return found ? rows.optional_text(0) : std::nullopt;
}

Status Connection::script(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("run a script in");
  }
  return ok();
}

int64_t Connection::changes() const {
  return sqlite3_changes64(db_);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

Error Connection::error(std::string_view action) const {
  int extended = db_ == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db_);
  Code code = code_of(extended);
  return Error{code, fmt::format("cannot {} {}: {}{}", action, path_,
                                 db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_), remedy_of(code))};
}

}  // namespace tarn::store
