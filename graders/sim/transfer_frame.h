// TransferFrame: what machines send each other to carry a transfer (transfers.h) over the links of
// a Network, between ordinary messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace tinykv::sim {

struct TransferFrame {
  enum class Kind : uint8_t {
    kBegin,    // from the sender: may I?
    kWelcome,  // from the receiver: by this connection
    kChunk,    // from the sender
    kEnd,      // from the sender: these were all
    kAck,      // from the receiver: it has all chunks before `sequence`
    kResult,   // from the receiver: this is how it ended, whatever you may have to say
    kBroken,   // from the sender: there is nothing more to come
  };
  static constexpr int kKinds = 7;

  Kind kind = Kind::kBegin;
  // The sender numbers its transfers from 1 on, the receiver its connections. No machine uses a
  // number twice, not even after a restart: so a frame is never taken for one of another transfer.
  uint64_t transfer = 0;
  uint64_t connection = 0;  // 0: none is known yet
  uint64_t sequence = 0;    // of a chunk, from 0 on; of the end, how many there were
  absl::Status status = {};
  std::string chunk = {};
};

// Frames are told from ordinary messages by their first bytes. No serialized protobuf message
// begins like that. For filters.
bool IsTransferFrame(std::string_view message);

std::string EncodeFrame(const TransferFrame& frame);

// REQUIRES: IsTransferFrame(message), and nobody but EncodeFrame() made it.
TransferFrame DecodeFrame(std::string_view message);

// For the trace: "transfer 3: chunk 2, 4096 bytes". REQUIRES: as DecodeFrame().
std::string DescribeFrame(std::string_view message);

}  // namespace tinykv::sim
