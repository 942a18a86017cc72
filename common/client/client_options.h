// ClientOptions: how a client reaches a store or a cluster, how long it waits, and when it tries
// again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"

namespace tinykv {

struct ClientOptions {
  // HOST:PORT, an IPv6 address in brackets. Of a cluster, those of its stores with commas between
  // them; one is enough while that store runs, because it says where the leader is.
  std::string address = "127.0.0.1:20160";

  // For one call with all its attempts. At most a day. Where several stores are known, each attempt
  // gets a third of it: a store that hangs leaves time for another.
  Duration deadline = std::chrono::seconds(5);

  // Of one call. With pauses as below, the deadline comes first unless it is minutes away.
  int attempts_max = 1000;

  // Pauses between the attempts of one call, except where a store has just said which other one
  // leads. The first is about as long as backoff_min, each later one about twice as long as the one
  // before, up to backoff_max. "About": each is drawn from the upper half of its length, so that
  // clients that failed together do not come back together.
  Duration backoff_min = std::chrono::milliseconds(10);
  Duration backoff_max = std::chrono::seconds(1);
  // Of that drawing. Clients that run side by side should have different seeds.
  uint64_t seed = 0;

  // Of one request or answer. The same as the server's default.
  uint64_t message_bytes_max = 16 << 20;

  // While calls are waiting for answers, the connection is probed this often, so that a machine
  // that is gone is noticed. Stores refuse to be probed more often than every 2 s.
  Duration keepalive_interval = std::chrono::seconds(10);

  // Called at the end of each attempt, with the store that was asked and what came of it: for
  // whoever counts retries or wants to know who answered. The attempts of one call come one after
  // the other, the last one before the call returns; those of several calls from several threads.
  // Must not block. Null for nobody.
  std::function<void(const std::string& address, const absl::Status& status)> on_attempt = nullptr;

  // Both must outlive the client. Null means the machine's clock, and a thread of the client's own.
  // Nothing that runs on `executor` may make blocking calls of the client: they wait for its
  // timers.
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
};

}  // namespace tinykv
