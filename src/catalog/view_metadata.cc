#include "catalog/view_metadata.h"

#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tarn::catalog {
namespace {

using nlohmann::json;

constexpr int kDepthMax = 20;

// Turns DuckDB's names of types into Iceberg's; what Iceberg does not have is shown as string.
class TypeWriter {
 public:
  json type(std::string_view text, int depth) {
    text = trimmed(text);
    if (depth > kDepthMax) {
      return "string";
    }
    if (text.ends_with("]")) {
      int id = next_id();
      return {{"type", "list"},
              {"element-id", id},
              {"element", type(text.substr(0, text.rfind('[')), depth + 1)},
              {"element-required", false}};
    }
    size_t open = text.find('(');
    std::string name = upper(text.substr(0, open));
    if (open != std::string_view::npos && text.ends_with(")")) {
      std::string_view inner = text.substr(open + 1, text.size() - open - 2);
      if (name == "STRUCT") {
        return {{"type", "struct"}, {"fields", fields(inner, depth)}};
      }
      if (name == "MAP") {
        return map(inner, depth);
      }
      if (name == "DECIMAL") {
        return decimal(inner);
      }
    }
    return primitive(name);
  }

  int next_id() { return ++last_id_; }

 private:
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') {
      text.remove_prefix(1);
    }
    while (!text.empty() && text.back() == ' ') {
      text.remove_suffix(1);
    }
    return text;
  }

  static std::string upper(std::string_view text) {
    std::string result(trimmed(text));
    for (char& c : result) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return result;
  }

  // The parts of "a INTEGER, b STRUCT(x INTEGER, y INTEGER)" between the commas of the outermost level.
  static std::vector<std::string_view> parts_of(std::string_view text) {
    std::vector<std::string_view> parts;
    int depth = 0;
    bool quoted = false;
    size_t begin = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      quoted = quoted != (text[i] == '"');
      depth += quoted ? 0 : text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
      if (text[i] == ',' && depth == 0 && !quoted) {
        parts.push_back(trimmed(text.substr(begin, i - begin)));
        begin = i + 1;
      }
    }
    parts.push_back(trimmed(text.substr(begin)));
    return parts;
  }

  // Takes the name from the front of "a INTEGER" or of "\"b \"\"c\"\"\" INTEGER".
  static std::string take_name(std::string_view& part) {
    std::string name;
    size_t i = 0;
    if (!part.starts_with('"')) {
      i = std::min(part.find(' '), part.size());
      name = part.substr(0, i);
    } else {
      for (i = 1; i < part.size(); ++i) {
        if (part[i] == '"' && !part.substr(i + 1).starts_with('"')) {
          ++i;
          break;
        }
        i += part[i] == '"' ? 1 : 0;
        name += part[i];
      }
    }
    part.remove_prefix(i);
    return name;
  }

  json fields(std::string_view inner, int depth) {
    json list = json::array();
    for (std::string_view part : parts_of(inner)) {
      std::string name = take_name(part);
      int id = next_id();
      list.push_back({{"id", id}, {"name", name}, {"required", false}, {"type", type(part, depth + 1)}});
    }
    return list;
  }

  json map(std::string_view inner, int depth) {
    auto parts = parts_of(inner);
    int key = next_id();
    int value = next_id();
    return {{"type", "map"},
            {"key-id", key},
            {"key", type(parts.front(), depth + 1)},
            {"value-id", value},
            {"value", type(parts.back(), depth + 1)},
            {"value-required", false}};
  }

  static json decimal(std::string_view inner) {
    auto parts = parts_of(inner);
    return "decimal(" + std::string(parts.front()) + "," + (parts.size() > 1 ? std::string(parts[1]) : "0") +
           ")";
  }

  static json primitive(const std::string& name) {
    static const std::map<std::string, std::string> kTypes = {
        {"BOOLEAN", "boolean"},
        {"TINYINT", "int"},
        {"SMALLINT", "int"},
        {"INTEGER", "int"},
        {"UTINYINT", "int"},
        {"USMALLINT", "int"},
        {"UINTEGER", "long"},
        {"BIGINT", "long"},
        {"UBIGINT", "decimal(38,0)"},
        {"HUGEINT", "decimal(38,0)"},
        {"UHUGEINT", "decimal(38,0)"},
        {"FLOAT", "float"},
        {"DOUBLE", "double"},
        {"DATE", "date"},
        {"TIME", "time"},
        {"TIMESTAMP", "timestamp"},
        {"TIMESTAMP_S", "timestamp"},
        {"TIMESTAMP_MS", "timestamp"},
        {"TIMESTAMP_NS", "timestamp"},
        {"TIMESTAMP WITH TIME ZONE", "timestamptz"},
        {"UUID", "uuid"},
        {"BLOB", "binary"},
    };
    auto it = kTypes.find(name);
    return it == kTypes.end() ? "string" : it->second;
  }

  int last_id_ = 0;
};

json levels_of(const std::string& schema) {
  json levels = json::array();
  for (std::string_view rest = schema;;) {
    size_t dot = rest.find('.');
    levels.push_back(std::string(rest.substr(0, dot)));
    if (dot == std::string_view::npos) {
      return levels;
    }
    rest.remove_prefix(dot + 1);
  }
}

std::string quoted_name(std::string_view name) {
  std::string text = "\"";
  for (char c : name) {
    text += c == '"' ? "\"\"" : std::string(1, c);
  }
  return text + "\"";
}

std::string duckdb_type(const iceberg::Type& type) {
  using iceberg::TypeKind;
  switch (type.kind) {
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INTEGER";
    case TypeKind::kLong: return "BIGINT";
    case TypeKind::kFloat: return "FLOAT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kDecimal: return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::kDate: return "DATE";
    case TypeKind::kTime: return "TIME";
    case TypeKind::kTimestamp: return "TIMESTAMP";
    case TypeKind::kTimestampTz:
    case TypeKind::kTimestampTzNs: return "TIMESTAMP WITH TIME ZONE";
    case TypeKind::kTimestampNs: return "TIMESTAMP_NS";
    case TypeKind::kString: return "VARCHAR";
    case TypeKind::kUuid: return "UUID";
    case TypeKind::kFixed:
    case TypeKind::kBinary: return "BLOB";
    case TypeKind::kList: return duckdb_type(type.fields.at(0).type) + "[]";
    case TypeKind::kMap:
      return fmt::format("MAP({}, {})", duckdb_type(type.fields.at(0).type),
                         duckdb_type(type.fields.at(1).type));
    case TypeKind::kStruct: {
      std::string inner;
      for (const auto& field : type.fields) {
        inner += fmt::format("{}{} {}", inner.empty() ? "" : ", ", quoted_name(field.name),
                             duckdb_type(field.type));
      }
      return fmt::format("STRUCT({})", inner);
    }
  }
  return "VARCHAR";
}

}  // namespace

std::string view_metadata_json(const engine::LakeView& view, const ViewVersion& version) {
  TypeWriter types;
  json fields = json::array();
  for (const auto& column : view.columns) {
    int id = types.next_id();
    json field = {
        {"id", id}, {"name", column.name}, {"required", false}, {"type", types.type(column.type, 0)}};
    if (!column.comment.empty()) {
      field["doc"] = column.comment;
    }
    fields.push_back(std::move(field));
  }
  json properties = json::object();
  if (!view.comment.empty()) {
    properties["comment"] = view.comment;
  }
  json document = {
      {"view-uuid", view.uuid},
      {"format-version", 1},
      {"location", version.location},
      {"schemas", {{{"type", "struct"}, {"schema-id", 0}, {"fields", fields}}}},
      {"current-version-id", version.version_id},
      {"versions",
       {{{"version-id", version.version_id},
         {"timestamp-ms", version.timestamp_ms},
         {"schema-id", 0},
         {"summary", {{"engine-name", "tarn"}}},
         {"default-namespace", levels_of(view.name.schema)},
         {"representations", {{{"type", "sql"}, {"sql", view.sql}, {"dialect", "duckdb"}}}}}}},
      {"version-log", {{{"timestamp-ms", version.timestamp_ms}, {"version-id", version.version_id}}}},
      {"properties", properties},
  };
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<engine::ViewColumn> columns_of(const iceberg::ViewMetadata& document) {
  std::vector<engine::ViewColumn> columns;
  const auto* version = document.current_version();
  const auto* schema = version == nullptr ? nullptr : document.schema(version->schema_id);
  if (schema != nullptr) {
    for (const auto& field : schema->fields) {
      columns.push_back({field.name, duckdb_type(field.type), field.doc.value_or("")});
    }
  }
  return columns;
}

}  // namespace tarn::catalog
