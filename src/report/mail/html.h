// The body of a mail: a query's rows as an HTML table and as plain text. Everything from data is escaped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/connection.h"

namespace tarn::report::mail {

struct BodyTable {
  std::vector<engine::Column> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // the first ones
  int64_t all = 0;                                            // how many there are
};

// Reads all rows, keeps `rows_max`.
Result<BodyTable> read_table(engine::ResultStream& rows, size_t rows_max);

struct Body {
  std::string title;
  std::string text;  // paragraphs, plain
  std::string footer;
  struct Image {
    std::string id;     // of the message's inline part
    std::string words;  // for who cannot see it
    int width = 0, height = 0;
  };
  std::optional<Image> image;
};

std::string html_body(const Body& body, const BodyTable* table);
std::string text_body(const Body& body, const BodyTable* table);
std::string html_escaped(std::string_view text);

}  // namespace tarn::report::mail
