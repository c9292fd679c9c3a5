// Data files of other writers as the lake's scan wants them: columns without field ids get those of the
// table's name mapping, columns that are not in the file get the value of its partition (spec: "Column
// Projection"), and a file that does not hold what the manifest says is refused.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "duckdb/common/multi_file/base_file_reader.hpp"
#include "engine/duck/lake/glue.h"
#include "engine/lake_catalog.h"
#include "iceberg/data_file.h"
#include "iceberg/metadata.h"
#include "iceberg/name_mapping.h"

namespace tarn::engine::lake {

// Throws `exception` again, as the sentence for a table that cannot be read where the file is to blame.
[[noreturn]] void throw_unreadable(const TableName& table, const std::string& path,
                                   const std::exception& exception);

using ColumnDefinitions = db::vector<db::MultiFileColumnDefinition>;

// Does what reads a file of the table; an error that comes from the file then names both.
template <class Read>
auto naming_table(const TableName& table, const std::string& path, const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const std::exception& exception) {
    throw_unreadable(table, path, exception);
  }
}

// Throws where the file has another number of rows than the manifest says.
void check_rows(db::BaseFileReader& reader, const iceberg::DataFile& file);

// Every column has a field id afterwards. Throws where the file has none and the table has no name mapping.
void give_field_ids(ColumnDefinitions& columns, const iceberg::TableMetadata& metadata,
                    const iceberg::DataFile& file);

// The table's columns with what the file's identity partition says as the default of those that the file does
// not have; nullopt when there are none.
std::optional<ColumnDefinitions> with_partition_values(const ColumnDefinitions& columns,
                                                       const ColumnDefinitions& in_file,
                                                       const iceberg::TableMetadata& metadata,
                                                       const iceberg::DataFile& file);

// The table's name mapping, empty without the property.
iceberg::NameMapping name_mapping(const iceberg::TableMetadata& metadata);

}  // namespace tarn::engine::lake
