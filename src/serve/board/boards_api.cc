#include "serve/board/boards_api.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time.h"
#include "board/edit.h"
#include "engine/rows_behind.h"
#include "report/ask.h"
#include "serve/board/board_stream.h"
#include "serve/http/exchange.h"
#include "serve/http/given.h"

namespace tarn::serve {
namespace {

constexpr int64_t kRowsBehind = 1000;

Json to_json(const board::TileConfig& tile) {
  Json channels = Json::object();
  for (const auto& [name, channel] : tile.channels)
    channels[name] = channel.columns;
  return {{"id", tile.id},
          {"type", board::name_of(tile.type)},
          {"title", tile.title},
          {"description", tile.description},
          {"query", tile.query.text},
          {"channels", channels},
          {"unit", tile.unit},
          {"format", tile.format},
          {"text", tile.text},
          {"at", {tile.box.x, tile.box.y, tile.box.width, tile.box.height}},
          {"line", tile.place.line}};
}

Result<board::Box> box_of(const Json& json) {
  const bool good =
      json.is_array() && json.size() == 4 &&
      std::all_of(json.begin(), json.end(), [](const Json& one) { return one.is_number_integer(); });
  if (!good)
    return Error{Code::kInvalid, "'at' must be [column, row, width, height]"};
  return board::Box{.x = json[0], .y = json[1], .width = json[2], .height = json[3]};
}

Result<board::TileDraft> draft_of(const Json& json) {
  if (!json.is_object())
    return Error{Code::kInvalid, "the body must have an object 'tile'"};
  board::TileDraft draft{.id = text_of(json, "id"),
                         .title = text_of(json, "title"),
                         .description = text_of(json, "description"),
                         .query = text_of(json, "query"),
                         .text = text_of(json, "text"),
                         .unit = text_of(json, "unit"),
                         .format = text_of(json, "format")};
  const auto type = board::tile_type_of(text_of(json, "type"));
  if (!type)
    return Error{Code::kInvalid, fmt::format("there is no type '{}' of tiles", text_of(json, "type"))};
  draft.type = *type;
  const auto channels = json.value("channels", Json::object());
  if (channels.is_object()) {
    for (const auto& [name, columns] : channels.items())
      draft.channels[name] = texts_of(channels, name.c_str());
  }
  if (json.contains("at")) {
    TARN_TRY(draft.at, box_of(json["at"]));
  }
  return draft;
}

// Filters take any value: one that is no choice now may be one after the next change of another filter.
std::vector<report::ParameterConfig> without_choices(std::vector<report::ParameterConfig> filters) {
  for (auto& filter : filters) {
    filter.choices.clear();
    filter.choices_query = {};
  }
  return filters;
}

// The place of a number: values by column.
std::map<std::string, std::optional<std::string>> conditions_of(const Json& body) {
  std::map<std::string, std::optional<std::string>> where;
  const auto conditions = body.value("where", Json::object());
  for (const auto& [column, text] : conditions.items())
    where[column] = text.is_string() ? std::optional(text.get<std::string>()) : std::nullopt;
  return where;
}

std::vector<engine::Parameter> bound_of(const std::vector<report::Value>& values) {
  std::vector<engine::Parameter> bound;
  for (const auto& value : values)
    bound.push_back(value.bound);
  return bound;
}

Json settled_json(const std::vector<report::Value>& values) {
  Json filters = Json::object();
  for (const auto& value : values) {
    filters[value.name] = value.bound.list   ? Json(*value.bound.list)
                          : value.bound.text ? Json({*value.bound.text})
                                             : Json::array();
  }
  return filters;
}

}  // namespace

struct BoardsApi::Compiled {
  std::shared_ptr<const board::Boards> boards;
  std::shared_ptr<const board::BoardConfig> config;
  std::map<std::string, board::TileQuery> tiles, filters;
};

Json to_json(const board::BoardConfig& config) {
  Json filters = Json::array();
  for (const auto& filter : config.filters) {
    Json choices = Json::array();
    for (const auto& choice : filter.choices)
      choices.push_back({{"value", choice.value}, {"label", choice.label}});
    filters.push_back({{"name", filter.name},
                       {"type", report::name_of(filter.type)},
                       {"label", filter.label},
                       {"description", filter.description},
                       {"required", filter.required},
                       {"default", filter.defaults.value_or(std::vector<std::string>())},
                       {"choices", choices},
                       {"asks", !filter.choices_query.text.empty()}});
  }
  Json tiles = Json::array();
  for (const auto& tile : config.tiles)
    tiles.push_back(to_json(tile));
  return {{"name", config.name},
          {"title", config.title},
          {"description", config.description},
          {"path", config.file.path},
          {"stamp", config.stamp},
          {"filters", filters},
          {"tiles", tiles}};
}

bool BoardsApi::handle(const Request& request, Response& response) {
  constexpr std::string_view kPath = "/api/v1/boards";
  std::string_view path = request.path;
  if (path != kPath && !path.starts_with("/api/v1/boards/"))
    return false;
  route(request, response, path.substr(kPath.size()));
  return true;
}

void BoardsApi::route(const Request& request, Response& response, std::string_view rest) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool posts = request.method == "POST";
  if (reads && rest.empty())
    return list(response);
  if (posts && rest.empty())
    return make(request, response);
  if (!rest.empty()) {
    rest.remove_prefix(1);
    const auto slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    const auto action = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (reads && action.empty())
      return show(name, response);
    if (posts && action == "data")
      return data(request, name, response);
    if (posts && action == "try")
      return try_tile(request, name, response);
    if (posts && action == "rows")
      return rows_behind(request, name, response);
    if (posts && action == "tiles")
      return change_tile(request, name, "", response);
    if (action.starts_with("tiles/") && (request.method == "PUT" || request.method == "DELETE"))
      return change_tile(request, name, std::string(action.substr(6)), response);
    if (request.method == "PUT" && action == "layout")
      return change_layout(request, name, response);
  }
  answer(response, Error{Code::kNotFound, fmt::format("there is no {} {}", request.method, request.path)});
}

void BoardsApi::list(Response& response) {
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  Json all = Json::array();
  for (const auto& config : (*boards)->configs()) {
    const auto whole = (*boards)->find_whole(config->name);
    all.push_back({{"name", config->name},
                   {"title", config->title},
                   {"description", config->description},
                   {"path", config->file.path},
                   {"tiles", config->tiles.size()},
                   {"mistake", whole ? "" : whole.error().message}});
  }
  answer(response, 200, {{"boards", all}});
}

void BoardsApi::show(const std::string& name, Response& response) {
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  const auto config = (*boards)->find_whole(name);
  config ? answer(response, 200, to_json(**config)) : answer(response, config.error());
}

std::shared_ptr<const BoardsApi::Compiled> BoardsApi::compiled(
    const std::shared_ptr<const board::Boards>& boards,
    const std::shared_ptr<const board::BoardConfig>& config) {
  const std::lock_guard lock(mutex_);
  auto& known = compiled_[config->name];
  if (known && known->config == config)
    return known;
  auto fresh = std::make_shared<Compiled>();
  fresh->boards = boards;
  fresh->config = config;
  for (const auto& tile : config->tiles) {
    if (!tile.query.text.empty())
      fresh->tiles.emplace(tile.id, boards->query_of(*config, tile.query));
  }
  for (const auto& filter : config->filters) {
    if (!filter.choices_query.text.empty())
      fresh->filters.emplace(filter.name, boards->query_of(*config, filter.choices_query));
  }
  known = fresh;
  return known;
}

Result<std::vector<report::Value>> BoardsApi::values_of(const board::Boards& boards,
                                                        const board::BoardConfig& config, const Json& body) {
  TARN_TRY(const auto given, given_of(body.value("filters", Json::object()), "filter"));
  return settle(boards, config, given);
}

Result<std::vector<report::Value>> BoardsApi::settle(const board::Boards& boards,
                                                     const board::BoardConfig& config,
                                                     const report::Given& given) {
  TARN_TRY(const auto session, sessions_.open({}));
  report::Asker asker(*session, env_, boards.models(), config.file);
  TARN_TRY(const auto today, asker.today());
  return report::settle_values(fmt::format("board {}", config.name), without_choices(config.filters), given,
                               today,
                               [](const report::ParameterConfig&) { return std::vector<report::Choice>(); });
}

void BoardsApi::data(const Request& request, const std::string& name, Response& response) {
  const auto boards = shelf_.boards(BoardShelf::Look::kLately);
  if (!boards)
    return answer(response, boards.error());
  const auto config = (*boards)->find_whole(name);
  if (!config)
    return answer(response, config.error());
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto values = values_of(**boards, **config, *body);
  if (!values)
    return answer(response, values.error());
  const auto all = compiled(*boards, *config);

  const auto bound = bound_of(*values);
  const auto known = body->value("known", Json::object());
  std::vector<StreamPart> parts;
  for (const auto& [kind, queries] : {std::pair{"filter", &all->filters}, {"tile", &all->tiles}}) {
    for (const auto& [id, query] : *queries)
      parts.push_back({kind, id, &query, text_of(known, (std::string(kind) + ":" + id).c_str())});
  }
  stream_board(answers_, {{"board", name}, {"stamp", (*config)->stamp}, {"filters", settled_json(*values)}},
               parts, bound, response);
}

// A tile that is not saved yet, with the data that it would show.
void BoardsApi::try_tile(const Request& request, const std::string& name, Response& response) {
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  const auto config = (*boards)->find_whole(name);
  if (!config)
    return answer(response, config.error());
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto values = values_of(**boards, **config, *body);
  if (!values)
    return answer(response, values.error());
  // Places in messages are those of the text alone.
  board::BoardConfig alone = **config;
  alone.file = {"query", text_of(*body, "query")};
  const auto query = (*boards)->query_of(alone, {alone.file.text, Place{"query", 1, 1}});
  std::vector<engine::Parameter> bound;
  for (const auto& value : *values)
    bound.push_back(value.bound);
  stream_board(answers_, {{"board", name}, {"stamp", (*config)->stamp}}, {{"tile", "try", &query, ""}}, bound,
               response);
}

// The rows that a number of a tile was made of.
void BoardsApi::rows_behind(const Request& request, const std::string& name, Response& response) {
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  const auto config = (*boards)->find_whole(name);
  if (!config)
    return answer(response, config.error());
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto all = compiled(*boards, *config);
  const auto tile = all->tiles.find(text_of(*body, "tile"));
  if (tile == all->tiles.end())
    return answer(response, Error{Code::kNotFound,
                                  fmt::format("board {} has no tile '{}'", name, text_of(*body, "tile"))});
  const auto values = values_of(**boards, **config, *body);
  if (!values)
    return answer(response, values.error());
  auto query = tile->second;
  if (query.mistake.empty()) {
    auto sql = engine::rows_behind(query.sql, conditions_of(*body), kRowsBehind);
    if (!sql)
      return answer(response, sql.error());
    query.sql = std::move(*sql);
  }
  std::vector<engine::Parameter> bound;
  for (const auto& value : *values)
    bound.push_back(value.bound);
  stream_board(answers_, {{"board", name}, {"stamp", (*config)->stamp}, {"sql", query.sql}},
               {{"tile", tile->first, &query, ""}}, bound, response);
}

void BoardsApi::write(const std::string& name, const std::string& stamp, const Change& change,
                      Response& response) {
  const std::lock_guard lock(writing_);
  shelf_.forget();
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  const auto config = (*boards)->find(name);
  if (!config)
    return answer(response, config.error());
  if ((*config)->stamp != stamp) {
    return answer(
        response,
        Error{Code::kConflict, fmt::format("{} was changed by somebody else since this page read it: look at "
                                           "what it is now and change it again",
                                           (*config)->file.path)});
  }
  const auto text = change(**config);
  if (!text)
    return answer(response, text.error());
  const auto written = replace_durable(*env_.files, (*boards)->root() + "/" + (*config)->file.path, *text);
  shelf_.forget();
  if (!written)
    return answer(response, written.error());
  show(name, response);
}

void BoardsApi::make(const Request& request, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto title = text_of(*body, "title");
  if (title.empty())
    return answer(response, Error{Code::kInvalid, "the body must have a text 'title'"});
  const std::lock_guard lock(writing_);
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  if (!boards)
    return answer(response, boards.error());
  const auto name = board::id_of(title);
  const auto folder = (*boards)->root() + "/boards";
  const auto path = fmt::format("{}/{}.yml", folder, name);
  const auto exists = env_.files->exists(path);
  if (exists && *exists)
    return answer(response, Error{Code::kConflict, fmt::format("boards/{}.yml is there already", name)});
  auto written = env_.files->make_folders(folder);
  if (written)
    written = write_durable(*env_.files, path, board::new_board(title));
  shelf_.forget();
  if (!written)
    return answer(response, written.error());
  show(name, response);
}

void BoardsApi::change_tile(const Request& request, const std::string& name, const std::string& id,
                            Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  const auto stamp = text_of(*body, "stamp");
  if (request.method == "DELETE")
    return write(name, stamp, [&](const auto& config) { return board::remove_tile(config, id); }, response);
  const auto draft = draft_of(body->value("tile", Json()));
  if (!draft)
    return answer(response, draft.error());
  const auto change = [&](const board::BoardConfig& config) {
    return id.empty() ? board::add_tile(config, *draft) : board::replace_tile(config, id, *draft);
  };
  write(name, stamp, change, response);
}

void BoardsApi::change_layout(const Request& request, const std::string& name, Response& response) {
  const auto body = body_of(request);
  if (!body)
    return answer(response, body.error());
  std::map<std::string, board::Box> boxes;
  const auto wanted = body->value("boxes", Json::object());
  for (const auto& [id, at] : wanted.items()) {
    const auto box = box_of(at);
    if (!box)
      return answer(response, box.error());
    boxes[id] = *box;
  }
  write(
      name, text_of(*body, "stamp"), [&](const auto& config) { return board::set_layout(config, boxes); },
      response);
}

Status BoardsApi::check_filters(const board::Boards& boards, const board::BoardConfig& config,
                                const report::Given& given) {
  const auto values = settle(boards, config, given);
  return values ? ok() : Status(values.error());
}

Result<BoardsApi::GuestLook> BoardsApi::guest_look(const Guest& guest, const Json& body) {
  const Error gone{Code::kNotFound, "this board cannot be shown now: ask whoever sent the link"};
  const auto boards = shelf_.boards(BoardShelf::Look::kLately);
  if (!boards)
    return gone;
  const auto config = (*boards)->find_whole(guest.board);
  if (!config)
    return gone;
  auto given = guest.filters;
  if (guest.may_filter) {
    TARN_TRY(const auto own, given_of(body.value("filters", Json::object()), "filter"));
    for (const auto& [name, values] : own)
      given[name] = values;
  }
  GuestLook look;
  TARN_TRY(look.values, settle(**boards, **config, given));
  look.all = compiled(*boards, *config);
  return look;
}

// Without queries, places in files and, where filters are fixed, the choices that there would be.
void BoardsApi::guest_board(const Guest& guest, Response& response) {
  const auto look = guest_look(guest, Json::object());
  if (!look)
    return answer(response, look.error());
  auto json = to_json(*look->all->config);
  json["path"] = json["name"] = "";
  json.erase("stamp");
  for (auto& tile : json["tiles"]) {
    tile["query"] = "";
    tile["line"] = 0;
  }
  for (auto& filter : json["filters"]) {
    filter["default"] = Json::array();
    if (!guest.may_filter)
      filter["choices"] = Json::array();
  }
  json["stamp"] = look->all->config->stamp;
  answer(response, 200,
         {{"board", json},
          {"filters", settled_json(look->values)},
          {"may_filter", guest.may_filter},
          {"may_see_rows", guest.may_see_rows},
          {"expires_at", format_utc(guest.expires_at)}});
}

void BoardsApi::guest_data(const Guest& guest, const Request& request, Response& response) {
  const auto body = body_of(request);
  const auto look = body ? guest_look(guest, *body) : Result<GuestLook>(body.error());
  if (!look)
    return answer(response, look.error());
  const auto known = body->value("known", Json::object());
  std::vector<StreamPart> parts;
  if (guest.may_filter) {
    for (const auto& [id, query] : look->all->filters)
      parts.push_back({"filter", id, &query, text_of(known, ("filter:" + id).c_str()), true});
  }
  for (const auto& [id, query] : look->all->tiles)
    parts.push_back({"tile", id, &query, text_of(known, ("tile:" + id).c_str()), true});
  stream_board(answers_,
               {{"board", ""}, {"stamp", look->all->config->stamp}, {"filters", settled_json(look->values)}},
               parts, bound_of(look->values), response);
}

void BoardsApi::guest_rows(const Guest& guest, const Request& request, Response& response) {
  const auto body = body_of(request);
  const auto look = body ? guest_look(guest, *body) : Result<GuestLook>(body.error());
  if (!look)
    return answer(response, look.error());
  const auto tile = look->all->tiles.find(text_of(*body, "tile"));
  if (tile == look->all->tiles.end())
    return answer(response, Error{Code::kNotFound, "the board has no such tile"});
  auto query = tile->second;
  if (query.mistake.empty()) {
    auto sql = engine::rows_behind(query.sql, conditions_of(*body), kRowsBehind);
    if (!sql)
      return answer(response, Error{Code::kInvalid, "the rows behind this number cannot be shown"});
    query.sql = std::move(*sql);
  }
  stream_board(answers_, {{"board", ""}, {"stamp", look->all->config->stamp}, {"sql", ""}},
               {{"tile", tile->first, &query, "", true}}, bound_of(look->values), response);
}

}  // namespace tarn::serve
