#include "lake/maintenance.h"

namespace tarn::lake {

Result<Expiry> expire(Lake& lake, const HistoryPolicy& policy, bool dry_run) {
  return lake.catalog().expire(policy, dry_run);
}

// What is open is asked first: a transaction that commits meanwhile has its files named when the sweep looks.
Result<Sweep> sweep(Lake& lake, SweepOptions options) {
  return lake.catalog().sweep({.guard = options.guard,
                               .open_files = lake.database().open_files(),
                               .dry_run = options.dry_run,
                               .cancelled = std::move(options.cancelled)});
}

}  // namespace tarn::lake
