// Makes the databases of others known to a DuckDB instance: each is attached under its name at once, and
// opened only when a statement names it.
#pragma once

#include <memory>
#include <vector>

#include "engine/duck/outside/attachment.h"

namespace tarn::engine {
class Visibility;
}

namespace tarn::engine::outside {

inline constexpr const char* kOutsideExtension = "tarn_outside";

using Attachments = std::vector<std::shared_ptr<Attachment>>;

Attachments make_attachments(const OutsideOptions& options, const Limits& limits);
// Before the instance opens.
void register_outside(db::DBConfig& config, const Attachments& attachments, Visibility* visibility);
// The tables of the attachment of that name, with columns where those are known.
Result<std::vector<OutsideTable>> list_tables(const Attachments& attachments, const std::string& name);
// The statements that attach them, after it opened.
std::string attach_text(const Attachments& attachments);

}  // namespace tarn::engine::outside
