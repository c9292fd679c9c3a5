// Tasks of kind script and shell.
#include <sys/stat.h>

#include <csignal>
#include <deque>
#include <filesystem>

#include <fmt/format.h>

#include "base/time.h"
#include "flowfile/script/process.h"
#include "flowfile/step.h"

namespace tarn::flowfile {
namespace {

constexpr size_t kFirstLines = 2'000;
constexpr size_t kFirstBytes = 1 << 20U;
constexpr size_t kLastLines = 200;
constexpr uint64_t kResultBytesMax = 1 << 20U;
constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The first lines as they come and the last ones at the end: whatever a script says, so much is kept.
class OutputLog {
 public:
  OutputLog(flow::TaskLog& log, const std::vector<std::string>& secrets) : log_(log), secrets_(secrets) {}

  void line(std::string text) {
    text = scrub(printable(std::move(text)), secrets_);
    bytes_ += text.size();
    if (lines_++ < kFirstLines && bytes_ <= kFirstBytes)
      return log_.line(std::move(text));
    last_.push_back(std::move(text));
    if (last_.size() > kLastLines) {
      last_.pop_front();
      ++left_out_;
    }
  }

  void end() {
    if (left_out_ > 0)
      log_.line(fmt::format("… {} lines are not kept …", left_out_));
    for (auto& text : last_)
      log_.line(std::move(text));
    last_.clear();
  }

 private:
  // What steers a terminal is no text.
  static std::string printable(std::string text) {
    for (auto& c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte < ' ' && c != '\t') || byte == 0x7F)
        c = ' ';
    }
    return text;
  }

  flow::TaskLog& log_;
  const std::vector<std::string>& secrets_;
  size_t lines_ = 0, bytes_ = 0;
  int64_t left_out_ = 0;
  std::deque<std::string> last_;
};

// A folder of one attempt, gone with it: nothing of it need be on the disk.
class WorkFolder {
 public:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  ~WorkFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  Status make() {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    return error ? Status(Error{Code::kIo, fmt::format("{} cannot be made: {}", path_, error.message())})
                 : ok();
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string result() const { return path_ + "/result.json"; }

 private:
  const std::string path_;
};

std::string file_name(std::string text) {
  for (auto& c : text) {
    if (c == '/' || c == '[' || c == ']')
      c = '.';
  }
  return text;
}

bool is_executable(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IXUSR) != 0;
}

class Script {
 public:
  Script(StepContext& context, const WorkFolder& folder)
      : context_(context), script_(context.config.script), folder_(folder) {}

  // Fills the request; errors are of the text.
  Status prepare() {
    request_.folder = folder_.path();
    request_.memory_bytes = script_.memory_bytes;
    request_.file_bytes = script_.file_bytes;
    request_.cpu_time = script_.cpu_time;
    request_.processes = script_.processes;
    TARN_CHECK(prepare_command());
    TARN_CHECK(prepare_environment());
    const auto& task = context_.task;
    const auto& facts = context_.run.facts;
    request_.input =
        dump({{"flow", context_.run.flow->name},
              {"task", context_.config.name},
              {"attempt", task.attempt},
              {"run", {{"id", facts.id}, {"schedule", facts.schedule}, {"due_at", facts.due_at}}},
              {"parameters", parameters_json(context_.run.parameters)},
              {"row", context_.scope.row != nullptr ? *context_.scope.row : Json()},
              {"results", context_.run.results.all()}}) +
        "\n";
    return ok();
  }

  Result<Json> run(EffectEnd& effect) {
    auto& task = context_.task;
    OutputLog output(task.log, secrets_);
    const auto ended = run_script(
        request_, [&output](std::string line) { output.line(std::move(line)); },
        [&task] { return task.cancel.is_set(); });
    output.end();
    if (!ended) {
      if (ended.error().code == Code::kAborted) {
        effect.state = EffectState::kUnknown;
        const int left = kill_leftovers("TARN_RESULT=" + folder_.result());
        return Error{Code::kFailed,
                     fmt::format("{}; {} processes of it were stopped", ended.error().message, left)};
      }
      return ended.error();
    }
    if (ended->left_behind > 0)
      task.report->warnings.push_back(
          fmt::format("it left {} processes behind, which were stopped", ended->left_behind));
    task.log.line(fmt::format("took {} of processor time, {} MB in its largest process",
                              format_duration(ended->cpu), ended->memory_bytes_max / 1'000'000));
    TARN_CHECK(verdict(*ended, effect));
    return result();
  }

 private:
  Status prepare_command() {
    if (!script_.shell.empty()) {
      request_.command = {"/bin/sh", "-e", "-c", script_.shell, "sh"};
    } else {
      const auto path = context_.run.project.root + "/" + script_.file;
      const bool executable = is_executable(path);
      if (!executable && !script_.file.ends_with(".py"))
        return Error{Code::kInvalid,
                     fmt::format("{} is not there or not executable: chmod +x it", script_.file)};
      request_.command =
          executable ? std::vector<std::string>{path} : std::vector<std::string>{"python3", path};
    }
    for (const auto& text : script_.arguments) {
      TARN_TRY(const auto value, fill(text, context_.scope));
      secrets_.insert(secrets_.end(), value.secrets.begin(), value.secrets.end());
      request_.command.push_back(value.text.substr(0, value.text.find('\0')));
    }
    return ok();
  }

  // Nothing of Tarn's own environment: what it needs is named.
  Status prepare_environment() {
    const auto& run = context_.run;
    std::map<std::string, std::string> variables = {
        {"PATH", std::string(kPath)},        {"HOME", folder_.path()},
        {"TMPDIR", folder_.path()},          {"LANG", "C.UTF-8"},
        {"PYTHONUNBUFFERED", "1"},           {"PYTHONDONTWRITEBYTECODE", "1"},
        {"TARN_PROJECT", run.project.root},  {"TARN_FLOW", run.flow->name},
        {"TARN_TASK", context_.config.name}, {"TARN_RUN", run.facts.id},
        {"TARN_RESULT", folder_.result()}};
    for (const auto& [name, text] : script_.environment) {
      TARN_TRY(const auto value, fill(text, context_.scope));
      secrets_.insert(secrets_.end(), value.secrets.begin(), value.secrets.end());
      variables[name] = value.text.substr(0, value.text.find('\0'));
    }
    for (const auto& [name, value] : variables) {
      request_.environment.push_back(name);
      request_.environment.back() += "=" + value;
    }
    return ok();
  }

  Status verdict(const ScriptEnd& end, EffectEnd& effect) const {
    if (end.why == "memory")
      return Error{Code::kFailed, fmt::format("it was stopped: its processes had more than {} MB (memory)",
                                              script_.memory_bytes / 1'000'000)};
    if (end.why == "processes")
      return Error{Code::kFailed,
                   fmt::format("it was stopped: it had more than {} processes at a time (processes)",
                               script_.processes)};
    if (end.why == "stopped") {
      effect.state = EffectState::kUnknown;
      return Error{Code::kCancelled, "it was stopped in the middle"};
    }
    if (end.signal == SIGXCPU || (end.signal == SIGKILL && script_.cpu_time.count() > 0))
      return Error{Code::kFailed,
                   fmt::format("it was stopped: it took more than {} of processor time (cpu_time)",
                               format_duration(script_.cpu_time))};
    if (end.signal == SIGXFSZ)
      return Error{Code::kFailed,
                   fmt::format("it was stopped: it wrote a file of more than {} MB (file_size)",
                               script_.file_bytes / 1'000'000)};
    if (end.signal != 0)
      return Error{Code::kFailed, fmt::format("it was ended by signal {}", end.signal)};
    if (end.exit_code != 0)
      return Error{Code::kFailed, fmt::format("it ended with exit code {}", end.exit_code)};
    return ok();
  }

  Result<Json> result() const {
    auto& files = *context_.run.host.env.files;
    TARN_TRY(const bool exists, files.exists(folder_.result()));
    if (!exists)
      return Json::object();
    struct stat info{};
    if (::lstat(folder_.result().c_str(), &info) != 0 || !S_ISREG(info.st_mode) ||
        static_cast<uint64_t>(info.st_size) > kResultBytesMax)
      return Error{Code::kFailed, "the file that TARN_RESULT names is not a file of at most 1 MB"};
    TARN_TRY(const auto text, files.read(folder_.result()));
    auto json = object_of(text);
    if (json.empty() && text.find('}') == std::string::npos)
      return Error{Code::kFailed, "the file that TARN_RESULT names is not a JSON object, e.g. {\"rows\": 3}"};
    return json;
  }

  StepContext& context_;
  const ScriptStep& script_;
  const WorkFolder& folder_;
  ScriptRequest request_;
  std::vector<std::string> secrets_;
};

}  // namespace

Result<Json> run_script_step(StepContext& context) {
  const auto& task = context.task;
  WorkFolder folder(fmt::format("{}/scripts/{}.{}.{}", context.run.project.data_folder, task.run_id,
                                file_name(task.task_name), task.attempt));
  Script script(context, folder);
  TARN_CHECK(script.prepare());
  TARN_CHECK(folder.make());
  const auto& file = context.config.script.file;
  return once(context, file.empty() ? "a shell script" : file,
              [&script](EffectEnd& end) { return script.run(end); });
}

}  // namespace tarn::flowfile
