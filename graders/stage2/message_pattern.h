// MessagePattern: "1->2 Append term 3 prev 4@2 entries 5@3,6@3 commit 4": in a script, which
// messages are meant, or what a message says.
//
//   1->2, *->2, 1->*       sender and receiver
//   Append, RequestVote …  the type, as raft::ToString() has it
//   term 3, commit 4       fields
//   prev 4@2               Append: the entry that the new ones follow, number 4 of term 2
//   last 4@2               RequestVote, PreVote: the candidate's last entry
//   index 4                AppendResponse: what the sender has, or hints at
//   entries 5@3:x,6@3      exactly these; ":x" their data; "entries none": no entry
//   snapshot 4@2           up to where a snapshot goes
//   reject, accept         of a response
//
// Thread-safety: none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::grading {

struct MessagePattern {
  std::optional<raft::PeerId> from = {};
  std::optional<raft::PeerId> to = {};
  std::optional<raft::MessageType> type = {};
  std::optional<raft::Term> term = {};
  std::optional<raft::EntryId> position =
      {};  // prev and last; index alone is an EntryId without term
  std::optional<raft::Index> index = {};
  std::optional<std::vector<raft::Entry>> entries = {};
  std::optional<raft::Index> commit = {};
  std::optional<raft::EntryId> snapshot = {};
  std::optional<bool> reject = {};

  // Takes words from the front of `words` as long as they belong to a pattern.
  // Errors: kInvalidArgument, naming the word.
  static absl::StatusOr<MessagePattern> Parse(std::vector<std::string>& words);

  bool Matches(const raft::Message& message) const;
  // The message that a full pattern stands for.
  raft::Message ToMessage() const;
};

// "4@2": entry 4 of term 2. Errors: kInvalidArgument.
absl::StatusOr<raft::EntryId> ParseEntryId(const std::string& word);
absl::StatusOr<uint64_t> ParseNumber(const std::string& word);

// "1->2 Append …", for those who read what was in flight instead.
std::string Describe(const raft::Message& message);

}  // namespace tinykv::grading
