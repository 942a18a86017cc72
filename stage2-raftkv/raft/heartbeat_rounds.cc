#include "stage2-raftkv/raft/heartbeat_rounds.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace tinykv::raft {

void HeartbeatRounds::Reset() {
  before_ = last_;
  begun_.clear();
  answered_.clear();
}

uint64_t HeartbeatRounds::Begin(Duration now) {
  begun_.push_back({++last_, now});
  if (begun_.size() > kRememberedMax) begun_.pop_front();
  return last_;
}

void HeartbeatRounds::Acknowledge(PeerId from, uint64_t round) {
  if (round <= before_ || round > last_) return;
  uint64_t& answered = answered_[from];
  answered = std::max(answered, round);
}

uint64_t HeartbeatRounds::Confirmed(const Membership& members, PeerId self) const {
  std::vector<uint64_t> rounds;
  for (const PeerId member : members) {
    const auto found = answered_.find(member);
    rounds.push_back(member == self ? last_ : found == answered_.end() ? 0 : found->second);
  }
  if (rounds.empty() || begun_.empty()) return 0;
  std::sort(rounds.begin(), rounds.end(), std::greater<>());
  return rounds[MajorityOf(members) - 1];
}

std::optional<Duration> HeartbeatRounds::ConfirmedAt(const Membership& members, PeerId self) const {
  const uint64_t confirmed = Confirmed(members, self);
  for (const Round& round : begun_) {
    if (round.number == confirmed) return round.begun;
  }
  return std::nullopt;
}

}  // namespace tinykv::raft
