#include "stage2-raftkv/raft/read_index.h"

namespace tinykv::raft {

void ReadIndexQueue::Admit(Index committed, uint64_t round) {
  for (const uint64_t request : early_) waiting_.push_back({{request, committed}, round});
  early_.clear();
}

void ReadIndexQueue::Confirm(uint64_t round, std::vector<ReadState>& ready) {
  while (!waiting_.empty() && waiting_.front().round <= round) {
    ready.push_back(waiting_.front().read);
    waiting_.pop_front();
  }
}

void ReadIndexQueue::Refuse(std::vector<uint64_t>& refused) {
  for (const Waiting& waiting : waiting_) refused.push_back(waiting.read.request);
  refused.insert(refused.end(), early_.begin(), early_.end());
  waiting_.clear();
  early_.clear();
}

}  // namespace tinykv::raft
