#include "report/mail/transport.h"

namespace tarn::report::mail {

Result<Transport> make_transport(FileSystem& files, const project::Project& project) {
  Diagnostics mistakes;
  Transport transport{.settings = read_settings(project.mail, mistakes), .ca_file = ""};
  if (!mistakes.empty())
    return Error{Code::kInvalid, to_string(mistakes.front())};
  auto& settings = transport.settings;
  if (settings.host.empty())
    return Error{Code::kInvalid,
                 "tarn.yml has no mail: write 'mail: {host: …, user: …, password: ${env:NAME}, from: …}'"};
  TARN_TRY(settings.password, project::resolve_secrets(files, project.root, settings.password));
  if (!settings.ca_file.empty())
    transport.ca_file =
        settings.ca_file.starts_with('/') ? settings.ca_file : project.root + "/" + settings.ca_file;
  return transport;
}

}  // namespace tarn::report::mail
