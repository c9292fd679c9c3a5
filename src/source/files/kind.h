// Kind `files`: files of this machine, by path or pattern. Kept under a second name, not copied where the
// file system can do without. A file that was loaded before and has not changed is not loaded again; one that
// has changed is loaded in place of its former rows (mode append).
#pragma once

#include "source/kind.h"

namespace tarn::source::files {

void add(Registry& registry);

}  // namespace tarn::source::files
