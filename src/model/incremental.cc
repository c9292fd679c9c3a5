#include "model/incremental.h"

#include <algorithm>

#include <fmt/format.h>

namespace tarn::model {
namespace {

constexpr std::string_view kKept = "__tarn_kept_rows";

std::string quoted_list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    out += (out.empty() ? "" : ", ") + session::quote_identifier(name);
  }
  return out;
}

class Bringer {
 public:
  Bringer(const Node& node, session::Session& session)
      : node_(node), session_(session), table_(session::quote_name(node.table)) {}

  Status run() {
    TARN_CHECK(match_columns());
    if (strategy() == "append") {
      return insert(fmt::format("select {} from {}", columns_, kStage));
    }
    TARN_CHECK(check_keys());
    if (strategy() == "merge") {
      TARN_CHECK(refuse_doubles());
    }
    return replace_by_key();
  }

 private:
  [[nodiscard]] std::string strategy() const {
    if (!node_.config.incremental_strategy.empty()) {
      return node_.config.incremental_strategy;
    }
    return node_.config.unique_key.empty() ? "append" : "delete+insert";
  }

  [[nodiscard]] Error failed(std::string message) const {
    return {Code::kFailed, fmt::format("{}: {}", node_.path, message)};
  }

  static bool has(const std::vector<engine::Column>& all, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const engine::Column& column) {
      return engine::fold(column.name) == engine::fold(name);
    });
  }

  Status match_columns() {
    TARN_TRY(auto target, session_.describe(fmt::format("select * from {}", table_)));
    TARN_TRY(auto made, session_.describe(fmt::format("select * from {}", kStage)));
    std::vector<engine::Column> added;
    std::vector<std::string> missing;
    for (const auto& column : made) {
      if (!has(target, column.name)) {
        added.push_back(column);
      }
    }
    for (const auto& column : target) {
      if (!has(made, column.name)) {
        missing.push_back(column.name);
      }
    }
    TARN_CHECK(change_columns(added, missing));
    bool takes_new = node_.config.on_schema_change == "append_new_columns" ||
                     node_.config.on_schema_change == "sync_all_columns";
    std::vector<std::string> names;
    for (const auto& column : made) {
      if (takes_new || has(target, column.name)) {
        names.push_back(column.name);
      }
    }
    columns_ = quoted_list(names);
    made_ = std::move(made);
    return ok();
  }

  Status change_columns(const std::vector<engine::Column>& added, const std::vector<std::string>& missing) {
    const std::string& policy = node_.config.on_schema_change;
    if (policy == "fail" && !(added.empty() && missing.empty())) {
      std::vector<std::string> names;
      for (const auto& column : added) {
        names.push_back(column.name);
      }
      return failed(
          fmt::format("its columns changed (new: {}; gone: {}); run it with --full-refresh, or set "
                      "on_schema_change='append_new_columns'",
                      names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
                      missing.empty() ? "none" : fmt::format("{}", fmt::join(missing, ", "))));
    }
    if (policy == "ignore" && !missing.empty()) {
      return failed(
          fmt::format("the column '{}' of the table is gone from the model; run it with --full-refresh, or "
                      "set on_schema_change='append_new_columns' or 'sync_all_columns'",
                      missing.front()));
    }
    if (policy != "append_new_columns" && policy != "sync_all_columns") {
      return ok();
    }
    for (const auto& column : added) {
      TARN_CHECK(session_.execute_own(fmt::format("alter table {} add column {} {}", table_,
                                                  session::quote_identifier(column.name), column.type)));
    }
    for (const auto& name : missing) {
      if (policy == "sync_all_columns") {
        TARN_CHECK(session_.execute_own(
            fmt::format("alter table {} drop column {}", table_, session::quote_identifier(name))));
      }
    }
    return ok();
  }

  Status check_keys() {
    for (const std::string& key : node_.config.unique_key) {
      if (!has(made_, key)) {
        return failed(fmt::format("unique_key names '{}', which the model does not select", key));
      }
    }
    return ok();
  }

  // Of two new rows with one key nobody knows which should win.
  Status refuse_doubles() {
    std::string keys = quoted_list(node_.config.unique_key);
    TARN_TRY(auto stream,
             session_.query_own(fmt::format("select {0}, count(*) as doubles from {1} where {2} group by {0} "
                                            "having count(*) > 1 limit 1",
                                            keys, kStage, no_null_key("")),
                                {}));
    TARN_TRY(auto batch, stream->next_text());
    if (!batch || batch->rows == 0) {
      return ok();
    }
    std::string shown;
    for (size_t i = 0; i < node_.config.unique_key.size(); ++i) {
      shown +=
          fmt::format("{}{}={}", i == 0 ? "" : ", ", node_.config.unique_key[i], batch->columns[i].text[0]);
    }
    return failed(
        fmt::format("the new rows hold the key ({}) {} times; make unique_key unique in the model, or use "
                    "the strategy 'delete+insert'",
                    shown, batch->columns.back().text[0]));
  }

  [[nodiscard]] std::string no_null_key(const std::string& alias) const {
    std::string out;
    for (const std::string& key : node_.config.unique_key) {
      out += fmt::format("{}{}{} is not null", out.empty() ? "" : " and ", alias,
                         session::quote_identifier(key));
    }
    return out;
  }

  [[nodiscard]] std::string same_key() const {
    std::string out;
    for (const std::string& key : node_.config.unique_key) {
      std::string name = session::quote_identifier(key);
      out += fmt::format("{0}n.{1} = t.{1}", out.empty() ? "" : " and ", name);
    }
    return out;
  }

  Result<std::vector<std::string>> touched_files() {
    TARN_TRY(auto stream,
             session_.query_own(fmt::format("select distinct t.filename from {} t where exists (select 1 "
                                            "from {} n where {})",
                                            table_, kStage, same_key()),
                                {}));
    std::vector<std::string> files;
    for (;;) {
      TARN_TRY(auto batch, stream->next_text());
      if (!batch) {
        return files;
      }
      files.insert(files.end(), batch->columns[0].text.begin(), batch->columns[0].text.end());
    }
  }

  Status replace_by_key() {
    TARN_TRY(auto files, touched_files());
    if (files.empty()) {
      return insert(fmt::format("select {} from {}", columns_, kStage));
    }
    std::string list;
    for (const auto& file : files) {
      list += (list.empty() ? "" : ", ") + session::quote_literal(file);
    }
    TARN_CHECK(session_.execute_own(fmt::format(
        "create or replace temp table {} as select * from {} t where t.filename in ({}) and not exists "
        "(select 1 from {} n where {})",
        kKept, table_, list, kStage, same_key())));
    TARN_CHECK(session_.remove_files(node_.table, files));
    return insert(
        fmt::format("select * from {}\nunion all by name\nselect {} from {}", kKept, columns_, kStage));
  }

  Status insert(const std::string& select) {
    TARN_CHECK(session_.execute_own(fmt::format("insert into {} by name {}", table_, select)));
    return ok();
  }

  const Node& node_;
  session::Session& session_;
  std::string table_;
  std::string columns_;
  std::vector<engine::Column> made_;
};

}  // namespace

Status bring_in(const Node& node, session::Session& session) {
  return Bringer(node, session).run();
}

}  // namespace tarn::model
