// The file of a seed as the engine reads it: SQL reads below the data folder only, so the file gets a second
// name there while this lives.
#pragma once

#include <string>

#include "model/project.h"
#include "session/session.h"

namespace tarn::model {

class SeedFile {
 public:
  static Result<SeedFile> open(Env& env, const std::string& data_folder, const std::string& root,
                               const Node& node);
  SeedFile(SeedFile&& other) noexcept;
  SeedFile& operator=(SeedFile&& other) noexcept;
  ~SeedFile();

  // Of the bytes and of all that decides how they are read: a table made from the same has the same rows.
  [[nodiscard]] Result<std::string> digest() const;
  // SELECT of all rows. The whole file decides on types: a text in the last row makes the column text.
  [[nodiscard]] std::string select() const;
  // Why the engine could not read it.
  [[nodiscard]] Diagnostic explain(session::SessionService& sessions, const Error& error) const;

 private:
  SeedFile(Env& env, const Node& node, std::string path);
  [[nodiscard]] std::string header() const;
  [[nodiscard]] std::string select_from(const std::string& path) const;
  [[nodiscard]] Error reread(session::SessionService& sessions, const Error& error) const;

  Env* env_;  // null: moved from
  const Node* node_;
  std::string path_;
};

}  // namespace tarn::model
