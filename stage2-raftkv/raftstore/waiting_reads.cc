#include "stage2-raftkv/raftstore/waiting_reads.h"

#include <utility>

#include "common/your_code_here.h"

namespace tinykv::raftstore {

uint64_t WaitingReads::Add(uint64_t tick, ReadDone done) {
  asked_.emplace(++last_number_, Asked{tick, std::move(done)});
  return last_number_;
}

void WaitingReads::Confirm(const raft::ReadState& read) {
  const auto found = asked_.find(read.request);
  if (found == asked_.end()) return;  // it was given up
  confirmed_.emplace(read.index, std::move(found->second.done));
  asked_.erase(found);
}

void WaitingReads::Serve(raft::Index applied, const metapb::Region& region) {
  // >>> SOLUTION 2B-serve-reads: those that need no more than what is applied
  while (!confirmed_.empty() && confirmed_.begin()->first <= applied) {
    ReadDone done = std::move(confirmed_.begin()->second);
    confirmed_.erase(confirmed_.begin());
    done(region);
  }
  // <<< SOLUTION
}

void WaitingReads::Refuse(uint64_t number, const absl::Status& why) {
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  ReadDone done = std::move(found->second.done);
  asked_.erase(found);
  done(why);
}

void WaitingReads::GiveUp(uint64_t tick, const absl::Status& why) {
  while (!asked_.empty() && asked_.begin()->second.tick < tick) Refuse(asked_.begin()->first, why);
}

void WaitingReads::RefuseAll(const absl::Status& why) {
  while (!asked_.empty()) Refuse(asked_.begin()->first, why);
  for (auto& [index, done] : std::exchange(confirmed_, {})) done(why);
}

}  // namespace tinykv::raftstore
