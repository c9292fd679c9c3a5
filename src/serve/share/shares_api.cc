#include "serve/share/shares_api.h"

#include <fmt/format.h>

#include "base/time.h"
#include "codec/json_depth.h"
#include "serve/http/given.h"

namespace tarn::serve {
namespace {

constexpr std::string_view kPage = "/share/";
constexpr std::string_view kGuest = "/api/v1/shared";
constexpr std::string_view kShares = "/api/v1/shares";
constexpr const char* kHeader = "x-tarn-share";
constexpr int kGuestsMax = 3;  // of the server's handlers; the others are for those who are logged in
constexpr double kDaysMax = 365;
constexpr size_t kLinksMax = 1000;

// No script, no name of the board, and the same for a link that ended and one that never was.
constexpr std::string_view kEnded = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>This link has ended</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;
margin:15vh auto;padding:0 1em;color-scheme:light dark}</style></head>
<body><h1>This link does not work any more</h1>
<p>It has ended or was taken back. Whoever sent it can make a new one.</p></body></html>
)";
constexpr std::string_view kEndedPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

bool reads(const net::HttpServerRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

void answer(net::HttpServerResponse& response, int status, const Json& body) {
  response.answer(status, "application/json", dump(body) + "\n");
}

void answer(net::HttpServerResponse& response, const Error& error) {
  constexpr int kTooMany = 429;
  if (error.code != Code::kExhausted)
    return answer(response, http_status_of(error.code), to_json(error));
  response.answer(kTooMany, "application/json", {{"Retry-After", "2"}}, dump(to_json(error)) + "\n");
}

bool is_guest(const net::HttpServerRequest& request) {
  if (reads(request) && (request.path.starts_with(kPage) || request.path == kGuest))
    return true;
  return request.method == "POST" && request.path.starts_with(kGuest) &&
         (request.path == std::string(kGuest) + "/data" || request.path == std::string(kGuest) + "/rows");
}

Json to_json(const Share& share) {
  return {{"id", share.id},
          {"board", share.board},
          {"filters", share.filters},
          {"may_filter", share.may_filter},
          {"may_see_rows", share.may_see_rows},
          {"created_at", format_utc(share.created_at)},
          {"expires_at", format_utc(share.expires_at)},
          {"used_at", share.used_at ? Json(format_utc(*share.used_at)) : Json()},
          {"uses", share.uses}};
}

// Counts those who are under way.
class Guest {
 public:
  explicit Guest(std::atomic<int>& guests) : guests_(guests), is_in_(guests.fetch_add(1) < kGuestsMax) {}
  ~Guest() { guests_.fetch_sub(1); }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  [[nodiscard]] bool is_in() const { return is_in_; }

 private:
  std::atomic<int>& guests_;
  const bool is_in_;
};

}  // namespace

void SharesApi::admit(net::HttpServerOptions& options) {
  options.is_open = [before = std::move(options.is_open)](const net::HttpServerRequest& request) {
    return is_guest(request) || (before && before(request));
  };
}

bool SharesApi::handle_guest(const Request& request, Response& response) {
  if (!is_guest(request))
    return false;
  const std::string_view path = request.path;
  if (path.starts_with(kPage))
    return open_page(path.substr(kPage.size()), response);
  ask(path.substr(kGuest.size()), request, response);
  return true;
}

// A good link goes on to the page's file, which holds no data.
bool SharesApi::open_page(std::string_view secret, Response& response) {
  const auto share = shares_.admit(secret);
  if (share) {
    shares_.note_use(share->id);
    return false;
  }
  if (share.error().code == Code::kExhausted) {
    answer(response, share.error());
    return true;
  }
  response.answer(404, "text/html; charset=utf-8", {{"Content-Security-Policy", std::string(kEndedPolicy)}},
                  std::string(kEnded));
  return true;
}

void SharesApi::ask(std::string_view what, const Request& request, Response& response) {
  const auto secret = request.headers.find(kHeader);
  const auto share = shares_.admit(secret == request.headers.end() ? "" : secret->second);
  if (!share)
    return answer(response, share.error());
  const Guest guest(guests_);
  if (!guest.is_in())
    return answer(response, Error{Code::kExhausted, "many look at this board just now: wait a moment"});
  const BoardsApi::Guest of{.board = share->board,
                            .filters = share->filters,
                            .may_filter = share->may_filter,
                            .may_see_rows = share->may_see_rows,
                            .expires_at = share->expires_at};
  if (what.empty())
    return boards_.guest_board(of, response);
  if (what == "/data")
    return boards_.guest_data(of, request, response);
  if (share->may_see_rows)
    return boards_.guest_rows(of, request, response);
  answer(response, Error{Code::kNotFound, "this link does not show the rows behind a number"});
}

bool SharesApi::handle(const Request& request, Response& response) {
  const std::string_view path = request.path;
  if (path == kShares && reads(request)) {
    list(request, response);
  } else if (path == kShares && request.method == "POST") {
    make(request, response);
  } else if (path.starts_with(kShares) && path.size() > kShares.size() + 1 && path[kShares.size()] == '/' &&
             request.method == "DELETE") {
    const auto revoked = shares_.revoke(std::string(path.substr(kShares.size() + 1)));
    revoked ? answer(response, 200, Json::object()) : answer(response, revoked.error());
  } else {
    return false;
  }
  return true;
}

void SharesApi::list(const Request& request, Response& response) {
  const auto board = request.query.find("board");
  Json all = Json::array();
  for (const auto& share : shares_.live()) {
    if (board == request.query.end() || board->second == share.board)
      all.push_back(to_json(share));
  }
  answer(response, 200, {{"shares", all}});
}

void SharesApi::make(const Request& request, Response& response) {
  if (codec::json_depth(request.body) > codec::kJsonDepthMax)
    return answer(response, Error{Code::kInvalid, "the body is nested too deep"});
  const auto body = Json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return answer(response, Error{Code::kInvalid, "the body must be a JSON object"});
  Share wanted{.board = text_of(body, "board")};
  const auto boards = shelf_.boards(BoardShelf::Look::kNow);
  const auto config = boards ? (*boards)->find_whole(wanted.board)
                             : Result<std::shared_ptr<const board::BoardConfig>>(boards.error());
  if (!config)
    return answer(response, config.error());
  const auto days = body.find("days");
  const double count = days != body.end() && days->is_number() ? days->get<double>() : 0;
  if (!(count > 0) || count > kDaysMax)
    return answer(response,
                  Error{Code::kInvalid, fmt::format("'days' must be more than 0 and at most {}", kDaysMax)});
  const auto filters = given_of(body.value("filters", Json::object()), "filter");
  if (!filters)
    return answer(response, filters.error());
  const auto checked = boards_.check_filters(**boards, **config, *filters);
  if (!checked)
    return answer(response, checked.error());
  if (shares_.live().size() >= kLinksMax)
    return answer(response, Error{Code::kConflict, "there are 1,000 links already: take some back first"});
  constexpr double kMicrosOfDay = 86'400e6;
  wanted.filters = *filters;
  wanted.may_filter = truth_of(body, "may_filter");
  wanted.may_see_rows = truth_of(body, "may_see_rows");
  wanted.expires_at = env_.clock->now() + Duration(static_cast<int64_t>(count * kMicrosOfDay));
  const auto made = shares_.make(std::move(wanted));
  if (!made)
    return answer(response, made.error());
  auto json = to_json(made->share);
  json["path"] = std::string(kPage) + made->secret;
  answer(response, 201, json);
}

}  // namespace tarn::serve
