// The data of one board for one page, as lines of JSON: first what is at hand, then each answer when it
// comes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "serve/board/tile_answers.h"
#include "serve/http/json.h"

namespace tarn::serve {

// A tile, or the choices of a filter.
struct StreamPart {
  std::string kind;  // "tile", "filter"
  std::string id;
  const board::TileQuery* query;
  std::string known_etag;  // what the page shows already; empty: nothing
  bool is_guest = false;   // sees neither the tables' names nor why a query failed
};

// Writes a line a part:
//   {"tile": id, "etag": …, "unchanged": true}
//   {"tile": id, "etag": …, "reads": [{"table", "changed_at", "outside"}], "columns": [{"name", "type"}],
//    "rows": [[…]], "cut": false, "took_ms": 12}
//   {"tile": id, "error": {"code", "message"}}
// An answer from before the tables changed, given because the query costs too much to be asked each time, has
// "again_in_ms": then the page asks again. One that may change though no table does has "good_for_ms".
// The head is the first line. Returns when all are written or the client is gone.
void stream_board(TileAnswers& answers, const Json& head, const std::vector<StreamPart>& parts,
                  const std::vector<engine::Parameter>& values, net::HttpServerResponse& response);

}  // namespace tarn::serve
