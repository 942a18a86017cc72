// Reads the settings of a Config from a TOML file.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/config.h"
#include "common/env/file_system.h"

namespace tinykv {

// Sets every key that the file has. On an error some are set and some are not.
//
// Errors: kInvalidArgument, as one line that starts with FILE:LINE and names the key: not TOML, an
// unknown key (a typo must not silently leave a default in place; the nearest key is suggested), a
// value of the wrong type or out of range. Those of ReadFile() if the file cannot be read.
absl::Status LoadConfigFile(FileSystem& file_system, const std::string& path, const Config& config);

}  // namespace tinykv
