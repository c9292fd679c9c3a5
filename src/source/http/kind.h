// Kind `http`: one or many requests, in pages, politely.
#pragma once

#include "source/kind.h"

namespace tarn::source::http {

void add(Registry& registry);

}  // namespace tarn::source::http
