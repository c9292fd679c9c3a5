#include "engine/outside.h"

namespace tarn::engine {

std::string_view name_of(OutsideKind kind) {
  switch (kind) {
    case OutsideKind::kPostgres: return "postgres";
    case OutsideKind::kIceberg: return "iceberg";
    case OutsideKind::kDelta: return "delta";
    case OutsideKind::kFiles: return "files";
  }
  return "files";
}

}  // namespace tarn::engine
