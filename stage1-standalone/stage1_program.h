// Stage 1 as a server program: the composition root, where its parts are put together by plain
// calls.
#pragma once

#include "common/server/server_main.h"

namespace tinykv {

// StandaloneStorage below config.data, with the raw handlers installed.
ServerProgram Stage1Program();

}  // namespace tinykv
