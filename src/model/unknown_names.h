// What can be seen to be missing in a template without running it.
#pragma once

#include "model/render.h"

namespace tarn::model {

// Calls of ref, source, var and env_var with plain texts that name nothing; calls of macros and uses of
// filters that there are not. In order of the text.
Diagnostics unknown_names(const ModelProject& project, const jinja::Template& text,
                          const RenderRequest& request);

}  // namespace tarn::model
