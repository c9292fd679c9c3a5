// The mail server that tarn.yml names, ready to be used: its password is read, its files are found.
#pragma once

#include "base/env/file_system.h"
#include "base/result.h"
#include "project/project.h"
#include "report/mail/smtp.h"

namespace tarn::report::mail {

// kInvalid: tarn.yml has no mail, or a mistake in it.
Result<Transport> make_transport(FileSystem& files, const project::Project& project);

}  // namespace tarn::report::mail
