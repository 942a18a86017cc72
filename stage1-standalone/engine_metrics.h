// The engine's statistics, as metrics and as a part of /status.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "common/metrics.h"
#include "lsm/db.h"

namespace tinykv {

void CollectEngineMetrics(const lsm::Statistics& statistics, MetricSink& sink);

// An object with the same names as lsm::Statistics has.
nlohmann::json EngineStatus(const lsm::Statistics& statistics);

}  // namespace tinykv
