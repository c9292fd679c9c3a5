// tarn_json_value(text, 'TYPE'): a JSON text as this type, exactly; null where it cannot be read without a
// loss.
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/function/scalar_function.hpp"
#include "duckdb/main/extension/extension_loader.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "engine/duck/json/json_value.h"

namespace tarn::engine::json {
namespace {

struct Binding : public db::FunctionData {
  explicit Binding(db::LogicalType type) : target(std::move(type)) {}
  db::unique_ptr<db::FunctionData> Copy() const override { return db::make_uniq<Binding>(target.type); }
  bool Equals(const db::FunctionData& other) const override {
    return target.type == other.Cast<Binding>().target.type;
  }
  Target target;
};

db::unique_ptr<db::FunctionData> bind(db::ClientContext& context, db::ScalarFunction& function,
                                      db::vector<db::unique_ptr<db::Expression>>& arguments) {
  const auto type = db::ExpressionExecutor::EvaluateScalar(context, *arguments[1]).ToString();
  function.return_type = db::TransformStringToLogicalType(type, context);
  return db::make_uniq<Binding>(function.return_type);
}

void run(db::DataChunk& arguments, db::ExpressionState& state, db::Vector& result) {
  const auto& function = state.expr.Cast<db::BoundFunctionExpression>();
  const auto& target = function.bind_info->Cast<Binding>().target;
  ValueReader reader(state.GetContext());
  db::UnifiedVectorFormat texts;
  arguments.data[0].ToUnifiedFormat(arguments.size(), texts);
  const auto* values = db::UnifiedVectorFormat::GetData<db::string_t>(texts);
  result.SetVectorType(db::VectorType::FLAT_VECTOR);
  for (db::idx_t row = 0; row < arguments.size(); ++row) {
    const auto at = texts.sel->get_index(row);
    bool done = false;
    if (texts.validity.RowIsValid(at)) {
      codec::JsonScanner scanner({values[at].GetData(), values[at].GetSize()});
      done = reader.read(scanner, target, result, row) == Outcome::kDone && scanner.at_end();
    }
    if (!done) {
      ValueReader::set_null(target, result, row);
    }
  }
}

}  // namespace

void register_json_function(db::ExtensionLoader& loader) {
  db::ScalarFunction value("tarn_json_value", {db::LogicalType::VARCHAR, db::LogicalType::VARCHAR},
                           db::LogicalType::ANY, run, bind);
  value.null_handling = db::FunctionNullHandling::SPECIAL_HANDLING;
  loader.RegisterFunction(value);
}

}  // namespace tarn::engine::json
