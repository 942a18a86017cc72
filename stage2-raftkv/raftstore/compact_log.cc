#include "stage2-raftkv/raftstore/compact_log.h"

#include <algorithm>

#include "common/status.h"
#include "common/your_code_here.h"

namespace tinykv::raftstore {
namespace {

absl::Status Propose(const raft::RaftCore& core, const raft_cmdpb::AdminRequest& request) {
  const raft::Index index = request.compact_log().compact_index();
  if (core.log().TermAt(index) == request.compact_log().compact_term()) return absl::OkStatus();
  return InvalidArgument("the log cannot be compacted to entry ", index, " of term ",
                         request.compact_log().compact_term(), ", which it does not have");
}

absl::Status Apply(const raft::EntryId& id, const raft_cmdpb::AdminRequest& request,
                   AppliedRegion& region, lsm::WriteBatch& /*batch*/) {
  const raft_cmdpb::CompactLogRequest& compact = request.compact_log();
  // >>> SOLUTION 2C-apply-compact: the log's beginning moves, only forward, only over what is
  // applied
  raft_serverpb::RaftTruncatedState& truncated = *region.state.mutable_truncated_state();
  // It may be late: a snapshot has brought this peer further, or another leader has compacted more.
  if (compact.compact_index() <= truncated.index()) return absl::OkStatus();
  if (compact.compact_index() >= id.index) {
    return InvalidArgument("entry ", id.index, " cannot compact the log to entry ",
                           compact.compact_index(), ", which comes after it");
  }
  truncated.set_index(compact.compact_index());
  truncated.set_term(compact.compact_term());
  return absl::OkStatus();
  // <<< SOLUTION
}

}  // namespace

uint64_t LogBytes::Count(const raft::RaftLog& log, raft::Index applied) {
  raft::Index next = pieces_.empty() ? log.first_index() : pieces_.back().last + 1;
  next = std::max(next, log.first_index());
  while (!pieces_.empty() && pieces_.front().last < log.first_index()) {
    bytes_ -= pieces_.front().bytes;
    pieces_.pop_front();
  }
  Piece piece{.last = applied};
  for (; next <= applied; ++next) piece.bytes += raft::SizeOf(log.At(next));
  if (piece.bytes > 0) pieces_.push_back(piece);
  bytes_ += piece.bytes;
  return bytes_;
}

std::optional<raft::EntryId> WantedCompaction(const raft::RaftCore& core, raft::Index applied,
                                              uint64_t log_bytes, const LogLimits& limits) {
  const raft::Index first = core.log().boundary().index;
  if (applied <= first) return std::nullopt;
  const uint64_t entries = applied - first;
  if (entries < limits.entries_max && log_bytes < limits.bytes_max) return std::nullopt;
  // >>> SOLUTION 2C-want-compact: what all members have; more only if one keeps the log too long
  raft::Index target = applied;
  for (const auto& [peer, progress] : core.progress()) target = std::min(target, progress.match());
  const bool is_far_too_long = entries >= limits.entries_max + limits.entries_max / 2 ||
                               log_bytes >= limits.bytes_max + limits.bytes_max / 2;
  if (is_far_too_long) target = std::max(target, applied - entries / 2);
  if (target <= first) return std::nullopt;
  return raft::EntryId{.index = target, .term = *core.log().TermAt(target)};
  // <<< SOLUTION
}

raft_cmdpb::AdminRequest CompactLogRequest(const raft::EntryId& last) {
  raft_cmdpb::AdminRequest request;
  request.set_cmd_type(raft_cmdpb::CompactLog);
  request.mutable_compact_log()->set_compact_index(last.index);
  request.mutable_compact_log()->set_compact_term(last.term);
  return request;
}

AdminHandler CompactLogHandler() { return {.propose = Propose, .apply = Apply}; }

}  // namespace tinykv::raftstore
