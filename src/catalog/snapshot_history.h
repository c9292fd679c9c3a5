// Keeps a table's metadata document small, however often it is written to. A snapshot that is thinned out of
// the newest document is still in the older ones, to which the older lake versions point: history stays
// readable by lake version.
#pragma once

#include <cstdint>

#include "iceberg/metadata.h"

namespace tarn::catalog {

// Does nothing up to 150 snapshots. Beyond, keeps what refs name, the newest 50, one an hour of the last day,
// one a day of the last 30 days, one in 30 days before.
void thin_snapshots(iceberg::TableMetadata& metadata, int64_t now_ms);

}  // namespace tarn::catalog
