// An engine's statistics, as metrics and as a part of /status.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/metrics.h"
#include "common/storage/column_family.h"
#include "lsm/db.h"

namespace tinykv {

// What the numbers of an engine are shown with.
struct EngineNames {
  // lsm::Options::column_families.
  std::vector<std::string> column_families = {kColumnFamilyNames.begin(), kColumnFamilyNames.end()};
  // They tell its metrics from those of the store's other engines, if it has several.
  MetricSink::Labels labels = {};
};

void CollectEngineMetrics(const lsm::Statistics& statistics, MetricSink& sink,
                          const EngineNames& names = {});

// An object with the same names as lsm::Statistics has. Times are in seconds and called so;
// write_error is empty if writes go on.
nlohmann::json EngineStatus(const lsm::Statistics& statistics, const EngineNames& names = {});

}  // namespace tinykv
