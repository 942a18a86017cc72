// From a server's settings to those of an engine.
#pragma once

#include "common/env/executor.h"
#include "common/server/server_config.h"
#include "lsm/options.h"

namespace tinykv {

// On the real disk, by the real clock. `background` must outlive the engine.
lsm::Options EngineOptions(const ServerConfig::Engine& engine, Executor& background);

}  // namespace tinykv
