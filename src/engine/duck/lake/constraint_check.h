// Keys and NOT NULL, checked against the rows that a transaction sees: those of the version it read, less
// those it took out, plus those it wrote. Others may add rows before it commits: see TableChange, `alone` and
// `keys_as_of`. Each throws kInvalid with one of the rows that are against it.
#pragma once

#include <vector>

#include "engine/duck/lake/glue.h"
#include "engine/duck/lake/scan.h"

namespace tarn::engine::lake {

// The columns of the declared key (Iceberg's identifier fields). Empty: none is declared, or one that another
// engine put into a nested field.
std::vector<size_t> key_columns(const iceberg::TableMetadata& metadata);
inline bool has_key(const iceberg::TableMetadata& metadata) {
  return !key_columns(metadata).empty();
}

// No key of `fresh`, data files just written, comes twice among them or lies in the table already.
void check_new_keys(db::ClientContext& context, const ScanSource& rows,
                    const std::vector<iceberg::DataFile>& fresh);
// The same of files whose keys are known to be different, in a later version of the table; kConflict.
void check_keys_again(db::ClientContext& context, const ScanSource& rows,
                      const std::vector<iceberg::DataFile>& fresh);

// ALTER TABLE … ADD PRIMARY KEY: every row has values in these columns, and no two rows the same ones.
void check_key(db::ClientContext& context, const std::shared_ptr<const ScanSource>& rows,
               const std::vector<size_t>& columns);

// ALTER TABLE … SET NOT NULL.
void check_no_null(db::ClientContext& context, const std::shared_ptr<const ScanSource>& rows, size_t column);

}  // namespace tarn::engine::lake
