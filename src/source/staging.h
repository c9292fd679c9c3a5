// Rows of one load as temporary tables, made outside the transaction so that it is short and can be repeated:
//   tarn_stage     the targets, _tarn_fetch, tarn_row, tarn_raw, tarn_reason (null: a good row)
//   tarn_bad_rows  fetch, row_number, reason, raw: what goes to quarantine
// When the input can stream, good rows go through the view tarn_typed instead, and tarn_stage holds at most
// the bad ones.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "session/session.h"
#include "source/contract.h"
#include "source/input.h"
#include "source/load.h"

namespace tarn::source {

// One type for the rows of `each` of all requests; empty: no each.
Result<std::string> each_type(const std::vector<Landed>& landed);

class Staging {
 public:
  Staging(session::Session& session, const LoadRequest& request);

  // Looks at the input and the table; nothing is staged yet.
  Status prepare();
  // True when the rows may go straight from the input into the table.
  [[nodiscard]] bool can_stream() const;
  // `purpose`: kStream, whose first bad row is to fail the statement, or kExact.
  Status make_stream_view(Purpose purpose);
  // After a statement read the stream view whole: what was rejected on the way, into tarn_bad_rows.
  Status collect_stream_rejects();
  // All rows, or only the bad ones.
  enum class Rows { kAll, kBad };
  Status stage(Rows rows);
  // True when the rows read show columns that were not known: the plan has them now, and the rows must be
  // read again.
  Result<bool> find_late_columns();

  [[nodiscard]] const TablePlan& plan() const { return plan_; }
  // Landed files with bytes in them.
  [[nodiscard]] bool empty() const { return landed_.empty(); }

 private:
  Status plan_columns();
  [[nodiscard]] Selection selection_of(const Landed& landed) const;
  Status stage_relations(Rows rows);
  Status stage_relation(const Relation& relation, Rows rows);
  Status collect_rejects();
  Status make_empty_stage();
  Status number_stage();

  session::Session& session_;
  const LoadRequest& request_;
  std::vector<Landed> landed_;
  std::unique_ptr<Input> input_;
  std::optional<std::vector<engine::Column>> existing_;  // columns of the table that stay
  std::vector<InputColumn> found_;                       // in the input
  std::string each_type_;                                // empty: no each
  TablePlan plan_;
};

}  // namespace tarn::source
