#include "graders/stage2/raft_member.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/check.h"
#include "common/coding.h"

namespace tinykv::grading {
namespace {

// FNV-1a (Fowler, Noll and Vo).
uint64_t Mix(uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

std::string Bytes(uint64_t number) {
  std::string bytes;
  PutFixed64(&bytes, number);
  return bytes;
}

}  // namespace

void AppliedState::Apply(const raft::Entry& entry) {
  TKV_CHECK(entry.index == index + 1 && "entries are applied one after the other, none left out");
  index = entry.index;
  chain = Mix(Mix(chain ^ entry.index, Bytes(entry.term)), entry.data.view());
}

raft::Snapshot AppliedState::ToSnapshot(raft::Term term, const raft::Membership& members) const {
  return {.last = {index, term}, .members = members, .data = Bytes(chain)};
}

AppliedState AppliedState::Of(const raft::Snapshot& snapshot) {
  AppliedState state{.index = snapshot.last.index};
  std::string_view data = snapshot.data.view();
  TKV_CHECK(GetFixed64(&data, &state.chain) && "a snapshot's data must not change");
  return state;
}

RaftDisk::RaftDisk(const raft::StoredState& stored)
    : hard_state(stored.hard_state),
      members(stored.members),
      boundary(stored.boundary),
      entries(stored.entries),
      applied{.index = stored.applied} {}

void RaftDisk::Write(const raft::Ready& ready) {
  if (ready.snapshot) {
    boundary = ready.snapshot->last;
    members = ready.snapshot->members;
    entries.clear();
    applied = AppliedState::Of(*ready.snapshot);
  }
  if (!ready.entries.empty()) {
    const raft::Index first = ready.entries.front().index;
    TKV_CHECK(first > boundary.index && first <= last_index() + 1 &&
              "entries to be written follow those that are there");
    entries.erase(entries.begin() + static_cast<ptrdiff_t>(first - boundary.index - 1),
                  entries.end());
    entries.insert(entries.end(), ready.entries.begin(), ready.entries.end());
  }
  if (ready.hard_state) hard_state = *ready.hard_state;
}

void RaftDisk::CompactTo(raft::Index index) {
  TKV_CHECK(index <= applied.index && "only what the state machine has on disk is compacted");
  if (index <= boundary.index) return;
  const raft::Term term = *TermAt(index);
  entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(index - boundary.index));
  boundary = {index, term};
}

raft::StoredState RaftDisk::Load() const {
  raft::HardState restored = hard_state;
  // A commit index is written without a sync, and what was applied may be on disk before it.
  restored.commit = std::max(restored.commit, applied.index);
  return {.hard_state = restored,
          .members = members,
          .boundary = boundary,
          .entries = entries,
          .applied = applied.index};
}

std::optional<raft::Term> RaftDisk::TermAt(raft::Index index) const {
  if (index == boundary.index) return boundary.term;
  if (index < boundary.index || index > last_index()) return std::nullopt;
  return entries[index - boundary.index - 1].term;
}

void RaftDisk::EncodeTo(std::string& out) const {
  for (const uint64_t number : {hard_state.term, hard_state.vote, hard_state.commit, boundary.index,
                                boundary.term, applied.index, applied.chain}) {
    PutVarint64(&out, number);
  }
  for (const raft::Entry& entry : entries) {
    PutVarint64(&out, entry.term);
    PutLengthPrefixed(&out, entry.data.view());
  }
}

RaftMember::RaftMember(const raft::RaftOptions& options, const RaftDisk& disk)
    : core_(options, disk.Load()), applied_(disk.applied) {}

std::vector<raft::Message> RaftMember::TakeReady() {
  TKV_CHECK(!ready_.has_value());
  ready_ = core_.TakeReady();
  const auto late =
      std::stable_partition(ready_->messages.begin(), ready_->messages.end(),
                            [](const raft::Message& m) { return raft::MaySendBeforeSync(m); });
  std::vector<raft::Message> early(std::make_move_iterator(ready_->messages.begin()),
                                   std::make_move_iterator(late));
  ready_->messages.erase(ready_->messages.begin(), late);
  return early;
}

void RaftMember::Write(RaftDisk& disk) const { disk.Write(*ready_); }

std::vector<raft::Message> RaftMember::FinishReady() {
  const raft::Ready ready = *std::exchange(ready_, std::nullopt);
  Apply(ready);
  core_.Advance(ready);
  if (ready.snapshot_wanted) {
    const raft::Term term = core_.log().TermAt(applied_.index).value_or(0);
    core_.ProvideSnapshot(applied_.ToSnapshot(term, core_.members()));
  }
  return ready.messages;
}

void RaftMember::Apply(const raft::Ready& ready) {
  if (ready.snapshot) applied_ = AppliedState::Of(*ready.snapshot);
  for (const raft::Entry& entry : ready.committed) applied_.Apply(entry);
  reads_.insert(reads_.end(), ready.reads.begin(), ready.reads.end());
}

void RaftMember::Checkpoint(RaftDisk& disk, raft::Index index) {
  // The log on this disk must go on where the state ends, also for what was applied ahead of it.
  if (applied_.index > disk.last_index() || ready_is_out()) return;
  disk.applied = applied_;
  disk.hard_state.commit = std::max(disk.hard_state.commit, applied_.index);
  index = std::min(index, applied_.index);
  disk.CompactTo(index);
  core_.CompactTo(index);
}

std::vector<raft::ReadState> RaftMember::TakeReads() { return std::exchange(reads_, {}); }

std::string RaftMember::EncodeState() const {
  std::string out = core_.EncodeState();
  PutVarint64(&out, applied_.index);
  PutVarint64(&out, applied_.chain);
  return out;
}

}  // namespace tinykv::grading
