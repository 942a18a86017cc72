#include "common/server/request_gate.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tinykv {
namespace {

using Verdict = RequestGate::Verdict;

constexpr Duration kForEver = std::chrono::hours(24);

TEST(RequestGate, RefusesWhenItIsFullAndAdmitsWhenOneHasLeft) {
  RequestGate gate(2);
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
  EXPECT_EQ(gate.Enter(), Verdict::kFull);
  EXPECT_EQ(gate.running(), 2u);
  gate.Leave();
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
}

TEST(RequestGate, ClosesAtOnceWhenNothingRuns) {
  RequestGate gate(2);
  EXPECT_TRUE(gate.Close(Duration::zero()));
  EXPECT_EQ(gate.Enter(), Verdict::kClosed);
  EXPECT_EQ(gate.running(), 0u);
}

TEST(RequestGate, GivesUpWaitingWhenPatienceIsOver) {
  RequestGate gate(2);
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
  EXPECT_FALSE(gate.Close(Duration::zero()));
  gate.Leave();
}

TEST(RequestGate, WaitsForTheLastToLeave) {
  RequestGate gate(2);
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
  EXPECT_EQ(gate.Enter(), Verdict::kEntered);
  std::thread leaver([&] {
    while (gate.Enter() != Verdict::kClosed) std::this_thread::yield();
    gate.Leave();
    gate.Leave();
  });
  EXPECT_TRUE(gate.Close(kForEver));
  EXPECT_EQ(gate.running(), 0u);
  leaver.join();
}

TEST(RequestGate, EndsEmptyWhenManyThreadsPassWhileItCloses) {
  RequestGate gate(3);
  std::vector<std::thread> threads(4);
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (;;) {
        const Verdict verdict = gate.Enter();
        if (verdict == Verdict::kClosed) return;
        if (verdict == Verdict::kEntered) gate.Leave();
      }
    });
  }
  EXPECT_TRUE(gate.Close(kForEver));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(gate.running(), 0u);
}

}  // namespace
}  // namespace tinykv
