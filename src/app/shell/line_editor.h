// One line from the terminal, by libedit: history in a file, Tab completes, Ctrl-C drops the line.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::app {

// One for the process; one thread.
class LineEditor {
 public:
  using Complete = std::function<std::vector<std::string>(std::string_view word)>;
  LineEditor(std::string history_file, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  struct Line {
    std::string text;
    bool dropped = false;  // Ctrl-C
  };
  // nullopt at the end of the input (Ctrl-D).
  std::optional<Line> read(const std::string& prompt);
  void add_history(const std::string& text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::app
