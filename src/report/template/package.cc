#include "report/template/package.h"

#include <zip.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace tarn::report::template_file {
namespace {

constexpr int64_t kPartsMax = 10'000;
constexpr uint64_t kPartBytesMax = 64'000'000;
constexpr uint64_t kReadBytesMax = 256'000'000;  // of all parts that are looked into
constexpr uint64_t kUnpackedBytesMax = 4'000'000'000;
constexpr zip_uint32_t kPackLevel = 3;  // quick; a sheet of XML becomes a tenth

Error refuse(const std::string& shown, std::string_view why) {
  return {Code::kInvalid, fmt::format("{} {}", shown, why)};
}

// Excel keeps workbooks with a password, and those of before 2007, in this older container.
bool is_compound_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(8, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head == "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
}

std::string text_of(zip_t* archive) {
  return zip_error_strerror(zip_get_error(archive));
}

}  // namespace

void Package::Close::operator()(zip* archive) const {
  zip_discard(archive);
}

Result<Package> Package::open(const std::string& path, const std::string& shown) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(path, missing))
    return Error{Code::kNotFound, fmt::format("{} does not exist: save the template there as .xlsx", shown)};
  if (is_compound_file(path))
    return refuse(shown, "is encrypted, or of the old .xls kind: save it as .xlsx without a password");
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (archive == nullptr)
    return refuse(shown, "is no .xlsx, or is damaged: save it from Excel or LibreOffice again");
  Package package(path, shown, std::move(archive));
  TARN_CHECK(package.read_directory());
  return package;
}

Status Package::read_directory() {
  const auto count = zip_get_num_entries(archive_.get(), 0);
  if (count > kPartsMax)
    return refuse(shown_, fmt::format("has {} parts, more than any workbook", count));
  uint64_t total = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t about;
    zip_stat_init(&about);
    if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), 0, &about) != 0 ||
        (about.valid & (ZIP_STAT_NAME | ZIP_STAT_SIZE)) != (ZIP_STAT_NAME | ZIP_STAT_SIZE))
      return refuse(shown_, "is damaged: save it from Excel or LibreOffice again");
    if ((about.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && about.encryption_method != ZIP_EM_NONE)
      return refuse(shown_, "is encrypted: save it without a password");
    const std::string name = about.name;
    if (name.ends_with("vbaProject.bin"))
      return refuse(shown_, "has macros, which Tarn does not carry on: save it as .xlsx");
    if (!sizes_.emplace(name, about.size).second)
      return refuse(shown_, fmt::format("has two parts named {}", name));
    total += about.size;
    if (about.size > kUnpackedBytesMax || total > kUnpackedBytesMax)
      return refuse(shown_, fmt::format("unpacks to more than {} MB: that is no template",
                                        kUnpackedBytesMax / 1'000'000));
  }
  return ok();
}

std::vector<std::string> Package::parts() const {
  std::vector<std::string> names;
  for (const auto& [name, size] : sizes_)
    names.push_back(name);
  return names;
}

Result<std::string> Package::read(const std::string& part) {
  const auto found = sizes_.find(part);
  if (found == sizes_.end())
    return Error{Code::kNotFound, fmt::format("{} lacks {}: it is no whole workbook", shown_, part)};
  const auto size = found->second;
  read_bytes_ += size;
  if (size > kPartBytesMax || read_bytes_ > kReadBytesMax)
    return refuse(shown_, fmt::format("is too large for a template: {} unpacks to {} bytes", part, size));
  zip_file_t* file = zip_fopen(archive_.get(), part.c_str(), 0);
  if (file == nullptr)
    return refuse(shown_, fmt::format("cannot be unpacked ({}: {})", part, text_of(archive_.get())));
  std::string bytes(size, '\0');
  const auto got = zip_fread(file, bytes.data(), size);
  char more = 0;  // its checksum is looked at when its end is read
  const auto rest = zip_fread(file, &more, 1);
  const bool whole = zip_fclose(file) == 0 && got == static_cast<zip_int64_t>(size) && rest == 0;
  if (!whole)  // its checksum is wrong, or it is shorter than it says
    return refuse(shown_, fmt::format("is damaged at {}", part));
  return bytes;
}

void Package::replace(const std::string& part, std::string bytes) {
  changes_[part] = {.bytes = std::move(bytes)};
}

void Package::replace_by_file(const std::string& part, std::string path) {
  changes_[part] = {.file = std::move(path)};
}

void Package::remove(const std::string& part) {
  changes_[part] = {.removed = true};
}

Status Package::save(const std::string& path) {
  std::error_code error;
  std::filesystem::copy_file(path_, path, std::filesystem::copy_options::overwrite_existing, error);
  if (error)
    return Error{Code::kIo, fmt::format("{} cannot be written: {}", path, error.message())};
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add, error);
  int code = 0;
  Archive archive(zip_open(path.c_str(), 0, &code));
  if (archive == nullptr)
    return Error{Code::kIo, fmt::format("{} cannot be written (zip error {})", path, code)};
  for (const auto& [part, change] : changes_) {
    const auto index = zip_name_locate(archive.get(), part.c_str(), 0);
    if (change.removed) {
      if (index >= 0)
        zip_delete(archive.get(), static_cast<zip_uint64_t>(index));
      continue;
    }
    auto* source = change.file.empty()
                       ? zip_source_buffer(archive.get(), change.bytes.data(), change.bytes.size(), 0)
                       : zip_source_file(archive.get(), change.file.c_str(), 0, -1);
    if (source == nullptr || index < 0 ||
        zip_file_replace(archive.get(), static_cast<zip_uint64_t>(index), source, 0) != 0) {
      zip_source_free(source);
      return Error{Code::kIo, fmt::format("{} cannot be written: {}", path, text_of(archive.get()))};
    }
    zip_set_file_compression(archive.get(), static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE, kPackLevel);
  }
  if (zip_close(archive.get()) != 0)
    return Error{Code::kIo, fmt::format("{} cannot be written: {}", path, text_of(archive.get()))};
  (void)archive.release();  // zip_close has freed it
  return ok();
}

}  // namespace tarn::report::template_file
