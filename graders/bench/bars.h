// The bars that a cluster is held to beside etcd.
#pragma once

#include <string>
#include <vector>

#include "graders/bench/report.h"

namespace tinykv::bench {

// For each bar whether `rows` meet it, a line each; nothing for bars whose workloads were not
// measured with both.
std::string ToBars(const std::vector<Row>& rows);

}  // namespace tinykv::bench
