// Stage 2 as a server program: the composition root, where its parts are put together by plain
// calls.
#pragma once

#include "common/server/server_main.h"

namespace tinykv {

// RaftStorage below config.data, replicated to config.cluster.stores, with the raw handlers
// installed.
ServerProgram Stage2Program();

}  // namespace tinykv
