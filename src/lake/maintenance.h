// What keeps the lake from growing for ever: versions of tables expire, and files that nothing needs any more
// go.
#pragma once

#include "lake/lake.h"

namespace tarn::lake {

using catalog::Expiry;
using catalog::HistoryPolicy;
using catalog::Sweep;

// See catalog/history.h.
Result<Expiry> expire(Lake& lake, const HistoryPolicy& policy, bool dry_run);

struct SweepOptions {
  Duration guard{0};  // younger files are left alone
  bool dry_run = false;
  std::function<bool()> cancelled;  // may be empty
};
// See catalog/sweep.h. Leaves what open transactions have written.
Result<Sweep> sweep(Lake& lake, SweepOptions options);

}  // namespace tarn::lake
