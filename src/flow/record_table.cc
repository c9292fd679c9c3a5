#include "flow/record_table.h"

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::flow {
namespace {

class Source final : public engine::TableSource {
 public:
  Source(store::Store& store, const RecordTable& table)
      : store_(store), name_(table.name), about_(table.about) {
    std::string list;
    for (const auto& column : table.columns) {
      columns_.push_back(column.shown);
      list += (list.empty() ? "" : ", ") + column.expression;
    }
    sql_ = fmt::format("SELECT {} FROM {}", list, table.from);
  }

  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] const std::string& about() const override { return about_; }
  [[nodiscard]] const std::vector<engine::SourceColumn>& columns() const override { return columns_; }

  Status scan(const std::function<bool(engine::TextRow row)>& sink) override {
    return store_.read([&](store::Connection& db) -> Status {
      TARN_TRY(auto rows, db.query(sql_));
      while (true) {
        TARN_TRY(const bool more, rows.next());
        if (!more || !sink(row_of(rows)))
          return ok();
      }
    });
  }

 private:
  [[nodiscard]] engine::TextRow row_of(const store::Rows& rows) const {
    engine::TextRow row;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const int column = static_cast<int>(i);
      if (rows.is_null(column)) {
        row.emplace_back();
      } else if (columns_[i].type == kTime) {
        row.emplace_back(format_utc(rows.time(column)));
      } else if (columns_[i].type == kTruth) {
        row.emplace_back(rows.integer(column) != 0 ? "true" : "false");
      } else {
        row.emplace_back(rows.text(column));
      }
    }
    return row;
  }

  store::Store& store_;
  const std::string name_, about_;
  std::vector<engine::SourceColumn> columns_;
  std::string sql_;
};

}  // namespace

std::shared_ptr<engine::TableSource> record_table(store::Store& store, const RecordTable& table) {
  return std::make_shared<Source>(store, table);
}

}  // namespace tarn::flow
