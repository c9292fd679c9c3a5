// How other engines reach the catalog of a server: texts to paste, one block an engine. tests/interop and
// tests/clients run each of them as it is printed.
#pragma once

#include <string>

namespace tarn::app {

struct ConnectText {
  std::string url;    // of the server, http://host:port
  std::string token;  // what the texts hold; a place of one where the reader may not see it
};

std::string connect_text(const ConnectText& server);

}  // namespace tarn::app
