// Rows of one load as temporary tables, made outside the transaction so that it is short and can be repeated:
//   tarn_stage     the targets, _tarn_fetch, tarn_row, tarn_raw, tarn_reason (null: a good row)
//   tarn_bad_rows  fetch, row_number, reason, raw: what goes to quarantine
// Or, when the input can stream and nothing needs a second look, only the view tarn_typed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "session/session.h"
#include "source/contract.h"
#include "source/input.h"
#include "source/load.h"

namespace tarn::source {

class Staging {
 public:
  Staging(session::Session& session, const LoadRequest& request);

  // Looks at the input and the table; nothing is staged yet.
  Status prepare();
  // True when the rows may go straight from the input into the table.
  [[nodiscard]] bool can_stream() const;
  Status make_stream_view();
  // After a statement read the stream view whole: what was rejected on the way, into tarn_bad_rows.
  Status collect_stream_rejects();
  Status stage();

  [[nodiscard]] const TablePlan& plan() const { return plan_; }
  // Landed files with bytes in them.
  [[nodiscard]] bool empty() const { return landed_.empty(); }

 private:
  Status read_each_types();
  [[nodiscard]] Selection selection_of(const Landed& landed) const;
  Status stage_relation(const Relation& relation, bool first);
  Status collect_rejects();
  Status make_empty_stage();
  Status number_stage();

  session::Session& session_;
  const LoadRequest& request_;
  std::vector<Landed> landed_;
  std::unique_ptr<Input> input_;
  std::string each_types_;  // for json_transform; empty: no each
  TablePlan plan_;
};

}  // namespace tarn::source
