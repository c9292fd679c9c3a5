// What a template may call, as globals for the interpreter. See render.h for the ways in.
#pragma once

#include "model/render.h"

namespace tarn::model {

jinja::Globals make_globals(const ModelProject& project, const RenderRequest& request);

}  // namespace tarn::model
