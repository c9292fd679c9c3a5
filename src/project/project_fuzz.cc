// Any text as tarn.yml, and as a text with references: settings within their limits or a mistake, no crash.
#include "base/env/text_files_fuzz.h"
#include "base/input_fuzz.h"
#include "project/project.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  tarn::TextFiles files({{"/p/tarn.yml", text}, {"/p/secret", "hidden\n"}});
  tarn::Diagnostics mistakes;
  auto project = tarn::project::load_project(files, "/p", mistakes);
  if (project && mistakes.empty()) {
    tarn::must(project->http_port >= 0 && project->http_port <= 65535, "a port is a port");
    tarn::must(project->threads >= 0 && project->threads <= 1024, "threads are within limits");
    tarn::must(project->memory_limit_bytes == 0 || project->memory_limit_bytes >= 64'000'000,
               "memory is within limits");
    for (const auto& attachment : project->attachments) {
      for (const auto* key :
           {"password", "token", "client_secret", "bearer", "s3_secret", "s3_session_token"}) {
        const auto found = attachment.settings.find(key);
        tarn::must(found == attachment.settings.end() || tarn::project::has_secret(found->second),
                   "a secret of an attachment is a reference");
      }
    }
  }
  auto resolved = tarn::project::resolve_secrets(files, "/p", text);
  tarn::must(resolved || tarn::project::has_secret(text), "a text without references stays as it is");
  return 0;
}
