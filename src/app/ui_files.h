// The built web UI, compiled in: tools/ui/embed.py writes the source of it.
#pragma once

#include <span>

#include "serve/http/pages.h"

namespace tarn::app {

std::span<const serve::UiFile> ui_files();

}  // namespace tarn::app
