#include "flowfile/script/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include <fmt/format.h>

#include "base/env/file_descriptor.h"
#include "flowfile/script/keeper_bytes.h"

namespace tarn::flowfile {
namespace {

constexpr size_t kLineBytesMax = 4'000;
constexpr int kTickMs = 50;
constexpr int kLowestFd = 10;  // above those that the keeper gets
constexpr int kLeftoverRounds = 500;
constexpr int kKeeperRounds = 400;  // a keeper that lives kills what is its own

Error system_error(std::string_view what) {
  return Error{Code::kUnavailable, fmt::format("{}: {}", what, std::strerror(errno))};
}

// Above the numbers that the keeper's descriptors get, closed by exec.
Result<FileDescriptor> moved_up(int fd) {
  FileDescriptor old(fd);
  FileDescriptor up(old.valid() ? ::fcntl(old.get(), F_DUPFD_CLOEXEC, kLowestFd) : -1);
  if (!up.valid())
    return system_error("no file descriptor is left for a script");
  return up;
}

Result<FileDescriptor> memory_file(const char* name, std::string_view bytes) {
  TARN_TRY(auto file, moved_up(::memfd_create(name, MFD_CLOEXEC)));
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written <= 0)
      return system_error("a file in memory cannot be written");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  (void)::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// The keeper's program, as a file in memory that lives as long as the process.
Result<int> keeper_file() {
  static std::mutex mutex;
  static FileDescriptor file;
  const std::lock_guard lock(mutex);
  if (!file.valid()) {
    TARN_TRY(file, memory_file("tarn_keeper", keeper_bytes()));
  }
  return file.get();
}

struct Ends {
  FileDescriptor ours, theirs;
};

Result<Ends> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0)
    return system_error("no pipe for a script");
  Ends ends;
  TARN_TRY(ends.ours, moved_up(fds[0]));
  TARN_TRY(ends.theirs, moved_up(fds[1]));
  (void)::fcntl(ends.ours.get(), F_SETFL, O_NONBLOCK);
  return ends;
}

Result<Ends> make_control() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return system_error("no socket for a script");
  Ends ends;
  TARN_TRY(ends.ours, moved_up(fds[0]));
  TARN_TRY(ends.theirs, moved_up(fds[1]));
  return ends;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts)
    all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

class SpawnFiles {
 public:
  SpawnFiles() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  void give(const FileDescriptor& fd, int as) { ::posix_spawn_file_actions_adddup2(&actions_, fd.get(), as); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class SpawnSignals {
 public:
  SpawnSignals() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSignals() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnSignals(const SpawnSignals&) = delete;
  SpawnSignals& operator=(const SpawnSignals&) = delete;
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// Cuts bytes into lines.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string)>& on_line) : on_line_(on_line) {}
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n')
        end();
      else if (rest_.size() < kLineBytesMax)
        rest_ += c;
      else
        cut_ = true;
    }
  }
  void end_all() {
    if (!rest_.empty())
      end();
  }

 private:
  void end() {
    if (!rest_.empty() && rest_.back() == '\r')
      rest_.pop_back();
    on_line_(cut_ ? rest_ + " …" : rest_);
    rest_.clear();
    cut_ = false;
  }
  const std::function<void(std::string)>& on_line_;
  std::string rest_;
  bool cut_ = false;
};

class Running {
 public:
  Running(const ScriptRequest& request, const std::function<void(std::string)>& on_line,
          const std::function<bool()>& cancelled)
      : request_(request), lines_(on_line), cancelled_(cancelled) {}

  Result<ScriptEnd> run() {
    TARN_CHECK(start());
    watch();
    int status = 0;
    while (::waitpid(keeper_, &status, 0) < 0 && errno == EINTR) {
    }
    while (read_output()) {
    }
    lines_.end_all();
    return end();
  }

 private:
  Status start() {
    TARN_TRY(const int program, keeper_file());
    TARN_TRY(const auto input, memory_file("input", request_.input));
    TARN_TRY(auto output, make_pipe());
    TARN_TRY(auto told, make_pipe());
    TARN_TRY(auto control, make_control());
    SpawnFiles files;
    files.give(input, 0);
    files.give(output.theirs, 1);
    files.give(output.theirs, 2);
    files.give(control.theirs, 3);
    files.give(told.theirs, 4);
    auto words = keeper_words();
    auto variables = request_.environment;
    const auto path = fmt::format("/proc/self/fd/{}", program);
    SpawnSignals signals;
    const int failed = ::posix_spawn(&keeper_, path.c_str(), files.get(), signals.get(),
                                     pointers(words).data(), pointers(variables).data());
    if (failed != 0)
      return Error{Code::kUnavailable,
                   fmt::format("the script's keeper cannot be started: {}", std::strerror(failed))};
    output_ = std::move(output.ours);
    told_ = std::move(told.ours);
    control_ = std::move(control.ours);
    return ok();
  }

  std::vector<std::string> keeper_words() const {
    const auto cpu_seconds = (request_.cpu_time.count() + 999'999) / 1'000'000;
    std::vector<std::string> words = {"tarn_keeper",
                                      request_.folder,
                                      std::to_string(request_.memory_bytes),
                                      std::to_string(request_.file_bytes),
                                      std::to_string(cpu_seconds),
                                      std::to_string(request_.processes),
                                      std::to_string(request_.grace.count() / 1000)};
    words.insert(words.end(), request_.command.begin(), request_.command.end());
    return words;
  }

  // Until the keeper has told the end, or is gone itself.
  void watch() {
    bool asked = false;
    while (true) {
      if (!asked && cancelled_()) {
        asked = true;
        (void)::send(control_.get(), "T", 1, MSG_NOSIGNAL);
      }
      std::array<pollfd, 2> files = {pollfd{.fd = told_.get(), .events = POLLIN, .revents = 0},
                                     pollfd{.fd = output_.get(), .events = POLLIN, .revents = 0}};
      if (output_over_)
        files[1].fd = -1;
      (void)::poll(files.data(), files.size(), kTickMs);
      if (files[1].revents != 0)
        (void)read_output();
      if (files[0].revents != 0 && !read_told())
        return;
    }
  }

  // False: nothing more now, or ever.
  bool read_output() {
    std::array<char, 65536> bytes{};
    const auto length = ::read(output_.get(), bytes.data(), bytes.size());
    if (length > 0) {
      lines_.add({bytes.data(), static_cast<size_t>(length)});
      return true;
    }
    output_over_ = length == 0;
    return false;
  }

  bool read_told() {
    std::array<char, 512> bytes{};
    const auto length = ::read(told_.get(), bytes.data(), bytes.size());
    if (length > 0)
      text_.append(bytes.data(), static_cast<size_t>(length));
    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
  }

  Result<ScriptEnd> end() const {
    std::istringstream words(text_);
    std::string word;
    words >> word;
    if (word == "exec") {
      int number = 0;
      words >> number;
      return Error{Code::kInvalid,
                   fmt::format("{} cannot be started: {}", request_.command.front(), std::strerror(number))};
    }
    ScriptEnd end;
    int64_t cpu_us = 0, rss_kb = 0;
    words >> end.exit_code >> end.signal >> end.why >> end.left_behind >> cpu_us >> rss_kb;
    if (word != "end" || !words)
      return Error{Code::kAborted, "the script's keeper was killed"};
    end.cpu = Duration(cpu_us);
    end.memory_bytes_max = static_cast<uint64_t>(rss_kb) * 1024;
    return end;
  }

  const ScriptRequest& request_;
  Lines lines_;
  const std::function<bool()>& cancelled_;
  pid_t keeper_ = -1;
  FileDescriptor output_, told_, control_;
  bool output_over_ = false;
  std::string text_;
};

bool is_keeper(const std::filesystem::path& process) {
  std::ifstream file(process / "comm");
  std::string name;
  return std::getline(file, name) && name == "tarn_keeper";
}

bool has_variable(const std::filesystem::path& process, const std::string& prefix) {
  std::ifstream file(process / "environ", std::ios::binary);
  std::string variable;
  while (std::getline(file, variable, '\0')) {
    if (variable.starts_with(prefix))
      return true;
  }
  return false;
}

}  // namespace

Result<ScriptEnd> run_script(const ScriptRequest& request,
                             const std::function<void(std::string line)>& on_line,
                             const std::function<bool()>& cancelled) {
  return Running(request, on_line, cancelled).run();
}

int kill_leftovers(const std::string& variable_prefix) {
  std::vector<pid_t> killed;
  for (int round = 0; round < kLeftoverRounds; ++round) {
    bool any = false;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
      const auto name = entry.path().filename().string();
      const auto pid = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
      if (pid <= 1 || pid == ::getpid() || !has_variable(entry.path(), variable_prefix))
        continue;
      any = true;
      if (round < kKeeperRounds && is_keeper(entry.path()))
        continue;
      if (::kill(pid, SIGKILL) != 0)
        continue;
      if (std::find(killed.begin(), killed.end(), pid) == killed.end())
        killed.push_back(pid);
    }
    if (!any)
      break;
    ::usleep(2'000);
  }
  return static_cast<int>(killed.size());
}

void clear_scripts(const std::string& data_folder) {
  const auto folder = data_folder + "/scripts";
  std::error_code error;
  if (std::filesystem::is_empty(folder, error) || error)
    return;  // not there, or nothing to clear
  (void)kill_leftovers("TARN_RESULT=" + folder + "/");
  std::filesystem::remove_all(folder, error);
}

}  // namespace tarn::flowfile
