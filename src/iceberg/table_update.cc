#include "iceberg/table_commit.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "iceberg/metadata_json.h"

namespace tarn::iceberg {
namespace {

constexpr int kLastAdded = -1;
constexpr int kVersionMax = 2;
constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kSequenceMax = int64_t{1} << 62;
constexpr int kIdMax = 1 << 30;
constexpr const char* kMain = "main";

Error invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

bool needs_version_3(const std::vector<Field>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
    return field.type.kind == TypeKind::kTimestampNs || field.type.kind == TypeKind::kTimestampTzNs ||
           field.initial_default || field.write_default || needs_version_3(field.type.fields);
  });
}

class Updater {
 public:
  Updater(const TableMetadata* base, int64_t now_ms) : is_new_(base == nullptr), now_ms_(now_ms) {
    if (base != nullptr) {
      next_ = *base;
    }
  }

  Status apply(const std::vector<TableUpdate>& updates) {
    if (is_new_) {
      next_.format_version = kVersionMax;
      for (const auto& update : updates) {
        if (const auto* upgrade = std::get_if<UpgradeFormat>(&update)) {
          TARN_CHECK(check_version(upgrade->version));
          next_.format_version = upgrade->version;
          break;
        }
      }
    }
    size_t number = 0;
    for (const auto& update : updates) {
      auto applied = std::visit([this](const auto& one) { return take(one); }, update);
      if (!applied) {
        // A failed check of the kind "would be good after a refresh" is told as it is: clients look for it.
        return applied.error().code == Code::kConflict
                   ? applied.error()
                   : applied.error().at(fmt::format("updates[{}]", number));
      }
      ++number;
    }
    return ok();
  }

  Result<std::optional<TableMetadata>> finish() {
    if (!changed_ && !is_new_) {
      return std::optional<TableMetadata>();
    }
    if (is_new_) {
      complete();
    }
    TARN_CHECK(check_whole());
    tidy_log();
    return std::optional(std::move(next_));
  }

 private:
  static Status check_version(int version) {
    if (version > kVersionMax) {
      return Error{Code::kUnsupported,
                   fmt::format("Cannot upgrade table to unsupported format version: v{} (supported: v{})",
                               version, kVersionMax)};
    }
    return version < 1 ? Status(invalid(fmt::format("there is no format version {}", version))) : ok();
  }

  Status take(const AssignUuid& update) {
    if (update.uuid.size() != 36) {
      return invalid(fmt::format("'{}' is not a UUID", update.uuid.substr(0, 80)));
    }
    if (!is_new_ && update.uuid != next_.table_uuid) {
      return invalid(fmt::format("Cannot reassign uuid: the table's is {}", next_.table_uuid));
    }
    next_.table_uuid = update.uuid;
    return ok();
  }

  Status take(const UpgradeFormat& update) {
    TARN_CHECK(check_version(update.version));
    if (update.version < next_.format_version) {
      return invalid(fmt::format("Cannot downgrade v{} table to v{}", next_.format_version, update.version));
    }
    changed_ = changed_ || update.version != next_.format_version;
    next_.format_version = update.version;
    return ok();
  }

  Status take(const AddSchema& update) {
    auto schema = update.schema;
    TARN_CHECK(check_schema(schema));
    if (needs_version_3(schema.fields)) {
      return Error{Code::kUnsupported,
                   fmt::format("Invalid schema for v{}: nanosecond timestamps and default values are not "
                               "supported until v3",
                               next_.format_version)};
    }
    int greatest = -1;
    for (const auto& known : next_.schemas) {
      greatest = std::max(greatest, known.schema_id);
      if (same_fields(known, schema)) {
        last_schema_ = known.schema_id;
        return ok();
      }
    }
    TARN_CHECK(check_next_id("schema", greatest));
    schema.schema_id = greatest + 1;
    next_.last_column_id = std::max(next_.last_column_id, schema.max_field_id());
    last_schema_ = schema.schema_id;
    next_.schemas.push_back(std::move(schema));
    changed_ = true;
    return ok();
  }

  static Status check_next_id(std::string_view what, int greatest) {
    return greatest >= kIdMax ? Status(invalid(fmt::format("the table has no {} ids left", what))) : ok();
  }

  Status take(const SetCurrentSchema& update) {
    if (update.id == kLastAdded && !last_schema_) {
      return invalid("Cannot set last added schema: no schema has been added");
    }
    const int id = update.id == kLastAdded ? *last_schema_ : update.id;
    if (next_.schema(id) == nullptr) {
      return invalid(fmt::format("Cannot set current schema to unknown schema: {}", id));
    }
    changed_ = changed_ || id != next_.current_schema_id;
    next_.current_schema_id = id;
    return ok();
  }

  // The schema that new specs and sort orders are bound to.
  [[nodiscard]] Result<const Schema*> bound_schema() const {
    const auto* schema = next_.schema(next_.current_schema_id);
    if (schema == nullptr) {
      return invalid("a schema must be current before partition specs, sort orders and snapshots");
    }
    return schema;
  }

  static Status check_source(const Schema& schema, int source_id, const Transform& transform) {
    if (transform.kind == TransformKind::kVoid) {
      return ok();
    }
    const auto* source = schema.find(source_id);
    if (source == nullptr) {
      return invalid(fmt::format("Cannot find source column for id {}", source_id));
    }
    if (transform.kind == TransformKind::kUnknown) {
      return invalid(fmt::format("the transform '{}' is not known", transform.text.substr(0, 80)));
    }
    return check_transform(transform, source->type);
  }

  Status check_partition_names(const Schema& schema, const PartitionSpec& spec) const {
    std::set<std::string> names;
    std::set<int> ids;
    for (const auto& field : spec.fields) {
      TARN_CHECK(check_source(schema, field.source_id, field.transform));
      if (field.name.empty() || !names.insert(field.name).second) {
        return invalid(fmt::format("Cannot use partition name more than once: '{}'", field.name));
      }
      if (field.field_id != 0 && !ids.insert(field.field_id).second) {
        return invalid(fmt::format("Cannot use partition field id more than once: {}", field.field_id));
      }
      const auto* column = schema.find(field.name);
      const bool is_own =
          column != nullptr && column->id == field.source_id &&
          (field.transform.kind == TransformKind::kIdentity || field.transform.kind == TransformKind::kVoid);
      if (column != nullptr && !is_own && field.transform.kind != TransformKind::kVoid) {
        return invalid(
            fmt::format("Cannot create partition from name that exists in schema: {}", field.name));
      }
    }
    return ok();
  }

  // An id belongs to one source and transform for the table's whole life, or partition values would be mixed.
  Status check_field_id(const PartitionField& field) const {
    if (field.field_id < 1000 || field.field_id > kIdMax) {
      return invalid(fmt::format("the partition field '{}' has the id {}, which is not between 1000 and {}",
                                 field.name, field.field_id, kIdMax));
    }
    for (const auto& spec : next_.partition_specs) {
      for (const auto& known : spec.fields) {
        const bool is_void =
            known.transform.kind == TransformKind::kVoid || field.transform.kind == TransformKind::kVoid;
        if (known.field_id == field.field_id && !is_void &&
            (known.source_id != field.source_id || known.transform != field.transform)) {
          return invalid(fmt::format("the partition field id {} was given out before, to '{}'",
                                     field.field_id, known.name));
        }
      }
    }
    return ok();
  }

  int field_id_for(const PartitionField& field) {
    for (const auto& spec : next_.partition_specs) {
      for (const auto& known : spec.fields) {
        if (known.source_id == field.source_id && known.transform == field.transform) {
          return known.field_id;
        }
      }
    }
    return ++next_.last_partition_id;
  }

  Status take(const AddSpec& update) {
    TARN_TRY(const auto* schema, bound_schema());
    auto spec = update.spec;
    TARN_CHECK(check_partition_names(*schema, spec));
    auto same_field = [](const PartitionField& a, const PartitionField& b) {
      return a.source_id == b.source_id && a.transform == b.transform && a.name == b.name;
    };
    int greatest = -1;
    for (const auto& known : next_.partition_specs) {
      greatest = std::max(greatest, known.spec_id);
      if (std::equal(known.fields.begin(), known.fields.end(), spec.fields.begin(), spec.fields.end(),
                     same_field)) {
        last_spec_ = known.spec_id;
        return ok();
      }
    }
    TARN_CHECK(check_next_id("spec", greatest));
    for (auto& field : spec.fields) {
      if (field.field_id == 0) {
        field.field_id = field_id_for(field);
      }
      TARN_CHECK(check_field_id(field));
      next_.last_partition_id = std::max(next_.last_partition_id, field.field_id);
    }
    for (size_t i = 0; next_.format_version == 1 && i < spec.fields.size(); ++i) {
      if (spec.fields[i].field_id != 1000 + static_cast<int>(i)) {
        return invalid("Spec does not use sequential IDs that are required in v1");
      }
    }
    spec.spec_id = greatest + 1;
    last_spec_ = spec.spec_id;
    next_.partition_specs.push_back(std::move(spec));
    changed_ = true;
    return ok();
  }

  Status take(const SetDefaultSpec& update) {
    if (update.id == kLastAdded && !last_spec_) {
      return invalid("Cannot set last added spec: no spec has been added");
    }
    const int id = update.id == kLastAdded ? *last_spec_ : update.id;
    if (next_.spec(id) == nullptr) {
      return invalid(fmt::format("Cannot set default partition spec to unknown spec: {}", id));
    }
    changed_ = changed_ || id != next_.default_spec_id;
    next_.default_spec_id = id;
    return ok();
  }

  [[nodiscard]] bool has_order(int id) const {
    return std::any_of(next_.sort_orders.begin(), next_.sort_orders.end(),
                       [&](const SortOrder& order) { return order.order_id == id; });
  }

  Status take(const AddSortOrder& update) {
    TARN_TRY(const auto* schema, bound_schema());
    auto order = update.order;
    int greatest = 0;
    for (const auto& known : next_.sort_orders) {
      greatest = std::max(greatest, known.order_id);
      if (known.fields == order.fields) {
        last_order_ = known.order_id;
        return ok();
      }
    }
    for (const auto& field : order.fields) {
      if (field.transform.kind == TransformKind::kVoid) {
        return invalid("a table cannot be sorted by the transform void");
      }
      TARN_CHECK(check_source(*schema, field.source_id, field.transform));
    }
    TARN_CHECK(check_next_id("sort order", greatest));
    order.order_id = order.fields.empty() ? 0 : greatest + 1;
    last_order_ = order.order_id;
    next_.sort_orders.push_back(std::move(order));
    changed_ = true;
    return ok();
  }

  Status take(const SetDefaultSortOrder& update) {
    if (update.id == kLastAdded && !last_order_) {
      return invalid("Cannot set last added sort order: no sort order has been added");
    }
    const int id = update.id == kLastAdded ? *last_order_ : update.id;
    if (!has_order(id)) {
      return invalid(fmt::format("Cannot set default sort order to unknown sort order: {}", id));
    }
    changed_ = changed_ || id != next_.default_sort_order_id;
    next_.default_sort_order_id = id;
    return ok();
  }

  Status check_snapshot(const Snapshot& snapshot) const {
    TARN_TRY([[maybe_unused]] const auto* schema, bound_schema());
    if (next_.spec(next_.default_spec_id) == nullptr || next_.sort_orders.empty()) {
      return invalid("Attempting to add a snapshot before a partition spec and a sort order are added");
    }
    if (snapshot.snapshot_id < 0) {
      return invalid(fmt::format("the snapshot id {} is negative", snapshot.snapshot_id));
    }
    if (next_.snapshot(snapshot.snapshot_id) != nullptr) {
      return invalid(fmt::format("Snapshot already exists for id: {}", snapshot.snapshot_id));
    }
    if (snapshot.schema_id && next_.schema(*snapshot.schema_id) == nullptr) {
      return invalid(fmt::format("the snapshot's schema {} is not in the table", *snapshot.schema_id));
    }
    if (snapshot.sequence_number < 0 || snapshot.sequence_number > kSequenceMax) {
      return invalid(fmt::format("the sequence number {} is out of range", snapshot.sequence_number));
    }
    if (snapshot.timestamp_ms < 0 || snapshot.timestamp_ms > kSequenceMax) {
      return invalid(fmt::format("the time {} is out of range", snapshot.timestamp_ms));
    }
    if (next_.format_version > 1) {
      if (snapshot.manifest_list.empty()) {
        return invalid("a snapshot of format version 2 needs a manifest-list");
      }
      if (snapshot.sequence_number <= next_.last_sequence_number && snapshot.parent_snapshot_id) {
        return Error{
            Code::kConflict,
            fmt::format("Validation failed, please retry: Cannot add snapshot with sequence number {} "
                        "older than last sequence number {}",
                        snapshot.sequence_number, next_.last_sequence_number)};
      }
    }
    return ok();
  }

  Status take(const AddSnapshot& update) {
    TARN_CHECK(check_snapshot(update.snapshot));
    auto snapshot = update.snapshot;
    if (next_.format_version == 1) {
      snapshot.sequence_number = 0;
    }
    next_.last_sequence_number = std::max(next_.last_sequence_number, snapshot.sequence_number);
    added_.insert(snapshot.snapshot_id);
    next_.snapshots.push_back(std::move(snapshot));
    changed_ = true;
    return ok();
  }

  Status take(const RemoveSnapshots& update) {
    const std::set<int64_t> ids(update.ids.begin(), update.ids.end());
    const size_t before = next_.snapshots.size();
    std::erase_if(next_.snapshots, [&](const Snapshot& one) { return ids.contains(one.snapshot_id); });
    if (next_.snapshots.size() == before) {
      return ok();
    }
    changed_ = removed_ = true;
    for (const auto id : ids) {
      TARN_CHECK(take(RemoveStatistics{"statistics", id}));
      TARN_CHECK(take(RemoveStatistics{"partition-statistics", id}));
    }
    std::vector<std::string> dangling;
    for (const auto& [name, ref] : next_.refs) {
      if (ids.contains(ref.snapshot_id)) {
        dangling.push_back(name);
      }
    }
    for (const auto& name : dangling) {
      TARN_CHECK(take(RemoveRef{name}));
    }
    return ok();
  }

  static bool same_ref(const SnapshotRef& a, const SnapshotRef& b) {
    return a.snapshot_id == b.snapshot_id && a.type == b.type &&
           a.min_snapshots_to_keep == b.min_snapshots_to_keep &&
           a.max_snapshot_age_ms == b.max_snapshot_age_ms && a.max_ref_age_ms == b.max_ref_age_ms;
  }

  Status check_ref(const SetRef& update) const {
    const auto& ref = update.ref;
    if (update.name.empty()) {
      return invalid("a branch or tag needs a name");
    }
    if (next_.snapshot(ref.snapshot_id) == nullptr) {
      return invalid(fmt::format("Cannot set {} to unknown snapshot: {}", update.name, ref.snapshot_id));
    }
    if (update.name == kMain && ref.type != "branch") {
      return invalid("Cannot set main to a tag, it must be a branch");
    }
    if (ref.type == "tag" && (ref.min_snapshots_to_keep || ref.max_snapshot_age_ms)) {
      return invalid("Tags do not support setting minSnapshotsToKeep or maxSnapshotAgeMs");
    }
    const bool is_positive = ref.min_snapshots_to_keep.value_or(1) > 0 &&
                             ref.max_snapshot_age_ms.value_or(1) > 0 && ref.max_ref_age_ms.value_or(1) > 0;
    return is_positive ? ok() : Status(invalid("what a branch or tag keeps must be greater than 0"));
  }

  Status take(const SetRef& update) {
    const auto known = next_.refs.find(update.name);
    if (known != next_.refs.end() && same_ref(known->second, update.ref)) {
      return ok();
    }
    TARN_CHECK(check_ref(update));
    changed_ = true;
    next_.refs[update.name] = update.ref;
    if (update.name == kMain) {
      next_.current_snapshot_id = update.ref.snapshot_id;
      // Going back to an older snapshot happens now, whenever that one was made.
      const bool is_new = added_.contains(update.ref.snapshot_id);
      const int64_t time_ms = is_new ? next_.snapshot(update.ref.snapshot_id)->timestamp_ms : now_ms_;
      next_.snapshot_log.push_back({.timestamp_ms = time_ms, .snapshot_id = update.ref.snapshot_id});
      mains_.push_back(update.ref.snapshot_id);
    }
    return ok();
  }

  Status take(const RemoveRef& update) {
    if (update.name == kMain) {
      next_.current_snapshot_id.reset();
    }
    changed_ = next_.refs.erase(update.name) > 0 || changed_;
    return ok();
  }

  Status take(const SetLocation& update) {
    auto location = update.location;
    while (location.size() > 1 && location.ends_with('/')) {
      location.pop_back();
    }
    if (location.empty()) {
      return invalid("Invalid table location: empty");
    }
    changed_ = changed_ || location != next_.location;
    next_.location = std::move(location);
    return ok();
  }

  Status take(const SetProperties& update) {
    changed_ = changed_ || !update.properties.empty();
    for (const auto& [name, value] : update.properties) {
      next_.properties[name] = value;
    }
    return ok();
  }

  Status take(const RemoveProperties& update) {
    changed_ = changed_ || !update.names.empty();
    for (const auto& name : update.names) {
      next_.properties.erase(name);
    }
    return ok();
  }

  // Lists of statistics are among the members of the document that are kept as they are.
  Json others() const {
    auto rest = Json::parse(next_.other_json, nullptr, false);
    return rest.is_object() ? rest : Json::object();
  }
  static void erase_statistics(Json& list, int64_t snapshot_id) {
    Json kept = Json::array();
    for (const auto& one : list) {
      const auto* id = find_member(one, "snapshot-id");
      if (id == nullptr || !id->is_number_integer() || id->get<int64_t>() != snapshot_id) {
        kept.push_back(one);
      }
    }
    list = std::move(kept);
  }
  void keep_others(Json rest, const std::string& list) {
    if (rest[list].empty()) {
      rest.erase(list);
    }
    next_.other_json = rest.empty() ? "" : rest.dump(-1, ' ', false, Json::error_handler_t::replace);
    changed_ = true;
  }

  Status take(const SetStatistics& update) {
    if (next_.snapshot(update.snapshot_id) == nullptr) {
      return invalid(
          fmt::format("the statistics are of snapshot {}, which is not in the table", update.snapshot_id));
    }
    auto rest = others();
    auto& list = rest[update.list];
    list = list.is_array() ? list : Json::array();
    erase_statistics(list, update.snapshot_id);
    list.push_back(Json::parse(update.json, nullptr, false));
    keep_others(std::move(rest), update.list);
    return ok();
  }

  Status take(const RemoveStatistics& update) {
    auto rest = others();
    const auto found = rest.find(update.list);
    if (found == rest.end() || !found->is_array()) {
      return ok();
    }
    const size_t before = found->size();
    erase_statistics(*found, update.snapshot_id);
    if (found->size() != before) {
      keep_others(std::move(rest), update.list);
    }
    return ok();
  }

  Status take(const RemoveSpecs& update) {
    for (const int id : update.ids) {
      if (id == next_.default_spec_id) {
        return invalid("Cannot remove the default partition spec");
      }
      changed_ =
          std::erase_if(next_.partition_specs, [&](const auto& spec) { return spec.spec_id == id; }) > 0 ||
          changed_;
    }
    return ok();
  }

  Status take(const RemoveSchemas& update) {
    for (const int id : update.ids) {
      if (id == next_.current_schema_id) {
        return invalid("Cannot remove the current schema");
      }
      changed_ =
          std::erase_if(next_.schemas, [&](const auto& schema) { return schema.schema_id == id; }) > 0 ||
          changed_;
    }
    return ok();
  }

  // What a new table may leave out.
  void complete() {
    next_.last_updated_ms = now_ms_;
    if (next_.partition_specs.empty()) {
      next_.partition_specs.emplace_back();
      next_.default_spec_id = 0;
    }
    if (next_.sort_orders.empty()) {
      next_.sort_orders.emplace_back();
      next_.default_sort_order_id = 0;
    }
    changed_ = true;
  }

  [[nodiscard]] Status check_whole() const {
    TARN_TRY(const auto* schema, bound_schema());
    const auto* spec = next_.spec(next_.default_spec_id);
    if (spec == nullptr || !has_order(next_.default_sort_order_id)) {
      return invalid("the table needs a default partition spec and a default sort order");
    }
    for (const auto& field : spec->fields) {
      auto checked = check_source(*schema, field.source_id, field.transform);
      if (!checked) {
        return checked.error().at(fmt::format("partition field '{}'", field.name));
      }
    }
    for (const auto& order : next_.sort_orders) {
      for (const auto& field : order.fields) {
        if (order.order_id == next_.default_sort_order_id) {
          TARN_CHECK(check_source(*schema, field.source_id, field.transform));
        }
      }
    }
    return check_times();
  }

  // Readers refuse a log that runs back by more than a minute.
  [[nodiscard]] Status check_times() const {
    int64_t before = 0;
    for (const auto& entry : next_.snapshot_log) {
      if (entry.timestamp_ms < before - kMinuteMs) {
        return invalid(fmt::format("the snapshot {} is of more than a minute before the one that it follows",
                                   entry.snapshot_id));
      }
      before = std::max(before, entry.timestamp_ms);
    }
    return ok();
  }

  // Snapshots that were current only between two updates of this commit never were for anybody else; and a
  // log with a gap would tell a wrong snapshot for the time in it.
  void tidy_log() {
    const auto current = next_.current_snapshot_id.value_or(-1);
    std::set<int64_t> passing;
    for (const auto id : mains_) {
      if (id != current && added_.contains(id)) {
        passing.insert(id);
      }
    }
    auto& log = next_.snapshot_log;
    std::erase_if(log, [&](const auto& entry) { return passing.contains(entry.snapshot_id); });
    if (!removed_) {
      return;
    }
    const auto gap = std::find_if(log.rbegin(), log.rend(), [&](const auto& entry) {
      return next_.snapshot(entry.snapshot_id) == nullptr;
    });
    log.erase(log.begin(), gap.base());
  }

  const bool is_new_;
  const int64_t now_ms_;
  TableMetadata next_;
  bool changed_ = false;
  bool removed_ = false;        // snapshots
  std::set<int64_t> added_;     // snapshots
  std::vector<int64_t> mains_;  // snapshots that main was set to
  std::optional<int> last_schema_, last_spec_, last_order_;
};

}  // namespace

Result<std::optional<TableMetadata>> apply_updates(const TableMetadata* base,
                                                   const std::vector<TableUpdate>& updates, int64_t now_ms) {
  Updater updater(base, now_ms);
  TARN_CHECK(updater.apply(updates));
  return updater.finish();
}

}  // namespace tarn::iceberg
