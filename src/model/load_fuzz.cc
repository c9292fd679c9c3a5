// A whole project of texts: "=== path" begins a file. Loading ends with a project or mistakes that have
// words.
#include "base/env/text_files_fuzz.h"
#include "base/input_fuzz.h"
#include "model/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::FuzzInput input(data, size);
  std::map<std::string, std::string> texts;
  std::string* text = &texts["/p/models/schema.yml"];
  for (int files = 0; !input.at_end() && files < 50;) {
    auto line = input.take_line();
    if (line.starts_with("=== ")) {
      text = &texts["/p/" + line.substr(4)];
      ++files;
    } else {
      *text += line + "\n";
    }
  }
  tarn::TextFiles files(std::move(texts));
  tarn::Env env = tarn::real_env();
  env.files = &files;
  tarn::project::Project project;
  project.root = "/p";
  project.name = "home";
  project.data_folder = "/p/.tarn";
  project.vars = {{"city", "Utrecht"}};
  tarn::Diagnostics mistakes;
  auto loaded = tarn::model::load(env, project, {}, mistakes);
  tarn::must(loaded || !loaded.error().message.empty(), "an error has words");
  for (const auto& mistake : mistakes) {
    tarn::must(!mistake.message.empty(), "a mistake has words");
  }
  return 0;
}
