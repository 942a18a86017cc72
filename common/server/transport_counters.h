// TransportCounters: what a GrpcTransport counts.
#pragma once

#include <array>

#include "common/metrics.h"

namespace tinykv {

// Thread-safety: safe.
struct TransportCounters {
  // Why a message that was to be sent was not.
  enum Drop { kFull, kTooLarge, kTooOld, kBroken, kUnknownStore };
  static constexpr std::array kDropNames = {"full", "too_large", "too_old", "broken",
                                            "unknown_store"};
  enum Direction { kOut, kIn };
  static constexpr std::array kDirectionNames = {"out", "in"};
  // A refused one is one that the receiver did not want (too many, another cluster, …).
  enum Outcome { kDone, kFailed, kRefused };
  static constexpr std::array kOutcomeNames = {"done", "failed", "refused"};

  explicit TransportCounters(Metrics& metrics);

  Counter& messages_sent;
  Counter& message_bytes_sent;
  Counter& messages_received;
  Counter& message_bytes_received;
  Counter& reconnects;
  Counter& streams_refused_by_others;
  Counter& streams_refused;
  std::array<Counter*, kDropNames.size()> dropped;
  std::array<std::array<Counter*, kOutcomeNames.size()>, kDirectionNames.size()> transfers;
  std::array<Counter*, kDirectionNames.size()> transfer_bytes;
};

}  // namespace tinykv
