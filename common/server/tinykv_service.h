// The service tinykvpb.TinyKv as a facade: each rpc runs the handler that a stage installed, and
// one that nobody installed answers UNIMPLEMENTED and names the stage that brings it.
#pragma once

#include <memory>

#include "common/env/clock.h"
#include "common/metrics.h"
#include "common/server/request_gate.h"
#include "common/server/server.h"

namespace tinykv {

// All but the handlers must outlive the service.
std::unique_ptr<grpc::Service> MakeTinyKvService(TinyKvHandlers handlers,
                                                 StreamHandlers stream_handlers, RequestGate& gate,
                                                 Metrics& metrics, Clock& clock);

}  // namespace tinykv
