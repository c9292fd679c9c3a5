// The files that the catalog's rows lead to: documents, manifest lists, manifests, data and delete files,
// statistics.
#pragma once

#include <functional>

#include "base/env/env.h"
#include "base/result.h"
#include "catalog/file_id.h"
#include "store/store.h"

namespace tarn::catalog {

struct Reach {
  FileIds files;
  FileIds kept_folders;  // of tables whose files nobody may remove (gc.enabled=false)
};

// Versions that expired before `expired_before` lead nowhere any more. An error when a document, list or
// manifest cannot be read: then nobody knows what is needed.
Result<Reach> find_reach(Env& env, store::Store& store, Timestamp expired_before,
                         const std::function<bool()>& cancelled);

}  // namespace tarn::catalog
