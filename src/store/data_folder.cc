#include "store/data_folder.h"

#include <unistd.h>
#include <charconv>

#include <fmt/format.h>

namespace tarn::store {
namespace {

constexpr int kFormat = 1;

Status check_format(FileSystem& files, const std::string& folder) {
  std::string path = folder + "/format";
  TARN_TRY(bool there, files.exists(path));
  if (!there) {
    return replace_durable(files, path, fmt::format("{}\n", kFormat));
  }
  TARN_TRY(std::string text, files.read(path));
  int format = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || format < 1) {
    return Error{
        Code::kCorrupt,
        fmt::format("{} does not hold a format number; restore the data folder from a backup", path)};
  }
  if (format > kFormat) {
    return Error{Code::kNewer,
                 fmt::format("the data folder {} was written by a newer Tarn (format {}, this one knows {}); "
                             "install that version again",
                             folder, format, kFormat)};
  }
  return ok();
}

// What a former process spilled is of no use to this one.
Status empty_folder(FileSystem& files, const std::string& folder) {
  TARN_TRY(auto names, files.list(folder));
  for (const std::string& name : names) {
    (void)files.remove(folder + "/" + name);
  }
  return ok();
}

LockHolder parse_note(const std::string& note) {
  LockHolder holder;
  auto [end, error] = std::from_chars(note.data(), note.data() + note.size(), holder.pid);
  if (error == std::errc() && end != note.data() + note.size() && *end == ' ') {
    holder.address = note.substr(static_cast<size_t>(end - note.data()) + 1);
    holder.address.erase(holder.address.find_last_not_of('\n') + 1);
  }
  return holder;
}

}  // namespace

Result<std::unique_ptr<DataFolder>> DataFolder::open(Env& env, const std::string& path) {
  auto made = env.files->make_folders(path);
  if (!made) {
    return made.error().at("the data folder cannot be made");
  }
  auto lock = LockFile::acquire(path + "/lock");
  // Whoever asks for the holder locks for a moment, too.
  for (int tries = 0; tries < 3 && !lock && lock.error().code == Code::kLocked; ++tries) {
    env.clock->sleep_for(std::chrono::milliseconds(20));
    lock = LockFile::acquire(path + "/lock");
  }
  if (!lock && lock.error().code == Code::kLocked) {
    auto note = env.files->read(path + "/lock");
    LockHolder holder = parse_note(note.value_or(""));
    std::string who = holder.pid > 0 ? fmt::format("process {}", holder.pid) : "another process";
    return Error{Code::kLocked,
                 fmt::format("the data folder {} is locked by {}{}; stop it first, or wait", path, who,
                             holder.address.empty() ? "" : " serving " + holder.address)};
  }
  if (!lock) {
    return Error(lock.error());
  }
  std::unique_ptr<DataFolder> folder(new DataFolder(path, std::move(*lock)));
  TARN_CHECK(folder->publish_address(""));
  TARN_CHECK(check_format(*env.files, path));
  for (const std::string& each : {folder->lake(), folder->raw(), folder->logs(), folder->spill()}) {
    TARN_CHECK(env.files->make_folders(each));
  }
  TARN_CHECK(empty_folder(*env.files, folder->spill()));
  return folder;
}

Result<std::optional<LockHolder>> DataFolder::holder(Env& env, const std::string& path) {
  TARN_TRY(bool there, env.files->exists(path + "/lock"));
  if (!there) {
    return std::nullopt;
  }
  auto lock = LockFile::acquire(path + "/lock");
  if (lock) {
    return std::nullopt;
  }
  if (lock.error().code != Code::kLocked) {
    return Error(lock.error());
  }
  TARN_TRY(std::string note, env.files->read(path + "/lock"));
  return parse_note(note);
}

Status DataFolder::publish_address(const std::string& address) {
  return lock_->write_note(address.empty() ? fmt::format("{}\n", ::getpid())
                                           : fmt::format("{} {}\n", ::getpid(), address));
}

}  // namespace tarn::store
