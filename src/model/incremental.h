// Brings new rows into a table that exists: append, delete+insert or merge by key. Lake tables cannot delete
// rows, so the files that hold a touched key are taken out and their untouched rows are written again.
#pragma once

#include "model/project.h"
#include "session/session.h"

namespace tarn::model {

// The new rows stand in the temporary table `kStage`, made in this transaction.
inline constexpr std::string_view kStage = "__tarn_new_rows";
Status bring_in(const Node& node, session::Session& session);

}  // namespace tarn::model
