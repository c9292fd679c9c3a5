#include "serve/iceberg/api.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/sha256.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/metadata_file.h"

namespace tarn::serve {
namespace {

using rest::Operation;
using rest::Subject;

constexpr std::string_view kPath = "/iceberg";
constexpr std::string_view kTokenPath = "/iceberg/v1/oauth/tokens";
constexpr std::string_view kSystemSpace = "_tarn";
constexpr size_t kKeyLength = 36;

bool is_ours(std::string_view path) {
  return path.starts_with(kPath) && (path.size() == kPath.size() || path[kPath.size()] == '/');
}

bool reads_only(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

bool is_uuid(std::string_view text) {
  if (text.size() != kKeyLength)
    return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char lower = static_cast<char>(text[i] | 0x20);
    const bool is_digit = (text[i] >= '0' && text[i] <= '9') || (lower >= 'a' && lower <= 'f');
    if (is_dash ? text[i] != '-' : !is_digit)
      return false;
  }
  return true;
}

bool has_body(Operation operation) {
  switch (operation) {
    case Operation::kCreateNamespace:
    case Operation::kUpdateNamespace:
    case Operation::kCreateTable:
    case Operation::kCommitTable:
    case Operation::kRegisterTable:
    case Operation::kReportMetrics:
    case Operation::kRenameTable:
    case Operation::kCommitTransaction:
    case Operation::kCreateView:
    case Operation::kReplaceView:
    case Operation::kRegisterView:
    case Operation::kRenameView: return true;
    case Operation::kConfig:
    case Operation::kToken:
    case Operation::kListNamespaces:
    case Operation::kLoadNamespace:
    case Operation::kNamespaceExists:
    case Operation::kDropNamespace:
    case Operation::kListTables:
    case Operation::kLoadTable:
    case Operation::kTableExists:
    case Operation::kDropTable:
    case Operation::kUnregisterTable:
    case Operation::kLoadCredentials:
    case Operation::kListViews:
    case Operation::kLoadView:
    case Operation::kViewExists:
    case Operation::kDropView: return false;
  }
  return false;
}

std::string header_of(const net::HttpServerRequest& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

// Whether If-None-Match names this tag; weak ones compare alike.
bool names_tag(std::string_view header, std::string_view tag) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    auto one = header.substr(0, comma);
    header.remove_prefix(comma == std::string_view::npos ? header.size() : comma + 1);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    if (one.starts_with("W/"))
      one.remove_prefix(2);
    if (one == tag || one == "*")
      return true;
  }
  return false;
}

// The document without the snapshots that no branch and no tag names.
std::string with_refs_only(const std::string& text) {
  auto document = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("snapshots") || !document["snapshots"].is_array())
    return text;
  std::set<int64_t> named;
  const auto refs = document.find("refs");
  if (refs != document.end() && refs->is_object()) {
    for (const auto& [name, ref] : refs->items())
      named.insert(ref.value("snapshot-id", int64_t{-1}));
  }
  auto kept = nlohmann::ordered_json::array();
  for (const auto& snapshot : document["snapshots"]) {
    if (named.contains(snapshot.value("snapshot-id", int64_t{-1})))
      kept.push_back(snapshot);
  }
  document["snapshots"] = std::move(kept);
  return document.dump();
}

}  // namespace

Result<std::unique_ptr<IcebergApi>> IcebergApi::open(Env& env, engine::LakeCatalog& lake,
                                                     store::Store& records, Options options) {
  TARN_TRY(auto refusals, rest::KeptRefusals::open(env, records));
  return std::unique_ptr<IcebergApi>(new IcebergApi(env, lake, std::move(refusals), std::move(options)));
}

void IcebergApi::admit(net::HttpServerOptions& options) {
  options.is_open = [before = std::move(options.is_open)](const net::HttpServerRequest& request) {
    return (request.method == "POST" && request.path == kTokenPath) || (before && before(request));
  };
  options.knows_token = [this](const net::HttpServerRequest& request, std::string_view token) {
    return is_ours(request.path) && tokens_.knows(token);
  };
  options.refusal_body = [](const net::HttpServerRequest& request, int status, const std::string& message) {
    if (!is_ours(request.path))
      return std::string();
    return rest::answer_error(status, status == 401 ? "NotAuthorizedException" : "ForbiddenException",
                              message)
        .body;
  };
}

bool IcebergApi::handle(const net::HttpServerRequest& request, net::HttpServerResponse& response) {
  if (!is_ours(request.path))
    return false;
  auto answered = answer(request);
  response.answer(answered.status, "application/json", answered.headers, std::move(answered.body));
  return true;
}

IcebergApi::Answer IcebergApi::answer(const net::HttpServerRequest& request) {
  const auto route = rest::route_of(request.method, std::string_view(request.raw_path).substr(kPath.size()));
  if (!route) {
    const auto& error = route.error();
    if (error.code == Code::kUnsupported)
      return rest::answer_error(405, "MethodNotAllowedException", error.message);
    return rest::answer_error(error, Subject::kCatalog);
  }
  if (route->operation == Operation::kConfig)
    return config();
  if (route->operation == Operation::kToken)
    return tokens_.answer(request);
  Call call{.request = request, .route = *route, .body = Json::object(), .repeatable = {}, .done = {}};
  if (has_body(route->operation)) {
    auto body = rest::object_of(request.body);
    if (!body)
      return rest::answer_error(body.error(), Subject::kCatalog);
    call.body = std::move(*body);
  }
  if (!reads_only(request.method)) {
    call.repeatable.key = header_of(request, "idempotency-key");
    call.repeatable.body =
        codec::sha256_hex(fmt::format("{} {}\n{}", request.method, request.raw_path, request.body));
    if (const auto purge = request.query.find("purgeRequested"); purge != request.query.end())
      call.repeatable.body = codec::sha256_hex(call.repeatable.body + purge->second);
  }
  return call.repeatable.key.empty() ? dispatch(call) : answer_once(call);
}

// A request with a key is answered as it was the first time, applied or refused.
IcebergApi::Answer IcebergApi::answer_once(Call& call) {
  const auto& key = call.repeatable.key;
  if (!is_uuid(key))
    return rest::answer_error(400, "BadRequestException", "Idempotency-Key is not a UUID");
  const auto refused = refusals_->find(key, call.repeatable.body);
  auto done = refused ? lake_.find_request(call.repeatable)
                      : Result<std::optional<engine::CommitOutcome>>(refused.error());
  if (!done) {
    return done.error().code == Code::kInvalid
               ? rest::answer_error(422, "UnprocessableEntityException", done.error().message)
               : rest::answer_error(done.error(), Subject::kCatalog);
  }
  if (*refused)
    return **refused;
  call.done = std::move(*done);
  auto answered = dispatch(call);
  if (call.done || answered.status < 400 || !rest::is_final(answered.status))
    return answered;
  // Refused because the same request, sent twice, was applied in between: that is its answer, then.
  auto meanwhile = lake_.find_request(call.repeatable);
  if (meanwhile && *meanwhile) {
    call.done = std::move(*meanwhile);
    return dispatch(call);
  }
  const auto kept = refusals_->keep(key, call.repeatable.body, answered);
  return kept ? answered : rest::answer_error(503, "SlowDownException", kept.error().message);
}

IcebergApi::Answer IcebergApi::dispatch(Call& call) {
  if (!reads_only(call.request.method)) {
    if (auto refused = refuse_system(call.route.space))
      return std::move(*refused);
  }
  switch (call.route.operation) {
    case Operation::kConfig:
    case Operation::kToken: break;
    case Operation::kListNamespaces: return list_namespaces(call);
    case Operation::kCreateNamespace: return create_namespace(call);
    case Operation::kLoadNamespace: return load_namespace(call.route.space, true);
    case Operation::kNamespaceExists: return load_namespace(call.route.space, false);
    case Operation::kDropNamespace: return drop_namespace(call);
    case Operation::kUpdateNamespace: return update_namespace(call);
    case Operation::kListTables: return list_names(call, false);
    case Operation::kCreateTable: return create_table(call);
    case Operation::kLoadTable: return load_table(call);
    case Operation::kTableExists: return table_exists(call);
    case Operation::kCommitTable: return commit_table(call);
    case Operation::kDropTable: return drop_table(call);
    case Operation::kUnregisterTable: return unregister_table(call);
    case Operation::kLoadCredentials: return load_credentials(call);
    case Operation::kRegisterTable: return register_table(call);
    case Operation::kReportMetrics: return report_metrics(call);
    case Operation::kRenameTable: return rename_table(call);
    case Operation::kCommitTransaction: return commit_transaction(call);
    case Operation::kListViews: return list_names(call, true);
    case Operation::kCreateView: return create_view(call);
    case Operation::kLoadView: return load_view(call, true);
    case Operation::kViewExists: return load_view(call, false);
    case Operation::kReplaceView: return replace_view(call);
    case Operation::kDropView: return drop_view(call);
    case Operation::kRegisterView: return register_view(call);
    case Operation::kRenameView: return rename_view(call);
  }
  return rest::answer_error(404, "NotFoundException", "there is no such path");
}

IcebergApi::Answer IcebergApi::config() {
  return rest::answer_json({{"defaults", Json::object()},
                            {"overrides", Json::object()},
                            {"endpoints", rest::endpoints()},
                            {"idempotency-key-lifetime", "PT24H"}});
}

bool IcebergApi::sees(const engine::TableName& name) const {
  return options_.visibility == nullptr || options_.visibility->can_see(engine::Principal(), name);
}

const engine::LakeSchema* IcebergApi::find_schema(const engine::LakeVersion& version,
                                                  const std::string& space) const {
  const auto found = version.schemas.find(engine::fold(space));
  if (found == version.schemas.end())
    return nullptr;
  const bool is_seen = options_.visibility == nullptr ||
                       options_.visibility->can_see_schema(engine::Principal(), found->second->name);
  return is_seen ? found->second.get() : nullptr;
}

IcebergApi::Table IcebergApi::find_table(const engine::LakeVersion& version,
                                         const engine::TableName& name) const {
  const auto* schema = find_schema(version, name.schema);
  if (schema == nullptr)
    return nullptr;
  const auto found = schema->tables.find(engine::fold(name.name));
  return found != schema->tables.end() && sees(found->second->name()) ? found->second : nullptr;
}

IcebergApi::View IcebergApi::find_view(const engine::LakeVersion& version,
                                       const engine::TableName& name) const {
  const auto* schema = find_schema(version, name.schema);
  if (schema == nullptr)
    return nullptr;
  const auto found = schema->views.find(engine::fold(name.name));
  return found != schema->views.end() && sees(found->second->name) ? found->second : nullptr;
}

// What exists but may not be seen is left to the commit, which says only that the name is taken.
std::optional<IcebergApi::Answer> IcebergApi::name_taken(const engine::LakeVersion& version,
                                                         const engine::TableName& name, bool for_view) const {
  if (find_schema(version, name.schema) == nullptr) {
    return rest::answer_error(404, "NoSuchNamespaceException",
                              fmt::format("Namespace does not exist: {}", name.schema));
  }
  const bool is_table = find_table(version, name) != nullptr;
  if (!is_table && find_view(version, name) == nullptr)
    return std::nullopt;
  const auto text = fmt::format("{}.{}", name.schema, name.name);
  return rest::answer_error(409, "AlreadyExistsException",
                            fmt::format("{}{} already exists: {}", is_table ? "Table" : "View",
                                        is_table == for_view ? " with same name" : "", text));
}

std::optional<IcebergApi::Answer> IcebergApi::refuse_system(const std::string& space) {
  if (engine::fold(space) != kSystemSpace)
    return std::nullopt;
  return rest::answer_error(403, "ForbiddenException",
                            fmt::format("'{}' belongs to Tarn and is only read from outside", space));
}

std::variant<IcebergApi::Renaming, IcebergApi::Answer> IcebergApi::renaming_of(
    const Call& call, const engine::LakeVersion& version, bool of_view) const {
  const auto asked = rest::rename_of(call.body);
  if (!asked)
    return rest::answer_error(asked.error(), of_view ? Subject::kView : Subject::kTable);
  for (const auto& space : {asked->from.schema, asked->to.schema}) {
    if (auto refused = refuse_system(space))
      return std::move(*refused);
  }
  if (call.done)
    return rest::answer_empty();
  const auto from = fmt::format("{}.{}", asked->from.schema, asked->from.name);
  const auto to = fmt::format("{}.{}", asked->to.schema, asked->to.name);
  const bool is_there =
      of_view ? find_view(version, asked->from) != nullptr : find_table(version, asked->from) != nullptr;
  if (!is_there) {
    return of_view
               ? rest::answer_error(404, "NoSuchViewException", fmt::format("View does not exist: {}", from))
               : rest::answer_error(404, "NoSuchTableException",
                                    fmt::format("Table does not exist: {}", from));
  }
  const bool is_table = find_table(version, asked->to) != nullptr;
  if (is_table || find_view(version, asked->to) != nullptr) {
    return rest::answer_error(
        409, "AlreadyExistsException",
        fmt::format("Cannot rename {} to {}. {} already exists", from, to, is_table ? "Table" : "View"));
  }
  if (auto taken = name_taken(version, asked->to, of_view))
    return std::move(*taken);
  return Renaming{asked->from, asked->to};
}

IcebergApi::Answer IcebergApi::document(const std::string& location, const Call& call, Subject subject) {
  const auto mode = call.request.query.find("snapshots");
  const bool refs_only = mode != call.request.query.end() && mode->second == "refs";
  const auto tag =
      fmt::format("\"{}\"", codec::sha256_hex(location + (refs_only ? " refs" : " all")).substr(0, 32));
  const bool loads = call.request.method == "GET";
  const auto path = iceberg::local_path(location);
  if (!path)
    return rest::answer_error(path.error(), subject);
  auto text = env_.files->read(*path);
  if (text)
    text = iceberg::metadata_text(std::move(*text));
  if (!text) {
    if (text.error().code == Code::kNotFound) {
      return rest::answer_error(404, "NotFoundException",
                                fmt::format("Failed to open input stream for file: {}", location));
    }
    return rest::answer_error(text.error(), subject);
  }
  text = iceberg::metadata_text(std::move(*text));
  if (!text)
    return rest::answer_error(text.error().at(location), subject);
  if (loads && subject == Subject::kTable && names_tag(header_of(call.request, "if-none-match"), tag))
    return {.status = 304, .body = "", .headers = {{"ETag", tag}}};
  if (refs_only)
    *text = with_refs_only(*text);
  // The document is sent as it was written: it may be large, and nothing in it is for us.
  Answer answer{
      .status = 200,
      .body = fmt::format(R"({{"metadata-location":{},"metadata":{},"config":{{}}}})", dump(location), *text),
      .headers = {}};
  if (subject == Subject::kTable)
    answer.headers.emplace_back("ETag", tag);
  return answer;
}

}  // namespace tarn::serve
