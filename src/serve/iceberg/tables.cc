#include <fmt/format.h>

#include "base/ids.h"
#include "iceberg/manifest_cache.h"
#include "serve/iceberg/api.h"

namespace tarn::serve {
namespace {

using engine::TableChange;
using rest::Answer;
using rest::Subject;

std::string text_of(const engine::TableName& name) {
  return fmt::format("{}.{}", name.schema, name.name);
}

Answer no_table(const engine::TableName& name) {
  return rest::answer_error(404, "NoSuchTableException",
                            fmt::format("Table does not exist: {}", text_of(name)));
}

}  // namespace

// The table that these updates make, not committed yet. Its location is chosen here when none is asked for,
// because a staged table is written to before it is committed.
Result<TableChange> IcebergApi::creation(const engine::TableName& name,
                                         std::shared_ptr<const iceberg::TableCommit> commit) {
  const auto now_ms = env_.clock->now().time_since_epoch().count() / 1000;
  TARN_CHECK(iceberg::check_requirements(commit->requirements, nullptr));
  TARN_TRY(auto made, iceberg::apply_updates(nullptr, commit->updates, now_ms));
  if (!made)
    return Error{Code::kInternal, "a new table came out as nothing"};
  TableChange change{.kind = TableChange::Kind::kCreate, .name = name};
  if (made->table_uuid.empty())
    made->table_uuid = new_uuid(*env_.random);
  if (made->location.empty()) {
    constexpr std::string_view kData = "/data";
    TARN_TRY(const auto folder, lake_.data_folder(name, made->table_uuid, nullptr));
    const auto home = folder.substr(0, folder.size() - kData.size());
    TARN_CHECK(env_.files->make_folders(home + "/metadata"));  // DuckDB's writer makes none
    made->location = "file://" + home;
  }
  change.uuid = made->table_uuid;
  change.changed = std::make_shared<const iceberg::TableMetadata>(std::move(*made));
  change.outside = std::move(commit);
  return change;
}

Answer IcebergApi::create_table(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kTable);
  auto asked = rest::new_table_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kTable);
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  const engine::TableName name{call.route.space, asked->name};
  if (auto taken = name_taken(**version, name, false))
    return std::move(*taken);
  if (!asked->location.empty())
    asked->updates.emplace_back(iceberg::SetLocation{rest::plain_location(asked->location)});
  iceberg::TableCommit commit{.requirements = {{.kind = iceberg::TableRequirement::Kind::kCreate}},
                              .updates = std::move(asked->updates)};
  auto change = creation(name, std::make_shared<const iceberg::TableCommit>(std::move(commit)));
  if (!change)
    return rest::answer_error(change.error(), Subject::kNamespace);
  if (asked->is_staged) {
    return {.status = 200,
            .body = fmt::format(R"({{"metadata":{},"config":{{}}}})", iceberg::to_json(*change->changed)),
            .headers = {}};
  }
  return commit_change(call, std::move(*change), false);
}

Answer IcebergApi::load_table(const Call& call) {
  const engine::TableName name{call.route.space, call.route.name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  const auto mode = call.request.query.find("snapshots");
  if (mode != call.request.query.end() && mode->second != "all" && mode->second != "refs")
    return rest::answer_error(400, "BadRequestException", "snapshots must be 'all' or 'refs'");
  const auto table = find_table(**version, name);
  return table == nullptr ? no_table(name) : document(table->metadata_location(), call, Subject::kTable);
}

Answer IcebergApi::table_exists(const Call& call) {
  const engine::TableName name{call.route.space, call.route.name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  return find_table(**version, name) == nullptr ? no_table(name) : rest::answer_empty();
}

Answer IcebergApi::drop_table(const Call& call) {
  const engine::TableName name{call.route.space, call.route.name};
  if (call.done)
    return rest::answer_empty();
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  const auto table = find_table(**version, name);
  if (table == nullptr)
    return no_table(name);
  const auto purge = call.request.query.find("purgeRequested");
  TableChange change{.kind = TableChange::Kind::kDrop, .name = table->name(), .uuid = table->uuid()};
  change.purge =
      purge != call.request.query.end() && engine::fold(purge->second) == "true";  // Python: "True"
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.tables.push_back(std::move(change));
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kTable);
}

Answer IcebergApi::unregister_table(const Call& call) {
  const engine::TableName name{call.route.space, call.route.name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  const auto table = find_table(**version, name);
  if (table == nullptr)
    return no_table(name);
  auto last = document(table->metadata_location(), call, Subject::kTable);
  if (last.status != 200)
    return last;
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.tables.push_back({.kind = TableChange::Kind::kDrop, .name = table->name(), .uuid = table->uuid()});
  const auto done = lake_.commit(std::move(request));
  return done ? last : rest::answer_error(done.error(), Subject::kTable);
}

// Files are on disks of this machine, which a client reads with rights of its own.
Answer IcebergApi::load_credentials(const Call& call) {
  const auto exists = table_exists(call);
  return exists.status == 204 ? rest::answer_json({{"storage-credentials", Json::array()}}) : exists;
}

Answer IcebergApi::register_table(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kTable);
  const auto asked = rest::register_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kTable);
  const engine::TableName name{call.route.space, asked->name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  const auto there = find_table(**version, name);
  if (there == nullptr || !asked->overwrites) {
    if (auto taken = name_taken(**version, name, false))
      return std::move(*taken);
  }
  const auto location = rest::plain_location(asked->metadata_location);
  auto found = lake_.find_outside(location);
  if (!found)
    return rest::answer_error(found.error(), Subject::kTable);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  if (there != nullptr)
    request.tables.push_back(
        {.kind = TableChange::Kind::kDrop, .name = there->name(), .uuid = there->uuid()});
  TableChange change{.kind = TableChange::Kind::kCreate, .name = name, .uuid = (*found)->table_uuid};
  change.changed = std::move(*found);
  change.registered_location = location;
  request.tables.push_back(std::move(change));
  const auto done = lake_.commit(std::move(request));
  return done ? document(location, call, Subject::kTable)
              : rest::answer_error(done.error(), Subject::kNamespace);
}

Answer IcebergApi::rename_table(const Call& call) {
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kTable);
  auto asked = renaming_of(call, **version, false);
  if (auto* refused = std::get_if<Answer>(&asked))
    return std::move(*refused);
  const auto& [from, to] = std::get<Renaming>(asked);
  const auto table = find_table(**version, from);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  TableChange change{.kind = TableChange::Kind::kUpdate, .name = table->name(), .uuid = table->uuid()};
  change.rename_to = to;
  request.tables.push_back(std::move(change));
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kTable);
}

Answer IcebergApi::report_metrics(const Call& call) {
  const auto type = serve::text_of(call.body, "report-type");
  if (type != "scan-report" && type != "commit-report") {
    return rest::answer_error(400, "BadRequestException",
                              "the member 'report-type' must be 'scan-report' or 'commit-report'");
  }
  return table_exists(call);
}

}  // namespace tarn::serve
