// CheckMessage: what no member that follows the protocol sends, found before a core sees it.
//
// A core takes for granted what its peers are bound to, such as entries without gaps, and its
// checks would end the process if they broke it. Here it becomes an error of one message. That is
// against damage and mistakes, such as a peer of another group with an id of this one; it is no
// protection against members that lie: Raft believes an acknowledgement, a vote and a term.
#pragma once

#include "absl/status/status.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

// `message` came over the network to `core`. What it says is checked for itself, and against what
// `core` knows for certain. Messages of types that are not known are checked for address and term.
// Errors: kInvalidArgument, which says what is wrong.
absl::Status CheckMessage(const Message& message, const RaftCore& core);

}  // namespace tinykv::raft
