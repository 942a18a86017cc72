#include "stage2-raftkv/raft/read_index.h"

#include <gtest/gtest.h>

namespace tinykv::raft {
namespace {

using Reads = std::vector<ReadState>;

TEST(ReadIndexQueue, AReadWaitsUntilItIsAdmittedAndItsRoundIsConfirmed) {
  ReadIndexQueue queue;
  Reads ready;
  queue.Add(7);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.needed_round(), 0u);
  queue.Confirm(100, ready);
  EXPECT_TRUE(ready.empty());
  queue.Admit(30, 5);
  EXPECT_EQ(queue.needed_round(), 5u);
  queue.Confirm(4, ready);
  EXPECT_TRUE(ready.empty());
  queue.Confirm(5, ready);
  EXPECT_EQ(ready, Reads({{7, 30}}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(ReadIndexQueue, ReadsThatAreAdmittedTogetherShareARound) {
  ReadIndexQueue queue;
  Reads ready;
  for (const uint64_t request : {1, 2, 3}) queue.Add(request);
  queue.Admit(30, 5);
  queue.Add(4);
  queue.Admit(31, 6);
  EXPECT_EQ(queue.needed_round(), 6u);
  queue.Confirm(5, ready);
  EXPECT_EQ(ready, Reads({{1, 30}, {2, 30}, {3, 30}}));
  queue.Confirm(9, ready);  // a later round stands for an earlier one
  EXPECT_EQ(ready.back(), (ReadState{4, 31}));
}

TEST(ReadIndexQueue, AnIndexStaysThatOfWhenTheReadWasAdmitted) {
  ReadIndexQueue queue;
  Reads ready;
  queue.Add(1);
  queue.Admit(30, 5);
  queue.Admit(99, 6);
  queue.Confirm(5, ready);
  EXPECT_EQ(ready, Reads({{1, 30}}));
}

TEST(ReadIndexQueue, RefusesAllThatWait) {
  ReadIndexQueue queue;
  queue.Add(1);
  queue.Admit(30, 5);
  queue.Add(2);
  std::vector<uint64_t> refused = {9};
  queue.Refuse(refused);
  EXPECT_EQ(refused, std::vector<uint64_t>({9, 1, 2}));
  EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace tinykv::raft
