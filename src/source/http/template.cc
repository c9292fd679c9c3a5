#include "source/http/template.h"

#include <fmt/format.h>

#include "source/config.h"

namespace tarn::source::http {
namespace {

std::string names_of(const std::map<std::string, std::string>& columns) {
  std::string names;
  for (const auto& [name, value] : columns) {
    names += names.empty() ? name : ", " + name;
  }
  return names.empty() ? "none" : names;
}

Result<std::string> column_value(const std::string& name, const RenderContext& context) {
  auto found = context.columns.find(name);
  if (found == context.columns.end()) {
    return Error{Code::kInvalid, fmt::format("nothing to put in for {{{}}}: the columns of each are {}", name,
                                             names_of(context.columns))};
  }
  return found->second;
}

}  // namespace

Result<std::vector<TemplatePiece>> parse_template(std::string_view text) {
  std::vector<TemplatePiece> pieces;
  auto add_text = [&pieces](std::string_view more) {
    if (pieces.empty() || pieces.back().kind != TemplatePiece::Kind::kText) {
      pieces.push_back({});
    }
    pieces.back().text += more;
  };
  for (size_t i = 0; i < text.size();) {
    bool reference = text.substr(i).starts_with("${");
    if (!reference && text[i] != '{') {
      add_text(text.substr(i++, 1));
      continue;
    }
    size_t end = text.find('}', i);
    std::string_view inside = end == std::string_view::npos
                                  ? ""
                                  : text.substr(i + (reference ? 2 : 1), end - i - (reference ? 2 : 1));
    if (reference) {
      bool known = inside.starts_with("env:") || inside.starts_with("file:") || inside.starts_with("var:");
      if (!known || inside.back() == ':') {
        return Error{Code::kInvalid,
                     fmt::format("'${{{}' is not a reference: write ${{env:NAME}}, ${{file:path}} or "
                                 "${{var:name}}",
                                 inside)};
      }
      pieces.push_back({TemplatePiece::Kind::kReference, std::string(text.substr(i, end - i + 1))});
    } else if (is_identifier(inside)) {
      pieces.push_back({TemplatePiece::Kind::kColumn, std::string(inside)});
    } else {
      add_text("{");
      ++i;
      continue;
    }
    i = end + 1;
  }
  return pieces;
}

Result<Rendered> render(std::string_view text, const RenderContext& context,
                        const std::function<std::string(std::string_view)>& encode) {
  TARN_TRY(auto pieces, parse_template(text));
  Rendered out;
  for (const auto& piece : pieces) {
    if (piece.kind == TemplatePiece::Kind::kText) {
      out.text += piece.text;
      out.shown += piece.text;
    } else if (piece.kind == TemplatePiece::Kind::kColumn) {
      TARN_TRY(std::string value, column_value(piece.text, context));
      value = encode ? encode(value) : value;
      out.text += value;
      out.shown += value;
    } else if (piece.text.starts_with("${var:")) {
      std::string name = piece.text.substr(6, piece.text.size() - 7);
      auto found = context.vars.find(name);
      if (found == context.vars.end()) {
        return Error{Code::kInvalid, fmt::format("{} is not among the vars of tarn.yml", piece.text)};
      }
      out.text += found->second;
      out.shown += found->second;
    } else {
      TARN_TRY(std::string secret, context.resolve_secret(piece.text));
      out.text += secret;
      out.shown += piece.text;
      out.secrets.push_back(std::move(secret));
    }
  }
  return out;
}

std::string scrub(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    for (size_t at = text.find(secret); !secret.empty() && at != std::string::npos;
         at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

}  // namespace tarn::source::http
