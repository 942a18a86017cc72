#include "graders/stage2/raft_invariants.h"

#include <algorithm>

#include "common/check.h"
#include "common/coding.h"
#include "common/strings.h"

namespace tinykv::grading {
namespace {

using raft::EntryId;
using raft::Index;
using raft::PeerId;
using raft::Role;
using raft::Term;

template <typename... Parts>
RaftInvariants::Result Broken(const char* invariant, const Parts&... parts) {
  return RaftViolation{invariant, Concat(parts...)};
}

const RaftMemberView& Find(const RaftGroupView& group, PeerId id) {
  const auto found = std::find_if(group.begin(), group.end(),
                                  [id](const RaftMemberView& view) { return view.id == id; });
  TKV_CHECK(found != group.end());
  return *found;
}

std::string Describe(const raft::Entry& entry) {
  return Concat(Quote(entry.data.view(), 16), " of term ", entry.term);
}

bool IsOnDisk(const RaftDisk& disk, const EntryId& id) {
  return id.index <= disk.boundary.index || disk.TermAt(id.index) == id.term;
}

}  // namespace

RaftInvariants::Result RaftInvariants::OnStart(const RaftGroupView& group, PeerId id) {
  const RaftMemberView& view = Find(group, id);
  const Term told = told_[id];
  if (view.member->core().term() < told) {
    return Broken("Monotony", "peer ", id, " is in term ", view.member->core().term(),
                  " after its restart, but has told others of term ", told,
                  " before: a term that others know must be on disk");
  }
  // A process begins with what it read; only from then on nothing may go back.
  seen_[id] = {.term = view.member->core().term()};
  ForgetUnwritten(view);
  return OnEvent(group, id);
}

void RaftInvariants::ForgetUnwritten(const RaftMemberView& view) {
  // Who is alone needs nobody's vote, so it may lead, crash before anything is on disk, and lead
  // the same term again. Nobody has seen what it appended the first time.
  if (view.member->core().members().size() != 1) return;
  absl::erase_if(known_, [&](const auto& known) {
    return known.second.at == view.id && view.disk->TermAt(known.first.first) != known.first.second;
  });
}

RaftInvariants::Result RaftInvariants::OnEvent(const RaftGroupView& group, PeerId id) {
  const RaftMemberView& view = Find(group, id);
  Seen& seen = seen_[id];
  const raft::RaftCore& core = view.member->core();
  if (auto broken = CheckMonotony(view, seen)) return broken;
  if (core.term() == seen.term && seen.vote != raft::kNone && core.vote() != seen.vote) {
    return Broken("OneVoteATerm", "peer ", id, " has voted for peer ", seen.vote, " in term ",
                  seen.term, ", and changes its vote to ",
                  core.vote() == raft::kNone ? "nobody" : Concat("peer ", core.vote()));
  }
  if (auto broken = CheckLeader(view, seen)) return broken;
  if (auto broken = CheckLog(view, seen)) return broken;
  if (core.log().committed() != seen.committed) {
    if (auto broken = CheckCommit(group, view, seen)) return broken;
  }
  if (auto broken = CheckApplied(view)) return broken;
  Remember(view, seen);
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckMonotony(const RaftMemberView& view,
                                                     const Seen& seen) const {
  const raft::RaftCore& core = view.member->core();
  const auto back = [&](const char* what, uint64_t before, uint64_t now) {
    return Broken("Monotony", "the ", what, " of peer ", view.id, " goes back from ", before,
                  " to ", now);
  };
  if (core.term() < seen.term) return back("term", seen.term, core.term());
  if (core.log().committed() < seen.committed) {
    return back("commit index", seen.committed, core.log().committed());
  }
  if (view.member->applied().index < seen.applied) {
    return back("applied index", seen.applied, view.member->applied().index);
  }
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckVote(PeerId voter, Term term, PeerId candidate) {
  const auto [vote, is_new] = votes_.try_emplace({voter, term}, candidate);
  if (is_new || vote->second == candidate) return std::nullopt;
  return Broken("OneVoteATerm", "peer ", voter, " votes for peer ", candidate, " in term ", term,
                ", and has voted for peer ", vote->second, " in that term before");
}

RaftInvariants::Result RaftInvariants::CheckLeader(const RaftMemberView& view, const Seen& seen) {
  const raft::RaftCore& core = view.member->core();
  if (core.role() != Role::kLeader) return std::nullopt;
  const auto [leader, is_new] = leaders_.try_emplace(core.term(), view.id);
  if (leader->second != view.id) {
    return Broken("ElectionSafety", "peers ", leader->second, " and ", view.id,
                  " have both become leader of term ", core.term());
  }
  if (seen.role == Role::kLeader && seen.term == core.term()) {
    const Index last = seen.boundary.index + seen.terms.size();
    if (core.log().last_index() >= last) return std::nullopt;
    return Broken("LeaderAppendOnly", "peer ", view.id, " leads term ", core.term(),
                  " and has removed entry ", last, " of its own log");
  }
  // What was committed in an earlier term must be here. Logs that agree on an entry agree on all
  // before it, so it is enough to look for the last.
  for (auto chosen = chosen_.rbegin(); chosen != chosen_.rend(); ++chosen) {
    const auto& [index, what] = *chosen;
    if (what.in_term >= core.term()) continue;
    if (index <= core.log().boundary().index) break;
    if (core.log().TermAt(index) == what.entry.term) break;
    return Broken("LeaderCompleteness", "peer ", view.id, " becomes leader of term ", core.term(),
                  " without entry ", index, ", ", Describe(what.entry), ", which peer ", what.by,
                  " committed in term ", what.in_term);
  }
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckLog(const RaftMemberView& view, const Seen& seen) {
  const raft::RaftLog& log = view.member->core().log();
  const auto term_before = [&seen](Index index) -> std::optional<Term> {
    if (index == seen.boundary.index) return seen.boundary.term;
    const Index last = seen.boundary.index + seen.terms.size();
    if (index < seen.boundary.index || index > last) return std::nullopt;
    return seen.terms[index - seen.boundary.index - 1];
  };
  bool has_changed = false;
  for (Index index = log.first_index(); index <= log.last_index(); ++index) {
    const Term term = log.At(index).term;
    const bool is_same = term_before(index) == term;
    if (is_same && !has_changed) continue;
    // The one behind a change stands on something new.
    has_changed = !is_same;
    if (!is_same && seen.role == Role::kLeader && seen.term == view.member->core().term() &&
        term_before(index).has_value()) {
      return Broken("LeaderAppendOnly", "peer ", view.id, " leads term ", seen.term,
                    " and has replaced entry ", index, " of its own log");
    }
    if (auto broken = CheckEntry(view, index)) return broken;
  }
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckEntry(const RaftMemberView& view, Index index) {
  const raft::RaftLog& log = view.member->core().log();
  const raft::Entry& entry = log.At(index);
  if (entry.index != index) {
    return Broken("LogMatching", "peer ", view.id, " holds at index ", index,
                  " an entry that says it is ", entry.index);
  }
  const std::optional<Term> previous = log.TermAt(index - 1);
  const auto [at, is_new] =
      known_.try_emplace({index, entry.term}, Known{entry.data, previous, view.id});
  const Known& known = at->second;
  if (!(known.data == entry.data)) {
    return Broken("LogMatching", "peer ", view.id, " has ", Describe(entry), " at index ", index,
                  ", and peer ", known.at, " has had ", Quote(known.data.view(), 16),
                  " there, of the same term");
  }
  if (known.previous_term && previous && *known.previous_term != *previous) {
    return Broken("LogMatching", "peers ", known.at, " and ", view.id, " have the same entry ",
                  index, " of term ", entry.term, ", but before it one of term ",
                  *known.previous_term, " and one of term ", *previous);
  }
  const auto chosen = chosen_.find(index);
  if (index <= view.member->core().log().committed() && chosen != chosen_.end() &&
      chosen->second.entry.term != entry.term) {
    return Broken("StateMachineSafety", "peer ", view.id, " has ", Describe(entry),
                  " committed at index ", index, ", where peer ", chosen->second.by,
                  " has committed ", Describe(chosen->second.entry));
  }
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckCommit(const RaftGroupView& group,
                                                   const RaftMemberView& view, const Seen& seen) {
  const raft::RaftCore& core = view.member->core();
  const Index first = std::max(seen.committed + 1, core.log().first_index());
  for (Index index = first; index <= core.log().committed(); ++index) {
    const raft::Entry& entry = core.log().At(index);
    const auto [at, is_new] = chosen_.try_emplace(index, Chosen{entry, core.term(), view.id});
    const Chosen& chosen = at->second;
    if (chosen.entry.term != entry.term || !(chosen.entry.data == entry.data)) {
      return Broken("StateMachineSafety", "peer ", view.id, " commits ", Describe(entry),
                    " at index ", index, ", where peer ", chosen.by, " has committed ",
                    Describe(chosen.entry));
    }
  }
  return CheckStored(group, view);
}

RaftInvariants::Result RaftInvariants::CheckStored(const RaftGroupView& group,
                                                   const RaftMemberView& view) const {
  const raft::RaftCore& core = view.member->core();
  if (core.role() != Role::kLeader || core.log().committed() < core.log().first_index()) {
    return std::nullopt;
  }
  const raft::Entry& last = core.log().At(core.log().committed());
  size_t count = 0;
  for (const RaftMemberView& other : group) {
    const bool counts =
        core.members().contains(other.id) && IsOnDisk(*other.disk, {last.index, last.term});
    count += counts ? 1 : 0;
  }
  if (count < raft::MajorityOf(core.members())) {
    return Broken("CommittedIsStored", "peer ", view.id, ", the leader of term ", core.term(),
                  ", commits entry ", last.index, ", ", Describe(last), ", which is on ",
                  Counted(count, "disk"), " of ", core.members().size());
  }
  for (const RaftMemberView& other : group) {
    if (other.member == nullptr || other.member->core().role() != Role::kLeader) continue;
    const raft::RaftLog& log = other.member->core().log();
    if (other.member->core().term() <= core.term() || last.index <= log.boundary().index) continue;
    if (log.TermAt(last.index) == last.term) continue;
    return Broken("LeaderCompleteness", "peer ", view.id, " commits entry ", last.index, ", ",
                  Describe(last), ", in term ", core.term(), ", and peer ", other.id,
                  ", which leads term ", other.member->core().term(), ", does not have it");
  }
  return std::nullopt;
}

RaftInvariants::Result RaftInvariants::CheckApplied(const RaftMemberView& view) {
  const AppliedState& applied = view.member->applied();
  const auto [at, is_new] = chains_.try_emplace(applied.index, applied.chain, view.id);
  if (at->second.first != applied.chain) {
    return Broken("StateMachineSafety", "the state machines of peers ", at->second.second, " and ",
                  view.id, " differ after entry ", applied.index);
  }
  if (applied.index > view.disk->last_index()) {
    return Broken("AppliedIsStored", "peer ", view.id, " has applied entry ", applied.index,
                  ", and the log on its disk ends with ", view.disk->last_index());
  }
  return std::nullopt;
}

void RaftInvariants::Remember(const RaftMemberView& view, Seen& seen) {
  const raft::RaftCore& core = view.member->core();
  seen.term = core.term();
  seen.role = core.role();
  seen.vote = core.vote();
  seen.committed = core.log().committed();
  seen.applied = view.member->applied().index;
  seen.boundary = core.log().boundary();
  seen.terms.clear();
  for (Index index = core.log().first_index(); index <= core.log().last_index(); ++index) {
    seen.terms.push_back(core.log().At(index).term);
  }
}

RaftInvariants::Result RaftInvariants::OnSend(const raft::Message& message, const RaftDisk& disk) {
  using raft::MessageType;
  const bool is_pre_vote =
      message.type == MessageType::kPreVote || message.type == MessageType::kPreVoteResponse;
  if (is_pre_vote || raft::MaySendBeforeSync(message)) return std::nullopt;
  Term& told = told_[message.from];
  told = std::max(told, message.term);
  if (disk.hard_state.term < message.term) {
    return Broken("PromisesAreStored", "peer ", message.from, " sends ",
                  raft::ToString(message.type), " in term ", message.term,
                  ", and the term on its disk is ", disk.hard_state.term);
  }
  // Of an older term: the same Ready has a newer one, whose leader may have replaced the entries.
  // No harm: they were there when this member could still have voted, and so were counted.
  if (disk.hard_state.term > message.term) return std::nullopt;
  if (message.type == MessageType::kAppendResponse && !message.reject &&
      message.index > disk.last_index()) {
    return Broken("PromisesAreStored", "peer ", message.from, " tells peer ", message.to,
                  " that it has all up to entry ", message.index,
                  ", and the log on its disk ends with ", disk.last_index());
  }
  const bool grants = message.type == MessageType::kRequestVoteResponse && !message.reject;
  if (!grants && message.type != MessageType::kRequestVote) return std::nullopt;
  const PeerId candidate = grants ? message.to : message.from;
  if (disk.hard_state.vote != candidate) {
    return Broken(
        "PromisesAreStored", "peer ", message.from, " gives its vote of term ", message.term,
        " to peer ", candidate, ", and the vote on its disk is for ",
        disk.hard_state.vote == raft::kNone ? "nobody" : Concat("peer ", disk.hard_state.vote));
  }
  return CheckVote(message.from, message.term, candidate);
}

RaftInvariants::Result RaftInvariants::OnReady(PeerId id, const raft::Ready& ready,
                                               const RaftDisk& disk) {
  if (ready.committed.empty() || ready.committed.back().index <= disk.last_index()) {
    return std::nullopt;
  }
  return Broken("AppliedIsStored", "peer ", id, " hands out entry ", ready.committed.back().index,
                ", and the log on its disk ends with ", disk.last_index());
}

RaftInvariants::Result RaftInvariants::NoEnd(PeerId id, int readys) {
  return Broken("ReadysEnd", "after one input peer ", id, " has had ", readys,
                " Readys, and there is still one: what Advance() was told is wanted again");
}

void RaftInvariants::OnReadAsked(uint64_t request) { reads_[request] = committed(); }

RaftInvariants::Result RaftInvariants::OnReadAnswered(PeerId id, const raft::ReadState& read) {
  const auto asked = reads_.find(read.request);
  if (asked == reads_.end()) {
    return Broken("ReadsAreCurrent", "peer ", id, " answers read ", read.request,
                  ", which was not asked for, or answered before");
  }
  const Index committed = asked->second;
  reads_.erase(asked);
  if (read.index >= committed) return std::nullopt;
  return Broken("ReadsAreCurrent", "peer ", id, " lets a read be served at entry ", read.index,
                ", and entry ", committed, " was committed before the read was asked for");
}

void RaftInvariants::EncodeTo(std::string& out) const {
  for (const auto& [term, leader] : leaders_) {
    PutVarint64(&out, term);
    PutVarint64(&out, leader);
  }
  out += '/';
  for (const auto& [voter, candidate] : votes_) {
    PutVarint64(&out, voter.first);
    PutVarint64(&out, voter.second);
    PutVarint64(&out, candidate);
  }
  out += '/';
  for (const auto& [index, chosen] : chosen_) {
    PutVarint64(&out, chosen.entry.term);
    PutVarint64(&out, chosen.in_term);
  }
}

}  // namespace tinykv::grading
