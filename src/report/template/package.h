// The parts of an .xlsx, which is a zip. What is not replaced is copied as it stands in the template, packed.
// Refuses what is encrypted, damaged, has macros, or would unpack to far too much. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct zip;

namespace tarn::report::template_file {

class Package {
 public:
  // `path` must stay until save(); `shown` is its name in messages.
  static Result<Package> open(const std::string& path, const std::string& shown);

  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] bool has(const std::string& part) const { return sizes_.contains(part); }
  [[nodiscard]] std::vector<std::string> parts() const;
  // kNotFound; kInvalid when it unpacks to more than 64 MB.
  Result<std::string> read(const std::string& part);

  void replace(const std::string& part, std::string bytes);
  void replace_by_file(const std::string& part, std::string path);  // read by save()
  void remove(const std::string& part);
  // Writes to another path, in whose folder it needs room for a second copy.
  Status save(const std::string& path);

 private:
  struct Close {
    void operator()(zip* archive) const;
  };
  using Archive = std::unique_ptr<zip, Close>;
  struct Change {
    bool removed = false;
    std::string bytes, file;
  };
  Package(std::string path, std::string shown, Archive archive)
      : path_(std::move(path)), shown_(std::move(shown)), archive_(std::move(archive)) {}
  Status read_directory();

  std::string path_, shown_;
  Archive archive_;
  std::map<std::string, uint64_t> sizes_;
  std::map<std::string, Change> changes_;
  uint64_t read_bytes_ = 0;
};

}  // namespace tarn::report::template_file
