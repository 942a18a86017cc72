#include "lsm/db/write_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace tinykv::lsm {
namespace {

using Writer = WriteQueue::Writer;

WriteBatch BatchOf(size_t value_bytes) {
  WriteBatch batch;
  batch.Put(0, "k", std::string(value_bytes, 'v'));
  return batch;
}

// Writers that enter one after the other, each on a thread that ends when its writer is done; the
// first leads.
class WriteQueueTest : public testing::Test {
 protected:
  struct Waiting {
    Writer writer;
    std::thread thread;
    bool led = false;
  };

  // Waits until the thread of `writer` has entered, which only the leader can see: its group or a
  // later one has it.
  Writer& EnterOnThread(const Writer& settings) {
    auto& waiting = *waiting_.emplace_back(std::make_unique<Waiting>());
    waiting.writer.batch = settings.batch;
    waiting.writer.sync = settings.sync;
    waiting.writer.no_wait = settings.no_wait;
    waiting.writer.alone = settings.alone;
    const size_t before = queue_.size();
    waiting.thread = std::thread([this, &waiting] {
      waiting.led = queue_.Enter(waiting.writer);
      if (waiting.led) queue_.Leave({&waiting.writer}, absl::OkStatus());
    });
    while (queue_.size() == before) std::this_thread::yield();
    return waiting.writer;
  }

  std::vector<Writer*> GroupOf(Writer& leader) {
    std::vector<Writer*> group;
    queue_.FormGroup(leader, &group);
    return group;
  }

  void JoinAll() {
    for (const auto& waiting : waiting_) waiting->thread.join();
  }

  WriteQueue queue_;
  std::vector<std::unique_ptr<Waiting>> waiting_;
  const WriteBatch small_ = BatchOf(10);
  const WriteBatch large_ = BatchOf(200 << 10);
};

TEST_F(WriteQueueTest, LeaderWritesForThoseBehindIt) {
  Writer leader{.batch = &small_};
  ASSERT_TRUE(queue_.Enter(leader));
  Writer& second = EnterOnThread({.batch = &small_});
  Writer& third = EnterOnThread({.batch = &small_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, (std::vector<Writer*>{&leader, &second, &third}));
  queue_.Leave(group, absl::InternalError("broken disk"));
  JoinAll();
  for (const auto& waiting : waiting_) {
    EXPECT_FALSE(waiting->led);
    EXPECT_EQ(waiting->writer.status, absl::InternalError("broken disk"));
  }
}

TEST_F(WriteQueueTest, NextInTheQueueLeadsWhenTheLeaderLeaves) {
  Writer leader{.batch = &small_};
  ASSERT_TRUE(queue_.Enter(leader));
  EnterOnThread({.batch = &small_});
  EnterOnThread({.batch = &small_});
  queue_.Leave({&leader}, absl::InternalError("only the leader's"));
  JoinAll();
  for (const auto& waiting : waiting_) {
    EXPECT_TRUE(waiting->led);
    EXPECT_TRUE(waiting->writer.status.ok());
  }
}

TEST_F(WriteQueueTest, LeaderThatDoesNotSyncTakesNobodyWhoDoes) {
  Writer leader{.batch = &small_};
  ASSERT_TRUE(queue_.Enter(leader));
  Writer& second = EnterOnThread({.batch = &small_});
  EnterOnThread({.batch = &small_, .sync = true});
  EnterOnThread({.batch = &small_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, (std::vector<Writer*>{&leader, &second}));
  queue_.Leave(group, absl::OkStatus());
  JoinAll();
}

TEST_F(WriteQueueTest, LeaderThatSyncsTakesAllButTheLonely) {
  Writer leader{.batch = &small_, .sync = true};
  ASSERT_TRUE(queue_.Enter(leader));
  Writer& second = EnterOnThread({.batch = &small_});
  Writer& third = EnterOnThread({.sync = true});
  EnterOnThread({.alone = true});
  EnterOnThread({.batch = &small_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, (std::vector<Writer*>{&leader, &second, &third}));
  queue_.Leave(group, absl::OkStatus());
  JoinAll();
}

TEST_F(WriteQueueTest, LonelyLeaderTakesNobody) {
  Writer leader{.alone = true};
  ASSERT_TRUE(queue_.Enter(leader));
  EnterOnThread({.batch = &small_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, std::vector<Writer*>{&leader});
  queue_.Leave(group, absl::OkStatus());
  JoinAll();
}

TEST_F(WriteQueueTest, SmallLeaderDoesNotPayForLargeWrites) {
  Writer leader{.batch = &small_};
  ASSERT_TRUE(queue_.Enter(leader));
  EnterOnThread({.batch = &large_});
  EnterOnThread({.batch = &small_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, std::vector<Writer*>{&leader});
  queue_.Leave(group, absl::OkStatus());
  JoinAll();
}

TEST_F(WriteQueueTest, GroupOfALargeLeaderIsBounded) {
  Writer leader{.batch = &large_};
  ASSERT_TRUE(queue_.Enter(leader));
  for (int i = 0; i < 8; ++i) EnterOnThread({.batch = &large_});
  const auto group = GroupOf(leader);
  EXPECT_EQ(group.size(), 5u);  // of 200 KiB each, in 1 MiB
  queue_.Leave(group, absl::OkStatus());
  JoinAll();
}

TEST_F(WriteQueueTest, WhileTheLeaderIsStalledNoWaitIsRefused) {
  Writer leader{.batch = &small_};
  ASSERT_TRUE(queue_.Enter(leader));
  Writer& patient = EnterOnThread({.batch = &small_});
  Writer& impatient = EnterOnThread({.batch = &small_, .no_wait = true});
  queue_.SetStalled(true);
  waiting_.back()->thread.join();
  EXPECT_EQ(impatient.status.code(), absl::StatusCode::kUnavailable);
  Writer late{.batch = &small_, .no_wait = true};
  EXPECT_FALSE(queue_.Enter(late));
  EXPECT_EQ(late.status.code(), absl::StatusCode::kUnavailable);

  queue_.SetStalled(false);
  const auto group = GroupOf(leader);
  EXPECT_EQ(group, (std::vector<Writer*>{&leader, &patient}));
  queue_.Leave(group, absl::OkStatus());
  waiting_.front()->thread.join();
  Writer again{.batch = &small_, .no_wait = true};
  EXPECT_TRUE(queue_.Enter(again));
  queue_.Leave({&again}, absl::OkStatus());
}

}  // namespace
}  // namespace tinykv::lsm
