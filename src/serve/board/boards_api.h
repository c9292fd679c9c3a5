// /api/v1/boards: which there are, one with its tiles, its data as lines that come when each is ready, and
// changes to its file.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/env/env.h"
#include "board/board.h"
#include "net/http_server.h"
#include "serve/board/tile_answers.h"
#include "serve/http/json.h"

namespace tarn::serve {

// The boards of the project as its text says them now. Thread-safe; cheap when nothing changed.
class BoardShelf {
 public:
  virtual ~BoardShelf() = default;
  enum class Look { kNow, kLately };  // kLately: as the text was half a second ago, or since
  virtual Result<std::shared_ptr<const board::Boards>> boards(Look look) = 0;
  // The next boards() reads the text again, whatever it looks like.
  virtual void forget() = 0;
};

// Called by several handler threads at once.
class BoardsApi {
 public:
  BoardsApi(Env& env, BoardShelf& shelf, session::SessionService& sessions)
      : env_(env), shelf_(shelf), sessions_(sessions), answers_(env, sessions) {}

  // False when the request is not for this.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  [[nodiscard]] const TileAnswers& answers() const { return answers_; }

  // Whoever has a link to one board (serve/share): sees what it shows, not what it is made of.
  struct Guest {
    std::string board;
    report::Given filters;  // of the link
    bool may_filter = false, may_see_rows = false;
    Timestamp expires_at;
  };
  void guest_board(const Guest& guest, net::HttpServerResponse& response);
  void guest_data(const Guest& guest, const net::HttpServerRequest& request,
                  net::HttpServerResponse& response);
  void guest_rows(const Guest& guest, const net::HttpServerRequest& request,
                  net::HttpServerResponse& response);
  Status check_filters(const board::Boards& boards, const board::BoardConfig& config,
                       const report::Given& given);

 private:
  using Request = net::HttpServerRequest;
  using Response = net::HttpServerResponse;
  void route(const Request& request, Response& response, std::string_view rest);
  void list(Response& response);
  void show(const std::string& name, Response& response);
  void data(const Request& request, const std::string& name, Response& response);
  void try_tile(const Request& request, const std::string& name, Response& response);
  void rows_behind(const Request& request, const std::string& name, Response& response);
  void make(const Request& request, Response& response);
  void change_tile(const Request& request, const std::string& name, const std::string& id,
                   Response& response);
  void change_layout(const Request& request, const std::string& name, Response& response);
  // Gives the board's text to `change` and writes what it returns, when the board is still the one that the
  // page shows: otherwise somebody else was faster, and is not overwritten.
  using Change = std::function<Result<std::string>(const board::BoardConfig&)>;
  void write(const std::string& name, const std::string& stamp, const Change& change, Response& response);
  // The compiled queries of one board; the same object as long as its text is the same.
  struct Compiled;
  std::shared_ptr<const Compiled> compiled(const std::shared_ptr<const board::Boards>& boards,
                                           const std::shared_ptr<const board::BoardConfig>& config);
  Result<std::vector<report::Value>> values_of(const board::Boards& boards, const board::BoardConfig& config,
                                               const Json& body);
  Result<std::vector<report::Value>> settle(const board::Boards& boards, const board::BoardConfig& config,
                                            const report::Given& given);
  // The board and the values that a guest sees; `body` counts as far as the link lets it.
  struct GuestLook {
    std::shared_ptr<const Compiled> all;
    std::vector<report::Value> values;
  };
  Result<GuestLook> guest_look(const Guest& guest, const Json& body);

  Env& env_;
  BoardShelf& shelf_;
  session::SessionService& sessions_;
  TileAnswers answers_;

  std::mutex writing_;  // one change of a file at a time; taken alone
  std::mutex mutex_;    // guards all below
  std::map<std::string, std::shared_ptr<const Compiled>> compiled_;  // by board
};

Json to_json(const board::BoardConfig& config);

}  // namespace tarn::serve
