// Raft messages on the wire: between raft/types.h and proto/eraftpb.proto.
//
// Thread-safety: safe, nothing is shared.
#pragma once

#include "proto/eraftpb.pb.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

eraftpb::Message ToWire(const Message& message);
// Types and fields that are not known are kept as they are; whoever steps the message drops it.
Message FromWire(const eraftpb::Message& message);

eraftpb::Entry ToWire(const Entry& entry);
Entry FromWire(const eraftpb::Entry& entry);

}  // namespace tinykv::raft
