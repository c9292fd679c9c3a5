#include "engine/duck/json/deep_values.h"

#include "codec/json_depth.h"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/main/extension/extension_loader.hpp"

namespace tarn::engine::json {
namespace {

namespace db = duckdb;

void check_depth(db::Vector& values, db::idx_t count, const std::string& function) {
  if (values.GetType().InternalType() != db::PhysicalType::VARCHAR)
    return;
  db::UnifiedVectorFormat format;
  values.ToUnifiedFormat(count, format);
  const auto* texts = db::UnifiedVectorFormat::GetData<db::string_t>(format);
  for (db::idx_t row = 0; row < count; ++row) {
    const auto at = format.sel->get_index(row);
    if (!format.validity.RowIsValid(at))
      continue;
    const auto depth = codec::json_depth({texts[at].GetData(), texts[at].GetSize()});
    if (depth > codec::kJsonDepthMax) {
      throw db::InvalidInputException("%s: a value is nested %llu deep, more than %llu", function, depth,
                                      codec::kJsonDepthMax);
    }
  }
}

void wrap(db::DatabaseInstance& database, const std::string& name) {
  db::ExtensionLoader loader(database, "tarn");
  auto& entry = loader.GetFunction(name).Cast<db::ScalarFunctionCatalogEntry>();
  for (auto& function : entry.functions.functions) {
    auto original = function.function;
    function.function = [original, name](db::DataChunk& arguments, db::ExpressionState& state,
                                         db::Vector& result) {
      for (auto& values : arguments.data)
        check_depth(values, arguments.size(), name);
      original(arguments, state, result);
    };
  }
}

}  // namespace

void refuse_deep_values(db::DatabaseInstance& database) {
  wrap(database, "json_structure");
  wrap(database, "json_pretty");
}

}  // namespace tarn::engine::json
