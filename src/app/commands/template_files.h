// The project that `tarn init` makes: the files of src/app/template, carried by the program.
#pragma once

#include <string_view>
#include <vector>

namespace tarn::app {

struct TemplateFile {
  std::string_view path;  // in the new project
  std::string_view text;  // @NAME@ stands for the project's name
};

std::vector<TemplateFile> template_files();

}  // namespace tarn::app
