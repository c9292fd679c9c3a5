// Records of JSON documents in the temporary table tarn_rows (fetch, n, r, bad, reason).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json_shape.h"
#include "session/session.h"
#include "source/input.h"

namespace tarn::source {

class JsonRows {
 public:
  explicit JsonRows(session::Session& session) : session_(session) {}

  Status create();
  // All records of a document; broken bytes put the whole fetch among the bad rows.
  Status add_document(const Landed& landed, const std::string& records);
  Result<std::vector<InputColumn>> discover();
  // `fetch` empty: all. kSelect: nested types; else VARCHAR, and JSON where that or something nested is
  // wanted.
  [[nodiscard]] Relation relation(Purpose purpose, const WantedColumns& wanted,
                                  const std::string& fetch) const;
  [[nodiscard]] std::string bad_rows() const;

 private:
  struct Key {
    std::string key;     // in the document
    std::string name;    // of the column
    std::string nested;  // type for a select
  };
  Status execute(const std::string& sql);
  Status look(codec::JsonShape& shape);
  Status add_broken(const Landed& landed, const std::string& reason);
  // Expression: a struct of the record's members, with these types by key.
  [[nodiscard]] std::string transform(const std::vector<std::string>& types) const;

  session::Session& session_;
  std::vector<Key> keys_;
};

// The first bytes of a file, as valid UTF-8 (other bytes become '?').
Result<std::string> read_start(const std::string& path, size_t bytes_max);

}  // namespace tarn::source
