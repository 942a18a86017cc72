#include "stage2-raftkv/raft/wire.h"

#include <gtest/gtest.h>

#include <string>

namespace tinykv::raft {
namespace {

Message OverTheWire(const Message& message) {
  eraftpb::Message read;
  EXPECT_TRUE(read.ParseFromString(ToWire(message).SerializeAsString()));
  return FromWire(read);
}

const std::string kBytes("\0\xff", 2);

TEST(Wire, EveryFieldArrives) {
  const Message message{
      .type = MessageType::kAppend,
      .to = 1,
      .from = 2,
      .term = 3,
      .log_term = 4,
      .index = 5,
      .entries = {{.type = EntryType::kConfChange, .term = 6, .index = 7, .data = kBytes}, {}},
      .commit = 8,
      .snapshot = Snapshot{.last = {9, 10}, .members = {11, 12}, .data = kBytes},
      .reject = true,
      .rejected_index = 13,
      .round = 14,
      .by_leader = true};
  EXPECT_EQ(OverTheWire(message), message);
}

TEST(Wire, WhatIsNotThereArrivesAsNotThere) {
  EXPECT_EQ(OverTheWire({}), Message{});
  EXPECT_FALSE(ToWire(Message{}).has_snapshot());
}

TEST(Wire, AnEmptySnapshotIsNotNone) {
  EXPECT_TRUE(OverTheWire({.snapshot = Snapshot{}}).snapshot.has_value());
}

TEST(Wire, TypesThatAreNotKnownStayWhatTheyAre) {
  for (const int number : {10, 42, 256, 1'000'000, -1}) {
    EXPECT_EQ(OverTheWire({.type = MessageType{number}}).type, MessageType{number});
    const Entry entry{.type = EntryType{number}};
    EXPECT_EQ(FromWire(ToWire(entry)), entry) << number;
  }
}

TEST(Wire, NumbersOfEntryTypesAreThoseOfTheProtocol) {
  EXPECT_EQ(static_cast<int>(EntryType::kNormal), eraftpb::EntryNormal);
  EXPECT_EQ(static_cast<int>(EntryType::kConfChange), eraftpb::EntryConfChange);
}

TEST(Wire, NumbersOfMessageTypesAreThoseOfTheProtocol) {
  const auto* const numbers = eraftpb::MessageType_descriptor();
  for (int i = 0; i < numbers->value_count(); ++i) {
    const MessageType type{numbers->value(i)->number()};
    std::string name = numbers->value(i)->name();  // MsgRequestPreVote
    name.erase(0, 3);
    if (const size_t found = name.find("RequestPreVote"); found == 0) name.erase(0, 7);
    EXPECT_EQ(ToString(type), name);
  }
  EXPECT_EQ(numbers->value_count(), 16);
}

}  // namespace
}  // namespace tinykv::raft
