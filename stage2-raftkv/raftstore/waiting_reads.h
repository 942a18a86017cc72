// WaitingReads: reads of a leader, from when they come in until they may be served.
//
// Raft says for each from which index on it is right (raft/read_index.h); it waits here until that
// much is applied, since only then the engine shows all that was acknowledged before the read.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "proto/metapb.pb.h"
#include "stage2-raftkv/raft/read_index.h"

namespace tinykv::raftstore {

// Called once. The region: read now. An error: this peer cannot serve it.
using ReadDone = absl::AnyInvocable<void(absl::StatusOr<metapb::Region>)>;

class WaitingReads {
 public:
  size_t size() const { return asked_.size() + confirmed_.size(); }

  // Returns the number under which Raft is asked.
  uint64_t Add(uint64_t tick, ReadDone done);

  // Raft's answer: readable once the index is applied.
  void Confirm(const raft::ReadState& read);

  // Serves those whose index is applied.
  void Serve(raft::Index applied, const metapb::Region& region);

  void Refuse(uint64_t number, const absl::Status& why);
  // Refuses those that came before `tick` and are not confirmed.
  void GiveUp(uint64_t tick, const absl::Status& why);
  // Refuses all: nothing more will be applied here.
  void RefuseAll(const absl::Status& why);

 private:
  struct Asked {
    uint64_t tick;
    ReadDone done;
  };
  uint64_t last_number_ = 0;
  std::map<uint64_t, Asked> asked_;                 // by number, so by age
  std::multimap<raft::Index, ReadDone> confirmed_;  // by the index that they need
};

}  // namespace tinykv::raftstore
