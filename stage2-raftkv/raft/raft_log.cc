#include "stage2-raftkv/raft/raft_log.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "common/check.h"
#include "common/your_code_here.h"

namespace tinykv::raft {

RaftLog::RaftLog(Stored stored)
    : boundary_(stored.boundary),
      entries_(std::make_move_iterator(stored.entries.begin()),
               std::make_move_iterator(stored.entries.end())),
      committed_(stored.committed),
      applied_(stored.applied),
      stable_(boundary_.index + entries_.size()) {
  TKV_CHECK(boundary_.index <= applied_ && "what a snapshot replaces has been applied");
  TKV_CHECK(applied_ <= committed_ && "only what is committed is applied");
  TKV_CHECK(committed_ <= last_index() && "a stored commit index stands in the log");
  for (size_t i = 0; i < entries_.size(); ++i) {
    TKV_CHECK(entries_[i].index == first_index() + i && "stored indexes have no gaps");
  }
}

std::optional<Term> RaftLog::TermAt(Index index) const {
  // >>> SOLUTION 2A-log-term: the boundary has a term too
  if (index == boundary_.index) return boundary_.term;
  if (index < boundary_.index || index > last_index()) return std::nullopt;
  return At(index).term;
  // <<< SOLUTION
}

EntryId RaftLog::last() const { return {last_index(), TermAt(last_index()).value_or(0)}; }

bool RaftLog::IsUpToDate(const EntryId& other) const {
  // >>> SOLUTION 2A-log-compare: terms first, then length
  const EntryId mine = last();
  return other.term > mine.term || (other.term == mine.term && other.index >= mine.index);
  // <<< SOLUTION
}

void RaftLog::Append(Entry entry) {
  TKV_CHECK(entry.term >= last().term && "terms never decrease within a log");
  entry.index = last_index() + 1;
  entries_.push_back(std::move(entry));
}

std::optional<Index> RaftLog::TryAppend(const EntryId& previous,
                                        const std::vector<Entry>& entries) {
  // >>> SOLUTION 2A-log-append: refuse, skip what is there, cut what differs
  // What is below the boundary has been committed, so every later leader has it as well.
  if (previous.index >= boundary_.index && TermAt(previous.index) != previous.term) {
    return std::nullopt;
  }
  for (const Entry& entry : entries) {
    if (entry.index <= boundary_.index || TermAt(entry.index) == entry.term) continue;
    // Cut only at a real difference: a delayed message may carry less than we have (5.3).
    if (entry.index <= last_index()) TruncateFrom(entry.index);
    entries_.push_back(entry);
  }
  return previous.index + entries.size();
  // <<< SOLUTION
}

std::vector<Entry> RaftLog::EntriesFrom(Index from, size_t bytes_max) const {
  TKV_CHECK(from >= first_index() && "compacted entries cannot be read");
  return Copy(from, last_index(), bytes_max);
}

std::vector<Entry> RaftLog::Unstable() const {
  return Copy(stable_ + 1, last_index(), std::numeric_limits<size_t>::max());
}

std::vector<Entry> RaftLog::NextToApply(size_t bytes_max) const {
  // >>> SOLUTION 2A-log-apply: committed, and on this disk
  return Copy(applied_ + 1, std::min(committed_, stable_), bytes_max);
  // <<< SOLUTION
}

void RaftLog::CommitTo(Index index) {
  TKV_CHECK(index <= last_index() && "only entries that are there can be committed");
  committed_ = std::max(committed_, index);
}

void RaftLog::StableTo(const EntryId& written) {
  if (written.index <= stable_ || TermAt(written.index) != written.term) return;
  stable_ = written.index;
}

void RaftLog::AppliedTo(Index index) {
  TKV_CHECK(index <= committed_ && "what is not committed must not be applied");
  TKV_CHECK(index <= stable_ && "what is not on this disk must not be applied");
  applied_ = std::max(applied_, index);
}

void RaftLog::CompactTo(Index index) {
  TKV_CHECK(index <= applied_ && "what is not applied must not be compacted");
  if (index <= boundary_.index) return;
  const Term term = At(index).term;
  entries_.erase(entries_.begin(),
                 entries_.begin() + static_cast<ptrdiff_t>(index - boundary_.index));
  boundary_ = {index, term};
}

void RaftLog::Restore(const EntryId& last) {
  TKV_CHECK(last.index > committed_ && "a snapshot that is behind must not be restored");
  boundary_ = last;
  entries_.clear();
  committed_ = applied_ = stable_ = last.index;
}

const Entry& RaftLog::At(Index index) const {
  TKV_CHECK(index >= first_index() && index <= last_index() && "the log has such an entry");
  return entries_[index - first_index()];
}

void RaftLog::TruncateFrom(Index index) {
  TKV_CHECK(index > committed_ && "a committed entry is never replaced");
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(index - first_index()), entries_.end());
  stable_ = std::min(stable_, index - 1);
}

std::vector<Entry> RaftLog::Copy(Index first, Index last, size_t bytes_max) const {
  std::vector<Entry> copy;
  size_t bytes = 0;
  for (Index index = first; index <= last; ++index) {
    const Entry& entry = At(index);
    bytes += SizeOf(entry);
    if (!copy.empty() && bytes > bytes_max) break;
    copy.push_back(entry);
  }
  return copy;
}

}  // namespace tinykv::raft
