#include <fmt/format.h>

#include "base/ids.h"
#include "iceberg/manifest_cache.h"
#include "serve/iceberg/api.h"

namespace tarn::serve {
namespace {

using engine::ViewChange;
using rest::Answer;
using rest::Subject;

constexpr int kTriesMax = 5;

std::string text_of(const engine::TableName& name) {
  return fmt::format("{}.{}", name.schema, name.name);
}

Answer no_view(const engine::TableName& name) {
  return rest::answer_error(404, "NoSuchViewException",
                            fmt::format("View does not exist: {}", text_of(name)));
}

int64_t ms_of(Timestamp time) {
  return time.time_since_epoch().count() / 1000;
}

}  // namespace

Result<iceberg::ViewMetadata> IcebergApi::view_document(const std::string& location) {
  TARN_TRY(const auto path, iceberg::local_path(location));
  TARN_TRY(const auto text, env_.files->read(path));
  auto metadata = iceberg::parse_view_metadata(text);
  return metadata ? metadata : metadata.error().at(location);
}

Answer IcebergApi::put_view(const Call& call, ViewChange change, const std::string& uuid) {
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.repeatable.by_body = change.kind == ViewChange::Kind::kReplace;
  request.views.push_back(std::move(change));
  const auto done = lake_.commit(std::move(request));
  if (!done)
    return rest::answer_error(done.error(), Subject::kView);
  const auto location = done->metadata_locations.find(uuid);
  if (location == done->metadata_locations.end())
    return rest::answer_error(500, "CommitStateUnknownException", "the commit did not say what it has made");
  return document(location->second, call, Subject::kView);
}

Answer IcebergApi::create_view(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kView);
  auto asked = rest::new_view_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kView);
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kView);
  const engine::TableName name{call.route.space, asked->name};
  if (auto taken = name_taken(**version, name, true))
    return std::move(*taken);
  const auto uuid = new_uuid(*env_.random);
  asked->commit.updates.emplace_back(iceberg::AssignViewUuid{uuid});
  auto made = iceberg::apply_view_commit(nullptr, asked->commit, ms_of(env_.clock->now()));
  if (!made)
    return rest::answer_error(made.error(), Subject::kView);
  ViewChange change{.kind = ViewChange::Kind::kCreate};
  change.view.name = name;
  change.view.uuid = uuid;
  change.document = std::make_shared<const iceberg::ViewMetadata>(std::move(**made));
  return put_view(call, std::move(change), uuid);
}

Answer IcebergApi::load_view(const Call& call, bool with_body) {
  const engine::TableName name{call.route.space, call.route.name};
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kView);
  const auto view = find_view(**version, name);
  if (view == nullptr)
    return no_view(name);
  return with_body ? document(view->metadata_location, call, Subject::kView) : rest::answer_empty();
}

// Requirements are of the view's UUID only, so a replacement is put on top of whatever is newest.
Answer IcebergApi::replace_view(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kView);
  const auto asked = rest::view_commit_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kView);
  const engine::TableName name{call.route.space, call.route.name};
  auto answered = no_view(name);
  for (int i = 0; i < kTriesMax; ++i) {
    const auto version = lake_.head();
    if (!version)
      return rest::answer_error(version.error(), Subject::kView);
    const auto view = find_view(**version, name);
    if (view == nullptr)
      return no_view(name);
    const auto base = view_document(view->metadata_location);
    auto next = base ? iceberg::apply_view_commit(&*base, *asked, ms_of(env_.clock->now()))
                     : Result<std::optional<iceberg::ViewMetadata>>(base.error());
    if (!next)
      return rest::answer_error(next.error(), Subject::kView);
    if (!*next)
      return document(view->metadata_location, call, Subject::kView);
    ViewChange change{.kind = ViewChange::Kind::kReplace};
    change.view.name = view->name;
    change.view.uuid = view->uuid;
    change.document = std::make_shared<const iceberg::ViewMetadata>(std::move(**next));
    change.base_location = view->metadata_location;
    answered = put_view(call, std::move(change), view->uuid);
    if (answered.status != 409)
      return answered;
  }
  return answered;
}

Answer IcebergApi::drop_view(const Call& call) {
  const engine::TableName name{call.route.space, call.route.name};
  if (call.done)
    return rest::answer_empty();
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kView);
  const auto view = find_view(**version, name);
  if (view == nullptr)
    return no_view(name);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.views.push_back({.kind = ViewChange::Kind::kDrop, .view = *view});
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kView);
}

// A view's document is written anew at its next version, so it begins here as a copy of the one that is
// there.
Answer IcebergApi::register_view(const Call& call) {
  if (call.done && !call.done->metadata_locations.empty())
    return document(call.done->metadata_locations.begin()->second, call, Subject::kView);
  const auto asked = rest::register_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), Subject::kView);
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kView);
  const engine::TableName name{call.route.space, asked->name};
  if (auto taken = name_taken(**version, name, true))
    return std::move(*taken);
  const auto text = lake_.read_outside(rest::plain_location(asked->metadata_location));
  auto found = text ? iceberg::parse_view_metadata(*text) : Result<iceberg::ViewMetadata>(text.error());
  if (!found) {
    return found.error().code == Code::kCorrupt
               ? rest::answer_error(400, "BadRequestException",
                                    fmt::format("{}: {}", asked->metadata_location, found.error().message))
               : rest::answer_error(found.error(), Subject::kView);
  }
  ViewChange change{.kind = ViewChange::Kind::kCreate};
  change.view.name = name;
  change.view.uuid = found->view_uuid;
  change.document = std::make_shared<const iceberg::ViewMetadata>(std::move(*found));
  const auto uuid = change.view.uuid;
  return put_view(call, std::move(change), uuid);
}

Answer IcebergApi::rename_view(const Call& call) {
  const auto version = lake_.head();
  if (!version)
    return rest::answer_error(version.error(), Subject::kView);
  auto asked = renaming_of(call, **version, true);
  if (auto* refused = std::get_if<Answer>(&asked))
    return std::move(*refused);
  const auto& [from, to] = std::get<Renaming>(asked);
  const auto view = find_view(**version, from);
  engine::CommitRequest request;
  request.repeatable = call.repeatable;
  request.views.push_back({.kind = ViewChange::Kind::kReplace, .view = *view, .rename_to = to});
  const auto done = lake_.commit(std::move(request));
  return done ? rest::answer_empty() : rest::answer_error(done.error(), Subject::kView);
}

}  // namespace tarn::serve
