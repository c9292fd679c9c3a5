#include "report/mail/html.h"

#include <algorithm>

#include <fmt/format.h>

#include "report/workbook/cell_value.h"

namespace tarn::report::mail {
namespace {

constexpr size_t kCellBytesMax = 2000;

std::string shown(const std::optional<std::string>& cell) {
  if (!cell)
    return "";
  bool cut = false;
  auto text = cell_text(*cell, cut, kCellBytesMax);
  return cut ? text + "…" : text;
}

std::string more_line(const BodyTable& table) {
  return fmt::format("{} of {} rows", table.rows.size(), table.all);
}

}  // namespace

Result<BodyTable> read_table(engine::ResultStream& rows, size_t rows_max) {
  BodyTable table{.columns = rows.columns()};
  while (true) {
    TARN_TRY(const auto batch, rows.next_text());
    if (!batch)
      return table;
    for (size_t row = 0; row < batch->rows && table.rows.size() < rows_max; ++row) {
      auto& cells = table.rows.emplace_back();
      for (const auto& column : batch->columns)
        cells.push_back(column.null[row] ? std::nullopt : std::optional(column.text[row]));
    }
    table.all += static_cast<int64_t>(batch->rows);
  }
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n': out += "<br>"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_body(const Body& body, const BodyTable* table) {
  // Styles stand in the elements: mail programs take no others.
  std::string out =
      "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head>\n"
      "<body style=\"font-family:sans-serif;font-size:14px;color:#222\">\n";
  out += fmt::format("<h2 style=\"font-size:18px;font-weight:600\">{}</h2>\n", html_escaped(body.title));
  if (!body.text.empty())
    out += fmt::format("<p>{}</p>\n", html_escaped(body.text));
  if (body.image) {
    out += fmt::format(
        "<p><img src=\"cid:{}\" alt=\"{}\" width=\"{}\" height=\"{}\" "
        "style=\"max-width:100%;height:auto;border:0\"></p>\n",
        html_escaped(body.image->id), html_escaped(body.image->words), body.image->width, body.image->height);
  }
  if (table != nullptr) {
    out += "<table style=\"border-collapse:collapse\">\n<tr>";
    for (const auto& column : table->columns)
      out +=
          fmt::format("<th style=\"text-align:{};padding:4px 10px;border-bottom:2px solid #1f4e78\">{}</th>",
                      is_number(kind_of_type(column.type)) ? "right" : "left", html_escaped(column.name));
    out += "</tr>\n";
    for (const auto& row : table->rows) {
      out += "<tr>";
      for (size_t i = 0; i < row.size(); ++i)
        out += fmt::format(
            "<td style=\"text-align:{};padding:3px 10px;border-bottom:1px solid #ddd\">{}</td>",
            is_number(kind_of_type(table->columns[i].type)) ? "right" : "left", html_escaped(shown(row[i])));
      out += "</tr>\n";
    }
    out += "</table>\n";
    if (table->all > static_cast<int64_t>(table->rows.size()))
      out += fmt::format("<p style=\"color:#666\">{}</p>\n", more_line(*table));
  }
  out += fmt::format("<p style=\"color:#666;font-size:12px\">{}</p>\n</body></html>\n",
                     html_escaped(body.footer));
  return out;
}

std::string text_body(const Body& body, const BodyTable* table) {
  std::string out = body.title + "\n\n";
  if (!body.text.empty())
    out += body.text + "\n\n";
  if (body.image)
    out += body.image->words + "\n\n";
  if (table != nullptr) {
    const auto line = [&](const std::vector<std::string>& cells) {
      auto text = fmt::format("{}", fmt::join(cells, " | "));
      std::replace(text.begin(), text.end(), '\n', ' ');
      out += text + "\n";
    };
    std::vector<std::string> names;
    for (const auto& column : table->columns)
      names.push_back(column.name);
    line(names);
    for (const auto& row : table->rows) {
      std::vector<std::string> cells;
      for (const auto& cell : row)
        cells.push_back(shown(cell));
      line(cells);
    }
    if (table->all > static_cast<int64_t>(table->rows.size()))
      out += more_line(*table) + "\n";
    out += "\n";
  }
  return out + body.footer + "\n";
}

}  // namespace tarn::report::mail
