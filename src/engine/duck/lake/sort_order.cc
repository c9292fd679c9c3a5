#include "engine/duck/lake/sort_order.h"

#include <algorithm>

#include "engine/duck/lake/transform_key.h"

namespace tarn::engine::lake {

using iceberg::TransformKind;

Status set_sort_order(iceberg::TableMetadata& metadata, const iceberg::Schema& schema,
                      const db::vector<db::OrderByNode>& keys) {
  iceberg::SortOrder order;
  for (const auto& key : keys) {
    TARN_TRY(auto bound, bind_key("SORTED BY", *key.expression, schema));
    order.fields.push_back({.source_id = bound.source->id,
                            .transform = bound.transform,
                            .descending = key.type == db::OrderType::DESCENDING,
                            .nulls_first = key.null_order == db::OrderByNullType::NULLS_FIRST});
  }
  int next_id = 1;  // 0 is the unsorted order, which every document has
  for (const auto& known : metadata.sort_orders) {
    if (known.fields == order.fields) {
      metadata.default_sort_order_id = known.order_id;
      return ok();
    }
    next_id = std::max(next_id, known.order_id + 1);
  }
  order.order_id = next_id;
  metadata.default_sort_order_id = order.order_id;
  metadata.sort_orders.push_back(std::move(order));
  return ok();
}

const iceberg::SortOrder* write_order(const iceberg::TableMetadata& metadata) {
  const auto order =
      std::find_if(metadata.sort_orders.begin(), metadata.sort_orders.end(),
                   [&](const auto& each) { return each.order_id == metadata.default_sort_order_id; });
  if (order == metadata.sort_orders.end() || order->fields.empty()) {
    return nullptr;
  }
  const bool known = std::all_of(order->fields.begin(), order->fields.end(), [&](const auto& field) {
    return field.transform.kind != TransformKind::kUnknown &&
           metadata.schema().find(field.source_id) != nullptr;
  });
  return known ? &*order : nullptr;
}

std::optional<int> sort_order_id(const iceberg::TableMetadata& metadata, const iceberg::SortOrder& order) {
  for (const auto& field : order.fields) {
    const auto kind = metadata.schema().find(field.source_id)->type.kind;
    if (kind == iceberg::TypeKind::kFloat || kind == iceberg::TypeKind::kDouble) {
      return std::nullopt;
    }
  }
  return order.order_id;
}

}  // namespace tarn::engine::lake
