#include "graders/stage2/message_pattern.h"

#include <array>
#include <charconv>
#include <utility>

#include "common/status.h"
#include "common/strings.h"

namespace tinykv::grading {
namespace {

using raft::MessageType;

constexpr std::array kTypes = {MessageType::kAppend,
                               MessageType::kAppendResponse,
                               MessageType::kRequestVote,
                               MessageType::kRequestVoteResponse,
                               MessageType::kSnapshot,
                               MessageType::kHeartbeat,
                               MessageType::kHeartbeatResponse,
                               MessageType::kTransferLeader,
                               MessageType::kTimeoutNow,
                               MessageType::kPreVote,
                               MessageType::kPreVoteResponse};

std::optional<MessageType> TypeNamed(const std::string& word) {
  for (const MessageType type : kTypes) {
    if (raft::ToString(type) == word) return type;
  }
  return std::nullopt;
}

absl::StatusOr<raft::Entry> ParseEntry(const std::string& word) {
  const size_t colon = word.find(':');
  const auto id = ParseEntryId(word.substr(0, colon));
  if (!id.ok()) return id.status();
  raft::Entry entry{.term = id->term, .index = id->index};
  if (colon != std::string::npos) entry.data = word.substr(colon + 1);
  return entry;
}

absl::StatusOr<std::vector<raft::Entry>> ParseEntries(const std::string& word) {
  std::vector<raft::Entry> entries;
  if (word == "none") return entries;
  for (size_t at = 0; at <= word.size();) {
    const size_t comma = std::min(word.find(',', at), word.size());
    auto entry = ParseEntry(word.substr(at, comma - at));
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
    at = comma + 1;
  }
  return entries;
}

// "1->2"; '*' is anybody. False if the word is something else.
bool ParseLink(const std::string& word, MessagePattern& pattern) {
  const size_t arrow = word.find("->");
  if (arrow == std::string::npos) return false;
  const auto end = [](const std::string& name) -> std::optional<raft::PeerId> {
    const auto id = ParseNumber(name);
    return id.ok() ? std::optional(*id) : std::nullopt;
  };
  pattern.from = end(word.substr(0, arrow));
  pattern.to = end(word.substr(arrow + 2));
  return true;
}

template <typename T>
absl::Status Set(std::optional<T>& field, absl::StatusOr<T> value) {
  if (!value.ok()) return value.status();
  field = *std::move(value);
  return absl::OkStatus();
}

// A field with a value. Nothing if there is no such field.
std::optional<absl::Status> ParseField(const std::string& name, const std::string& value,
                                       MessagePattern& pattern) {
  if (name == "term") return Set(pattern.term, ParseNumber(value));
  if (name == "commit") return Set(pattern.commit, ParseNumber(value));
  if (name == "index") return Set(pattern.index, ParseNumber(value));
  if (name == "prev" || name == "last") return Set(pattern.position, ParseEntryId(value));
  if (name == "snapshot") return Set(pattern.snapshot, ParseEntryId(value));
  if (name == "entries") return Set(pattern.entries, ParseEntries(value));
  return std::nullopt;
}

bool SameEntries(const std::vector<raft::Entry>& wanted, const std::vector<raft::Entry>& found) {
  if (wanted.size() != found.size()) return false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].index != found[i].index || wanted[i].term != found[i].term) return false;
    if (!wanted[i].data.empty() && !(wanted[i].data == found[i].data)) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<uint64_t> ParseNumber(const std::string& word) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || word.empty()) {
    return InvalidArgument(Quote(word), " is no number");
  }
  return number;
}

absl::StatusOr<raft::EntryId> ParseEntryId(const std::string& word) {
  const size_t at = word.find('@');
  if (at == std::string::npos) {
    return InvalidArgument(Quote(word), " is no entry; write INDEX@TERM, as in 4@2");
  }
  const auto index = ParseNumber(word.substr(0, at));
  const auto term = ParseNumber(word.substr(at + 1));
  if (!index.ok()) return index.status();
  if (!term.ok()) return term.status();
  return raft::EntryId{*index, *term};
}

absl::StatusOr<MessagePattern> MessagePattern::Parse(std::vector<std::string>& words) {
  MessagePattern pattern;
  size_t used = 0;
  while (used < words.size()) {
    const std::string& word = words[used];
    if (ParseLink(word, pattern)) {
      ++used;
    } else if (const auto named = TypeNamed(word)) {
      pattern.type = named;
      ++used;
    } else if (word == "reject" || word == "accept") {
      pattern.reject = word == "reject";
      ++used;
    } else {
      if (used + 1 >= words.size()) break;
      const auto status = ParseField(word, words[used + 1], pattern);
      if (!status) break;
      if (!status->ok()) return *status;
      used += 2;
    }
  }
  words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(used));
  return pattern;
}

bool MessagePattern::Matches(const raft::Message& message) const {
  const auto is = [](const auto& wanted, const auto& found) { return !wanted || *wanted == found; };
  return is(from, message.from) && is(to, message.to) && is(type, message.type) &&
         is(term, message.term) && is(index, message.index) && is(commit, message.commit) &&
         is(position, raft::EntryId{message.index, message.log_term}) &&
         is(reject, message.reject) && (!entries || SameEntries(*entries, message.entries)) &&
         (!snapshot || (message.snapshot && message.snapshot->last == *snapshot));
}

raft::Message MessagePattern::ToMessage() const {
  raft::Message message{.type = type.value_or(MessageType::kAppend),
                        .to = to.value_or(raft::kNone),
                        .from = from.value_or(raft::kNone),
                        .term = term.value_or(0),
                        .index = index.value_or(0),
                        .entries = entries.value_or(std::vector<raft::Entry>()),
                        .commit = commit.value_or(0),
                        .reject = reject.value_or(false)};
  if (position) {
    message.index = position->index;
    message.log_term = position->term;
  }
  return message;
}

std::string Describe(const raft::Message& message) {
  return Concat(message.from, "->", message.to, " ", raft::ToString(message));
}

}  // namespace tinykv::grading
