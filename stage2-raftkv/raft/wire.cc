#include "stage2-raftkv/raft/wire.h"

#include <string>

namespace tinykv::raft {
namespace {

void ToWire(const Snapshot& snapshot, eraftpb::Snapshot& out) {
  out.set_data(std::string(snapshot.data.view()));
  out.mutable_metadata()->set_index(snapshot.last.index);
  out.mutable_metadata()->set_term(snapshot.last.term);
  for (const PeerId member : snapshot.members) {
    out.mutable_metadata()->mutable_conf_state()->add_nodes(member);
  }
}

Snapshot FromWire(const eraftpb::Snapshot& snapshot) {
  const auto& nodes = snapshot.metadata().conf_state().nodes();
  return {.last = {.index = snapshot.metadata().index(), .term = snapshot.metadata().term()},
          .members = Membership(nodes.begin(), nodes.end()),
          .data = Payload(snapshot.data())};
}

}  // namespace

eraftpb::Entry ToWire(const Entry& entry) {
  eraftpb::Entry out;
  out.set_entry_type(static_cast<eraftpb::EntryType>(entry.type));
  out.set_term(entry.term);
  out.set_index(entry.index);
  out.set_data(std::string(entry.data.view()));
  return out;
}

Entry FromWire(const eraftpb::Entry& entry) {
  return {.type = static_cast<EntryType>(entry.entry_type()),
          .term = entry.term(),
          .index = entry.index(),
          .data = Payload(entry.data())};
}

eraftpb::Message ToWire(const Message& message) {
  eraftpb::Message out;
  out.set_msg_type(static_cast<eraftpb::MessageType>(message.type));
  out.set_to(message.to);
  out.set_from(message.from);
  out.set_term(message.term);
  out.set_log_term(message.log_term);
  out.set_index(message.index);
  for (const Entry& entry : message.entries) *out.add_entries() = ToWire(entry);
  out.set_commit(message.commit);
  if (message.snapshot) ToWire(*message.snapshot, *out.mutable_snapshot());
  out.set_reject(message.reject);
  out.set_rejected_index(message.rejected_index);
  out.set_round(message.round);
  out.set_by_leader(message.by_leader);
  return out;
}

Message FromWire(const eraftpb::Message& message) {
  Message out{.type = static_cast<MessageType>(message.msg_type()),
              .to = message.to(),
              .from = message.from(),
              .term = message.term(),
              .log_term = message.log_term(),
              .index = message.index(),
              .commit = message.commit(),
              .reject = message.reject(),
              .rejected_index = message.rejected_index(),
              .round = message.round(),
              .by_leader = message.by_leader()};
  for (const eraftpb::Entry& entry : message.entries()) out.entries.push_back(FromWire(entry));
  if (message.has_snapshot()) out.snapshot = FromWire(message.snapshot());
  return out;
}

}  // namespace tinykv::raft
