// OfferTraceOf: what was kept in a trace, for ./tinykv grade --trace.
#pragma once

#include <memory>

#include "graders/sim/trace.h"

namespace tinykv::grading {

void OfferTraceOf(std::shared_ptr<const sim::Trace> trace);

}  // namespace tinykv::grading
