#include "app/shell/line_editor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <histedit.h>

#include "app/shell/names.h"
#include "app/shell/statement.h"
#include "app/show/terminal.h"
#include "base/env/file_descriptor.h"

namespace tarn::app {
namespace {

constexpr int kHistoryMax = 2000;
constexpr size_t kListedMax = 60;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// As many side by side as the terminal has room for.
std::string in_columns(const std::vector<std::string>& words) {
  int widest = 0;
  for (const auto& word : words)
    widest = std::max(widest, display_width(word));
  const auto across = static_cast<size_t>(std::max(1, terminal_width(STDOUT_FILENO) / (widest + 2)));
  std::string text;
  for (size_t i = 0; i < words.size() && i < kListedMax; ++i) {
    const bool last = (i + 1) % across == 0 || i + 1 == words.size();
    text += words[i] +
            (last ? "\n" : std::string(static_cast<size_t>(widest + 2 - display_width(words[i])), ' '));
  }
  if (words.size() > kListedMax)
    text += fmt::format("… and {} more\n", words.size() - kListedMax);
  return text;
}

}  // namespace

struct LineEditor::Impl {
  std::string history_file;
  Complete complete;
  std::string prompt;
  bool dropped = false;
  EditLine* line = nullptr;
  History* history = nullptr;

  static Impl& of(EditLine* line) {
    void* data = nullptr;
    el_get(line, EL_CLIENTDATA, &data);
    return *static_cast<Impl*>(data);
  }

  static char* on_prompt(EditLine* line) { return of(line).prompt.data(); }

  static unsigned char on_break(EditLine* line, int) {
    of(line).dropped = true;
    return CC_NEWLINE;
  }

  static unsigned char on_tab(EditLine* line, int) {
    auto& self = of(line);
    const auto* info = el_line(line);
    const char* start = info->cursor;
    while (start > info->buffer && is_word(start[-1]))
      --start;
    const std::string word(start, info->cursor);
    const auto found = self.complete(word);
    if (found.empty())
      return CC_REFRESH_BEEP;
    const auto common = common_start(found);
    if (common.size() > word.size() || (found.size() == 1 && common != word)) {
      el_deletestr(line, static_cast<int>(word.size()));
      const auto text = found.size() == 1 && common.back() != '(' ? common + " " : common;
      el_insertstr(line, text.c_str());
      return CC_REFRESH;
    }
    std::fputs(("\n" + in_columns(found)).c_str(), stdout);
    return CC_REDISPLAY;
  }

  void load_history() {
    // Made readable by its owner only before anything is written to it: statements can hold anything.
    const FileDescriptor made(::open(history_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (made.valid())
      (void)::fchmod(made.get(), 0600);
    HistEvent event{};
    history = history_init();
    ::history(history, &event, H_SETSIZE, kHistoryMax);
    ::history(history, &event, H_SETUNIQUE, 1);
    ::history(history, &event, H_LOAD, history_file.c_str());
    ::history(history, &event, H_SAVE, history_file.c_str());  // drops what is too old
  }

  // At once, so that a terminal that is closed loses nothing, and two shells both keep theirs.
  void append_newest() {
    std::FILE* file = std::fopen(history_file.c_str(), "ae");
    if (file == nullptr)
      return;  // the shell works without
    (void)std::fseek(file, 0, SEEK_END);
    HistEvent event{};
    ::history(history, &event, H_NSAVE_FP, size_t{1}, file);
    (void)std::fclose(file);
  }
};

LineEditor::LineEditor(std::string history_file, Complete complete) : impl_(std::make_unique<Impl>()) {
  impl_->history_file = std::move(history_file);
  impl_->complete = std::move(complete);
  impl_->line = el_init("tarn", stdin, stdout, stderr);
  impl_->load_history();
  el_set(impl_->line, EL_CLIENTDATA, impl_.get());
  el_set(impl_->line, EL_PROMPT, &Impl::on_prompt);
  el_set(impl_->line, EL_EDITOR, "emacs");
  el_set(impl_->line, EL_HIST, history, impl_->history);
  el_set(impl_->line, EL_ADDFN, "tarn-complete", "Complete the word", &Impl::on_tab);
  el_set(impl_->line, EL_ADDFN, "tarn-break", "Drop the line", &Impl::on_break);
  el_set(impl_->line, EL_BIND, "^I", "tarn-complete", nullptr);
  el_set(impl_->line, EL_BIND, "^C", "tarn-break", nullptr);
  el_set(impl_->line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  // While a line is edited Ctrl-C is a key; while a statement runs it is a signal.
  el_set(impl_->line, EL_SETTY, "-d", "-isig", nullptr);
}

LineEditor::~LineEditor() {
  history_end(impl_->history);
  el_end(impl_->line);
}

std::optional<LineEditor::Line> LineEditor::read(const std::string& prompt) {
  impl_->prompt = prompt;
  impl_->dropped = false;
  int count = 0;
  // Before the prompt is seen: Ctrl-C would be a signal until libedit reads its first key.
  el_set(impl_->line, EL_PREP_TERM, 1);
  const char* text = el_gets(impl_->line, &count);
  if (impl_->dropped)
    return Line{"", true};
  if (text == nullptr || count <= 0)
    return std::nullopt;
  std::string line(text, static_cast<size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line.pop_back();
  return Line{std::move(line), false};
}

void LineEditor::add_history(const std::string& text) {
  HistEvent event{};
  history(impl_->history, &event, H_ENTER, on_one_line(text).c_str());
  impl_->append_newest();
}

}  // namespace tarn::app
