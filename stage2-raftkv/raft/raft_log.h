// RaftLog: the entries of one member, and how far each of them has come.
//
//        boundary        applied      committed          last_index
//           |               |             |                  |
//     ------+---------------+-------------+------------------+
//     gone: |        handed out to    decided,            may still be
//     the   |        the state        for ever            overwritten by
//     snap- |        machine                              another leader
//     shot                          ^
//                                 stable: on disk up to here, somewhere from the boundary on
//
// Invariants:
//   1. boundary <= applied <= committed <= last_index
//   2. applied <= stable <= last_index: what is not on this disk is not handed out either
//   3. Indexes have no gaps, terms never decrease from one entry to the next.
//   4. An entry at or below `committed` never changes.
//
// All entries from the boundary on are held in memory; whoever owns the log compacts it.
// Source: Raft paper 5.3, 5.4 and 7.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

class RaftLog {
 public:
  // What was read from disk. `boundary` is the last entry that is not there any more; {0, 0} where
  // there never was one. REQUIRES: boundary.index <= applied <= committed <= the last index.
  struct Stored {
    EntryId boundary = {};
    std::vector<Entry> entries = {};
    Index committed = 0;
    Index applied = 0;
  };
  explicit RaftLog(Stored stored);

  const EntryId& boundary() const { return boundary_; }
  Index first_index() const { return boundary_.index + 1; }
  Index last_index() const { return boundary_.index + entries_.size(); }
  Index committed() const { return committed_; }
  Index applied() const { return applied_; }
  Index stable() const { return stable_; }

  // The term of the entry at `index`, the boundary's too. Nothing for what the log does not know:
  // below the boundary and above the last index. Index 0 of a log that begins there has term 0.
  std::optional<Term> TermAt(Index index) const;

  EntryId last() const;

  // REQUIRES: index within [first_index, last_index].
  const Entry& At(Index index) const;

  // Whether a log that ends at `other` is at least as up-to-date as this one: the later last term
  // wins, and among equals the longer log (Raft paper 5.4.1).
  bool IsUpToDate(const EntryId& other) const;

  // Appends what a leader makes of a proposal; sets the index. REQUIRES: entry.term >= the last.
  void Append(Entry entry);

  // What a follower does with a leader's entries, which follow `previous`: refuses, with nothing
  // changed, if this log does not have `previous`; else makes its log contain them. Entries that
  // are there already stay, and so do those behind them; an entry that differs goes, with all
  // behind it. What is gone with the boundary counts as there: it was committed, so the leader has
  // it too. Returns the last index that this log is now known to share with the leader's.
  // Source: Raft paper, Figure 2, AppendEntries, receiver 2 to 4.
  std::optional<Index> TryAppend(const EntryId& previous, const std::vector<Entry>& entries);

  // Entries from `from` on: as many as fit into `bytes_max`, but at least one if there is one.
  // REQUIRES: from >= first_index().
  std::vector<Entry> EntriesFrom(Index from, size_t bytes_max) const;

  // Entries of which the disk does not know yet, in order.
  std::vector<Entry> Unstable() const;

  // Decided entries that have not been handed out: those above `applied`, up to what is committed
  // and on this disk; bounded as EntriesFrom().
  std::vector<Entry> NextToApply(size_t bytes_max) const;

  // Marks up to `index` as committed; never goes back. REQUIRES: index <= last_index().
  void CommitTo(Index index);

  // `written` and all before it are on disk now. Does nothing if another leader has replaced the
  // entry meanwhile.
  void StableTo(const EntryId& written);

  // Everything up to `index` has been handed out. REQUIRES: index <= committed, index <= stable.
  void AppliedTo(Index index);

  // Forgets entries up to `index`, a snapshot has them. Does nothing if they are gone already.
  // REQUIRES: index <= applied.
  void CompactTo(Index index);

  // Replaces the whole log by the snapshot that ends with `last`. It counts as stable and applied
  // at once: the owner stores and applies it before anything that comes later.
  // REQUIRES: last.index > committed.
  void Restore(const EntryId& last);

 private:
  // Removes the entry at `index` and all behind it.
  void TruncateFrom(Index index);
  std::vector<Entry> Copy(Index first, Index last, size_t bytes_max) const;

  EntryId boundary_;
  std::deque<Entry> entries_;  // the first has boundary_.index + 1
  Index committed_;
  Index applied_;
  Index stable_;
};

}  // namespace tinykv::raft
