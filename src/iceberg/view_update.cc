#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "iceberg/view_metadata.h"

namespace tarn::iceberg {
namespace {

constexpr int kLastAdded = -1;
constexpr int kIdMax = 1 << 30;
constexpr size_t kHistoryUsual = 10;

Error invalid(std::string message) {
  return {Code::kInvalid, std::move(message)};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::set<std::string> dialects_of(const ViewVersion& version) {
  std::set<std::string> dialects;
  for (const auto& one : version.representations) {
    dialects.insert(lower(one.dialect));
  }
  return dialects;
}

bool same_version(const ViewVersion& a, const ViewVersion& b) {
  return a.summary == b.summary && a.representations == b.representations &&
         a.default_catalog == b.default_catalog && a.default_namespace == b.default_namespace &&
         a.schema_id == b.schema_id;
}

class Updater {
 public:
  Updater(const ViewMetadata* base, int64_t now_ms) : base_(base), now_ms_(now_ms) {
    if (base != nullptr) {
      next_ = *base;
    } else {
      next_.current_version_id = kLastAdded;
    }
  }

  Status take(const AssignViewUuid& update) {
    if (update.uuid.size() != 36) {
      return invalid(fmt::format("'{}' is not a UUID", update.uuid.substr(0, 80)));
    }
    if (base_ != nullptr && update.uuid != next_.view_uuid) {
      return invalid("Cannot reassign uuid");
    }
    changed_ = changed_ || next_.view_uuid != update.uuid;
    next_.view_uuid = update.uuid;
    return ok();
  }

  Status take(const UpgradeViewFormat& update) {
    return update.version == 1
               ? ok()
               : Status(invalid(fmt::format("Cannot upgrade view to unsupported format version "
                                            "v{} (supported: v1)",
                                            update.version)));
  }

  Status take(const AddViewSchema& update) {
    TARN_CHECK(check_schema(update.schema));
    int greatest = -1;
    for (const auto& known : next_.schemas) {
      greatest = std::max(greatest, known.schema_id);
      if (same_fields(known, update.schema)) {
        last_schema_ = known.schema_id;
        return ok();
      }
    }
    if (greatest >= kIdMax) {
      return invalid("the view has no schema ids left");
    }
    next_.schemas.push_back(update.schema);
    next_.schemas.back().schema_id = greatest + 1;
    last_schema_ = greatest + 1;
    changed_ = true;
    return ok();
  }

  Status take(const SetViewLocation& update) {
    if (update.location.empty()) {
      return invalid("Invalid view location: empty");
    }
    changed_ = changed_ || update.location != next_.location;
    next_.location = update.location;
    return ok();
  }

  Status take(const SetViewProperties& update) {
    changed_ = changed_ || !update.properties.empty();
    for (const auto& [name, value] : update.properties) {
      next_.properties[name] = value;
    }
    return ok();
  }

  Status take(const RemoveViewProperties& update) {
    changed_ = changed_ || !update.names.empty();
    for (const auto& name : update.names) {
      next_.properties.erase(name);
    }
    return ok();
  }

  Status take(const AddViewVersion& update) {
    auto version = update.version;
    if (version.schema_id == kLastAdded) {
      if (!last_schema_) {
        return invalid("Cannot set last added schema: no schema has been added");
      }
      version.schema_id = *last_schema_;
    }
    if (next_.schema(version.schema_id) == nullptr) {
      return invalid(fmt::format("Cannot add version with unknown schema: {}", version.schema_id));
    }
    if (version.representations.empty()) {
      return invalid("Invalid view version: it has no representation");
    }
    std::set<std::string> dialects;
    for (const auto& one : version.representations) {
      if (!dialects.insert(lower(one.dialect)).second) {
        return invalid(fmt::format("Invalid view version: Cannot add multiple queries for dialect {}",
                                   lower(one.dialect)));
      }
    }
    for (const auto& known : next_.versions) {
      if (same_version(known, version)) {
        last_version_ = known.version_id;
        return ok();
      }
      version.version_id = std::max(version.version_id, std::min(known.version_id, kIdMax) + 1);
    }
    last_version_ = version.version_id;
    added_.insert(version.version_id);
    next_.versions.push_back(std::move(version));
    changed_ = true;
    return ok();
  }

  Status take(const SetCurrentViewVersion& update) {
    if (update.id == kLastAdded && !last_version_) {
      return invalid("Cannot set last version id: no current version id has been set");
    }
    const int id = update.id == kLastAdded ? *last_version_ : update.id;
    const auto* version = next_.version(id);
    if (version == nullptr) {
      return invalid(fmt::format("Cannot set current version to unknown version: {}", id));
    }
    if (id == next_.current_version_id) {
      return ok();
    }
    next_.current_version_id = id;
    entry_ = {.timestamp_ms = added_.contains(id) ? version->timestamp_ms : now_ms_, .version_id = id};
    changed_ = true;
    return ok();
  }

  Result<std::optional<ViewMetadata>> finish() {
    if (!changed_) {
      return std::optional<ViewMetadata>();
    }
    if (next_.current_version() == nullptr) {
      return invalid("Invalid view: no versions were added");
    }
    if (entry_) {
      next_.version_log.push_back(*entry_);
    }
    TARN_CHECK(check_dialects());
    TARN_CHECK(expire());
    return std::optional(std::move(next_));
  }

 private:
  [[nodiscard]] std::string property(const char* name) const {
    const auto found = next_.properties.find(name);
    return found == next_.properties.end() ? "" : found->second;
  }

  // An engine must not take away another one's text unless the view allows it.
  [[nodiscard]] Status check_dialects() const {
    constexpr const char* kAllowed = "replace.drop-dialect.allowed";
    if (base_ == nullptr || base_->current_version() == nullptr || property(kAllowed) == "true") {
      return ok();
    }
    const auto before = dialects_of(*base_->current_version());
    const auto after = dialects_of(*next_.current_version());
    if (std::includes(after.begin(), after.end(), before.begin(), before.end())) {
      return ok();
    }
    return invalid(
        fmt::format("Cannot replace view due to loss of view dialects ({}=false):\nPrevious "
                    "dialects: [{}]\nNew dialects: [{}]",
                    kAllowed, fmt::join(before, ", "), fmt::join(after, ", ")));
  }

  // Old versions go, but for those added now and the current one; and with them what came before in the log.
  Status expire() {
    constexpr const char* kSize = "version.history.num-entries";
    size_t keep = kHistoryUsual;
    if (const auto text = property(kSize); !text.empty()) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), keep);
      if (error != std::errc() || end != text.data() + text.size() || keep == 0) {
        return invalid(fmt::format("{} must be positive but was {}", kSize, text));
      }
    }
    auto wanted = added_;
    wanted.insert(next_.current_version_id);
    keep = std::max(keep, wanted.size());
    std::vector<int> ids;
    for (const auto& version : next_.versions) {
      ids.push_back(version.version_id);
    }
    std::sort(ids.rbegin(), ids.rend());
    std::set<int> kept = {next_.current_version_id};
    for (size_t i = 0; i < ids.size() && kept.size() < keep; ++i) {
      kept.insert(ids[i]);
    }
    std::erase_if(next_.versions, [&](const auto& version) { return !kept.contains(version.version_id); });
    auto& log = next_.version_log;
    const auto gap = std::find_if(log.rbegin(), log.rend(),
                                  [&](const auto& one) { return !kept.contains(one.version_id); });
    log.erase(log.begin(), gap.base());
    return ok();
  }

  const ViewMetadata* base_;
  const int64_t now_ms_;
  ViewMetadata next_;
  bool changed_ = false;
  std::set<int> added_;  // versions
  std::optional<int> last_schema_, last_version_;
  std::optional<ViewLogEntry> entry_;
};

}  // namespace

Result<std::optional<ViewMetadata>> apply_view_commit(const ViewMetadata* base, const ViewCommit& commit,
                                                      int64_t now_ms) {
  for (const auto& uuid : commit.uuids) {
    if (base == nullptr || lower(uuid) != lower(base->view_uuid)) {
      return Error{Code::kConflict,
                   fmt::format("Requirement failed: view UUID does not match: expected {} != {}",
                               base == nullptr ? "none" : base->view_uuid, uuid)};
    }
  }
  Updater updater(base, now_ms);
  for (const auto& update : commit.updates) {
    TARN_CHECK(std::visit([&](const auto& one) { return updater.take(one); }, update));
  }
  return updater.finish();
}

}  // namespace tarn::iceberg
