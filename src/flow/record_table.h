// A table of schema `_tarn` that is one SELECT over control.sqlite.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/table_source.h"
#include "store/store.h"

namespace tarn::flow {

inline const std::string kText = "VARCHAR", kWhole = "BIGINT", kTime = "TIMESTAMP WITH TIME ZONE",
                         kTruth = "BOOLEAN";

struct RecordColumn {
  engine::SourceColumn shown;
  std::string expression;  // of control.sqlite; of a kTime microseconds, of a kTruth 0 or 1
};

struct RecordTable {
  std::string name;
  std::string about;  // one sentence
  std::vector<RecordColumn> columns;
  std::string from;  // what follows FROM, with the order
};

// The store outlives it.
std::shared_ptr<engine::TableSource> record_table(store::Store& store, const RecordTable& table);

}  // namespace tarn::flow
