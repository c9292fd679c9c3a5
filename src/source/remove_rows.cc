#include "source/remove_rows.h"

#include <fmt/format.h>

#include "source/input.h"
#include "source/sql_text.h"

namespace tarn::source {

Status remove_rows(session::Session& session, const engine::TableName& table, const std::string& where) {
  const auto name = "lake." + session::quote_name(table);
  TARN_TRY(const auto rows,
           rows_of(session, fmt::format("SELECT DISTINCT filename FROM {} t WHERE {}", name, where)));
  if (rows.empty())
    return ok();
  std::vector<std::string> files;
  for (const auto& row : rows)
    files.push_back(row[0].value_or(""));
  TARN_CHECK(session.execute_own(
      fmt::format("CREATE OR REPLACE TEMP TABLE tarn_keep AS SELECT * FROM {} t WHERE filename IN "
                  "(SELECT unnest({})) AND NOT coalesce({}, false)",
                  name, literal_list(files), where)));
  TARN_CHECK(session.remove_files(table, files));
  TARN_CHECK(session.execute_own(fmt::format("INSERT INTO {} BY NAME SELECT * FROM tarn_keep", name)));
  return ok();
}

Result<int64_t> remove_quarantined(session::Session& session, const std::string& where, bool dry_run) {
  const engine::TableName table{.schema = "_tarn", .name = "quarantine"};
  TARN_TRY(const auto known, rows_of(session,
                                     "SELECT count(*) FROM information_schema.tables WHERE table_schema = "
                                     "'_tarn' AND table_name = 'quarantine'"));
  if (known.empty() || known[0][0] == "0")
    return 0;
  TARN_CHECK(session.begin());
  const auto work = [&]() -> Result<int64_t> {
    TARN_TRY(const auto rows, rows_of(session, fmt::format("SELECT count(*) FROM lake.{} t WHERE {}",
                                                           session::quote_name(table), where)));
    const int64_t count = rows.empty() ? 0 : std::stoll(rows[0][0].value_or("0"));
    if (count == 0 || dry_run)
      return count;
    TARN_CHECK(remove_rows(session, table, where));
    return count;
  };
  auto count = work();
  if (!count || *count == 0 || dry_run) {
    (void)session.rollback();
    return count;
  }
  engine::CommitNote note;
  note.summary["tarn.retention"] = "quarantine";
  if (const auto done = session.commit(std::move(note)); !done) {
    (void)session.rollback();
    return done.error();
  }
  return count;
}

}  // namespace tarn::source
