// Reads one task of a flow's file.
#pragma once

#include "base/diagnostic.h"
#include "codec/yaml.h"
#include "flowfile/flow_file.h"

namespace tarn::flowfile {

// `file_text` is the whole file, for places inside of texts.
TaskConfig read_task(const codec::YamlNode::Entry& entry, std::string_view file_text,
                     Diagnostics& diagnostics);

}  // namespace tarn::flowfile
