// One SQLite connection with its prepared statements. One thread at a time. Made by Store only.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/env/env.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tarn::store {

// A value for a "?" of a statement. Text is copied when it is bound.
class Bind {
 public:
  Bind(std::nullptr_t) {}
  Bind(std::integral auto value) : value_(static_cast<int64_t>(value)) {}
  Bind(double value) : value_(value) {}
  Bind(std::string_view text) : value_(text) {}
  Bind(const std::string& text) : value_(std::string_view(text)) {}
  Bind(const char* text) : value_(std::string_view(text)) {}
  Bind(Timestamp time) : value_(time.time_since_epoch().count()) {}
  template <class T>
  Bind(const std::optional<T>& value) {
    if (value) {
      *this = Bind(*value);
    }
  }

 private:
  friend class Connection;
  std::variant<std::monostate, int64_t, double, std::string_view> value_;
};

class Connection;

// Rows of a running statement; goes back to the connection's cache when it is destroyed.
class Rows {
 public:
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  // Moves to the next row; false at the end.
  Result<bool> next();

  // Columns of the current row, from 0. A null reads as 0 or "".
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] Timestamp time(int column) const;
  [[nodiscard]] std::optional<Timestamp> optional_time(int column) const;

 private:
  friend class Connection;
  Rows(Connection& connection, sqlite3_stmt* statement, std::string sql)
      : connection_(&connection), statement_(statement), sql_(std::move(sql)) {}

  Connection* connection_;
  sqlite3_stmt* statement_;
  std::string sql_;
};

class Connection {
 public:
  struct Options {
    std::string path;
    std::string vfs;  // empty: SQLite's own
    bool writes = false;
  };
  static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one statement that returns no rows; kExists when a unique key is there already.
  Status run(std::string_view sql, std::initializer_list<Bind> binds = {});
  // Starts one statement; read it with Rows::next().
  Result<Rows> query(std::string_view sql, std::initializer_list<Bind> binds = {});
  // The first column of the first row, or nullopt when there is no row or it is null.
  Result<std::optional<int64_t>> integer(std::string_view sql, std::initializer_list<Bind> binds = {});
  Result<std::optional<std::string>> text(std::string_view sql, std::initializer_list<Bind> binds = {});
  // Runs all statements of the text.
  Status script(const std::string& sql);
  // Rows changed by the last run().
  [[nodiscard]] int64_t changes() const;
  // False when SQLite has rolled the transaction back by itself.
  [[nodiscard]] bool in_transaction() const;

 private:
  friend class Rows;
  Connection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Status bind(sqlite3_stmt* statement, std::initializer_list<Bind> binds);
  void give_back(sqlite3_stmt* statement, std::string sql);
  [[nodiscard]] Error error(std::string_view action) const;

  sqlite3* db_;
  std::string path_;
  std::unordered_map<std::string, std::vector<sqlite3_stmt*>> idle_;
};

}  // namespace tarn::store
