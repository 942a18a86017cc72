#include "graders/sim/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/strings.h"
#include "graders/sim/world.h"

namespace tinykv::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Three machines that note what arrives.
class NetworkTest : public testing::Test {
 protected:
  explicit NetworkTest(bool keep_trace = true) : world_({.seed = 1, .keep_trace = keep_trace}) {
    for (int i = 0; i < 3; ++i) {
      const NodeId node = world_.AddNode({}, [this](Machine& machine) {
        machine.transport().SetReceiver([this, &machine](StoreId from, std::string message) {
          arrived_.push_back(Concat(from, ">", machine.id(), " ", message));
          times_.push_back(world_.clock().Now());
        });
        return std::make_unique<Process>();
      });
      world_.Start(node);
    }
  }

  Network& network() { return world_.network(); }
  void Send(NodeId from, NodeId to, std::string message) {
    EXPECT_TRUE(network().Send(from, to, std::move(message)));
  }
  void SendNumbers(int count) {
    for (int i = 0; i < count; ++i) Send(1, 2, std::to_string(i));
  }
  // Everybody sends to everybody else.
  void SendAll() {
    for (NodeId from = 1; from <= 3; ++from) {
      for (NodeId to = 1; to <= 3; ++to) {
        if (from != to) Send(from, to, "m");
      }
    }
  }
  std::set<std::string> Arrived() {
    world_.RunFor(seconds(10));
    return {arrived_.begin(), arrived_.end()};
  }
  std::string LastEvent() { return world_.trace().LastEvents(1).front(); }

  using Messages = std::vector<std::string>;
  using Set = std::set<std::string>;

  World world_;
  Messages arrived_;
  std::vector<Duration> times_;
};

TEST_F(NetworkTest, DeliversAfterTheDelay) {
  network().SetLinks({.delay_min = milliseconds(7), .delay_max = milliseconds(7)});
  Send(1, 2, "hello");
  EXPECT_EQ(network().in_flight(), 1u);
  world_.RunFor(seconds(1));
  EXPECT_EQ(arrived_, Messages{"1>2 hello"});
  EXPECT_EQ(times_, std::vector<Duration>{milliseconds(7)});
  EXPECT_EQ(network().in_flight(), 0u);
}

TEST_F(NetworkTest, DeliversToTheSenderItself) {
  Send(1, 1, "note");
  EXPECT_EQ(Arrived(), Set{"1>1 note"});
}

TEST_F(NetworkTest, LaterMessagesOvertakeEarlierOnesWhereTheyMay) {
  network().SetLinks({.delay_min = milliseconds(1), .delay_max = milliseconds(20)});
  SendNumbers(50);
  EXPECT_EQ(Arrived().size(), 50u);
  EXPECT_FALSE(std::is_sorted(arrived_.begin(), arrived_.end()));
  EXPECT_GE(times_.front(), milliseconds(1));
  EXPECT_LE(times_.back(), milliseconds(20));
  EXPECT_TRUE(std::is_sorted(times_.begin(), times_.end()));
}

TEST_F(NetworkTest, NothingOvertakesOnALinkInOrder) {
  network().SetLinks({.delay_min = milliseconds(1),
                      .delay_max = milliseconds(20),
                      .in_order = true,
                      .straggler_percent = 20});
  Messages expected;
  for (int i = 0; i < 100; ++i) {
    Send(1, 2, std::to_string(i));
    expected.push_back(Concat("1>2 ", i));
    world_.RunFor(milliseconds(1));
  }
  world_.RunFor(seconds(10));
  EXPECT_EQ(arrived_, expected);
}

TEST_F(NetworkTest, LosingAllDeliversNothing) {
  network().SetLinks({.loss_percent = 100});
  SendNumbers(20);
  EXPECT_TRUE(Arrived().empty());
  EXPECT_EQ(network().stats(1, 2).sent, 20u);
  EXPECT_EQ(network().stats(1, 2).dropped, 20u);
  EXPECT_EQ(LastEvent(), "0 ms  1 -> 2  dropped, lost: \"19\"");
}

TEST_F(NetworkTest, LosesAboutAsManyAsTold) {
  network().SetLinks({.loss_percent = 30, .capacity_messages = 1000});
  SendNumbers(1000);
  EXPECT_NEAR(static_cast<double>(Arrived().size()), 700, 60);
}

TEST_F(NetworkTest, DuplicatesArriveTwice) {
  network().SetLinks(
      {.delay_min = milliseconds(1), .delay_max = milliseconds(9), .duplicate_percent = 100});
  Send(1, 2, "twin");
  world_.RunFor(seconds(1));
  EXPECT_EQ(arrived_, (Messages{"1>2 twin", "1>2 twin"}));
  EXPECT_NE(times_[0], times_[1]);
  EXPECT_EQ(network().stats(1, 2).sent, 1u);
  EXPECT_EQ(network().stats(1, 2).duplicated, 1u);
  EXPECT_EQ(network().stats(1, 2).delivered, 2u);
}

TEST_F(NetworkTest, StragglersAreOvertaken) {
  network().SetLink(1, 2, {.straggler_percent = 100, .straggler_delay = seconds(5)});
  Send(1, 2, "old");
  network().SetLink(1, 2, {});
  Send(1, 2, "new");
  world_.RunFor(seconds(10));
  EXPECT_EQ(arrived_, (Messages{"1>2 new", "1>2 old"}));
  EXPECT_GT(times_[1], milliseconds(100));
  EXPECT_LE(times_[1], seconds(5) + milliseconds(1));
}

TEST_F(NetworkTest, ACutHoldsInOneDirection) {
  network().Cut(1, 2);
  EXPECT_TRUE(network().IsCut(1, 2));
  EXPECT_FALSE(network().IsCut(2, 1));
  SendAll();
  EXPECT_EQ(Arrived(), (Set{"1>3 m", "2>1 m", "2>3 m", "3>1 m", "3>2 m"}));
  network().Mend(1, 2);
  Send(1, 2, "again");
  EXPECT_EQ(Arrived().count("1>2 again"), 1u);
}

TEST_F(NetworkTest, ACutDropsWhatIsUnderWay) {
  Send(1, 2, "cut off");
  network().Cut(1, 2);
  EXPECT_TRUE(Arrived().empty());
  EXPECT_EQ(LastEvent(), "1 ms  1 -> 2  dropped, the link is cut: \"cut off\"");
}

TEST_F(NetworkTest, ACutThatIsMendedInTimeDropsNothing) {
  Send(1, 2, "lucky");
  network().Cut(1, 2);
  network().Mend(1, 2);
  EXPECT_EQ(Arrived(), Set{"1>2 lucky"});
}

TEST_F(NetworkTest, APartitionCutsBetweenGroupsAndMendsWithin) {
  network().Cut(1, 2);
  network().Partition({{1, 2}, {3}});
  SendAll();
  EXPECT_EQ(Arrived(), (Set{"1>2 m", "2>1 m"}));
  network().Partition({{1}, {2, 3}});
  arrived_.clear();
  SendAll();
  EXPECT_EQ(Arrived(), (Set{"2>3 m", "3>2 m"}));
  network().MendAll();
  arrived_.clear();
  SendAll();
  EXPECT_EQ(Arrived().size(), 6u);
}

TEST_F(NetworkTest, LinksOfNodesInNoGroupStayAsTheyAre) {
  network().Cut(1, 3);
  network().Partition({{1}, {2}});
  SendAll();
  EXPECT_EQ(Arrived(), (Set{"2>3 m", "3>1 m", "3>2 m"}));
}

TEST_F(NetworkTest, AnIsolatedNodeHearsOnlyItself) {
  network().Isolate(2);
  SendAll();
  Send(2, 2, "m");
  EXPECT_EQ(Arrived(), (Set{"1>3 m", "2>2 m", "3>1 m"}));
}

TEST_F(NetworkTest, AFilterDropsByContent) {
  network().SetFilter([](NodeId from, NodeId to, std::string_view message) {
    return from == 1 && to == 2 && message == "append";
  });
  Send(1, 2, "append");
  Send(1, 2, "vote");
  Send(1, 3, "append");
  EXPECT_EQ(Arrived(), (Set{"1>2 vote", "1>3 append"}));
  network().SetFilter(nullptr);
  Send(1, 2, "append");
  EXPECT_EQ(Arrived().size(), 3u);
}

TEST_F(NetworkTest, ALinkHoldsSoManyMessages) {
  network().SetLinks({.capacity_messages = 3});
  SendNumbers(3);
  EXPECT_FALSE(network().Send(1, 2, "too many"));
  EXPECT_EQ(LastEvent(), "0 ms  1 -> 2  dropped, the link is full: \"too many\"");
  Send(1, 3, "another link");
  EXPECT_EQ(world_.machine(1).transport().Send(2, "m").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Arrived().size(), 4u);
  Send(1, 2, "there is room again");
  EXPECT_EQ(Arrived().size(), 5u);
}

TEST_F(NetworkTest, ALinkThatIsEmptyAgainHoldsAsManyAgain) {
  network().SetLinks({.capacity_messages = 8});
  for (int round = 0; round < 3; ++round) {
    SendNumbers(8);
    EXPECT_FALSE(network().Send(1, 2, "too many"));
    world_.RunFor(seconds(1));
  }
  EXPECT_EQ(network().stats(1, 2).delivered, 24u);
}

TEST_F(NetworkTest, ALinkHoldsSoManyBytes) {
  network().SetLinks({.capacity_bytes = 10});
  Send(1, 2, "123456");
  Send(1, 2, "7890");
  EXPECT_FALSE(network().Send(1, 2, "x"));
  world_.RunFor(seconds(1));
  Send(1, 2, "larger than the link, alone");
  EXPECT_FALSE(network().Send(1, 2, "x"));
  EXPECT_EQ(Arrived().size(), 3u);
}

TEST_F(NetworkTest, DuplicatesCountAgainstTheCapacity) {
  network().SetLinks({.duplicate_percent = 100, .capacity_messages = 3});
  SendNumbers(2);
  EXPECT_EQ(network().in_flight(), 3u);
  world_.RunFor(seconds(1));
  EXPECT_EQ(arrived_, (Messages{"1>2 0", "1>2 0", "1>2 1"}));
}

TEST_F(NetworkTest, MessagesToAMachineThatIsDownAreDropped) {
  Send(1, 2, "too late");
  world_.Crash(2, World::CrashKind::kProcess);
  EXPECT_TRUE(Arrived().empty());
  EXPECT_EQ(LastEvent(), "1 ms  1 -> 2  dropped, the machine is down: \"too late\"");
}

TEST_F(NetworkTest, MessagesFromAMachineThatWentDownArrive) {
  Send(1, 2, "last words");
  world_.Crash(1, World::CrashKind::kProcess);
  EXPECT_EQ(Arrived(), Set{"1>2 last words"});
}

TEST_F(NetworkTest, NobodyIsToldOfAMachineThatIsNotThere) {
  EXPECT_EQ(world_.machine(1).transport().Send(4, "m").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(world_.machine(1).transport().Send(0, "m").code(), absl::StatusCode::kNotFound);
}

TEST_F(NetworkTest, ANodeAddedLaterHasTheLinksOfAll) {
  network().SetLinks({.delay_min = milliseconds(5), .delay_max = milliseconds(5)});
  network().Cut(2, 3);
  world_.AddNode({}, nullptr);
  EXPECT_TRUE(network().IsCut(2, 3));
  EXPECT_EQ(network().node_count(), 4u);
  Send(4, 1, "m");
  world_.RunFor(seconds(1));
  EXPECT_EQ(times_, std::vector<Duration>{milliseconds(5)});
}

TEST_F(NetworkTest, EveryMessageIsAccountedFor) {
  Random random(1);
  for (int round = 0; round < 50; ++round) {
    network().SetLinks(LinkOptions::Draw(random));
    for (int i = 0; i < 40; ++i) {
      network().Send(random.Between(1, 3), random.Between(1, 3), "four");
      world_.RunFor(milliseconds(random.Uniform(3)));
    }
    if (random.Percent(30)) network().Partition({{1, 2}, {3}});
    if (random.Percent(30)) network().MendAll();
    const LinkStats total = network().total();
    EXPECT_EQ(total.sent + total.duplicated,
              total.delivered + total.dropped + network().in_flight());
  }
  world_.RunFor(seconds(100));
  const LinkStats total = network().total();
  EXPECT_EQ(network().in_flight(), 0u);
  EXPECT_EQ(total.sent, 2000u);
  EXPECT_EQ(total.bytes_sent, 8000u);
  EXPECT_EQ(total.delivered, arrived_.size());
  EXPECT_EQ(total.bytes_delivered, 4 * total.delivered);
  EXPECT_GT(total.dropped, 0u);
  EXPECT_GT(total.duplicated, 0u);
}

TEST_F(NetworkTest, TheTraceTellsWhatBecameOfAMessage) {
  network().SetDescriber([](std::string_view message) { return Concat("<", message, ">"); });
  Send(1, 2, "m");
  world_.RunFor(seconds(1));
  EXPECT_EQ(world_.trace().LastEvents(2), (Messages{"0 ms  1 -> 2  <m>", "1 ms  2 <- 1  <m>"}));
  const auto& steps = world_.trace().steps();
  EXPECT_EQ(steps[steps.size() - 2].event.message, 1u);
  EXPECT_EQ(steps[steps.size() - 1].event.message, 1u);
}

class NetworkWithoutTraceTest : public NetworkTest {
 protected:
  NetworkWithoutTraceTest() : NetworkTest(/*keep_trace=*/false) {}
};

TEST_F(NetworkWithoutTraceTest, MakesNoWords) {
  network().SetDescriber([](std::string_view) -> std::string {
    ADD_FAILURE() << "nobody reads this";
    return "";
  });
  Send(1, 2, "m");
  network().Cut(1, 3);
  Send(1, 3, "m");
  EXPECT_EQ(Arrived(), Set{"1>2 m"});
}

TEST(Network, TheSeedOrdersWhatArrivesAtOneTimeFromDifferentSenders) {
  std::set<std::string> orders;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    World world({.seed = seed});
    std::string seen;
    for (int i = 0; i < 4; ++i) {
      const NodeId node = world.AddNode({}, [&seen](Machine& machine) {
        machine.transport().SetReceiver([&](StoreId, const std::string& m) { seen += m; });
        return std::make_unique<Process>();
      });
      world.Start(node);
    }
    for (const char* message : {"aAx", "bBy", "cCz"}) {
      for (NodeId from = 1; from <= 3; ++from) {
        world.network().Send(from, 4, std::string(1, message[from - 1]));
      }
    }
    world.RunFor(seconds(1));
    // Those of one link stay in order.
    EXPECT_LT(seen.find('a'), seen.find('b'));
    EXPECT_LT(seen.find('B'), seen.find('C'));
    orders.insert(seen);
  }
  EXPECT_EQ(orders.size(), 6u);  // one link after the other, in any order
}

TEST(LinkOptions, DrawsEachFaultOftenAsZeroAndSometimesExtreme) {
  Random random(1);
  int without_faults = 0;
  int lossless = 0;
  int lossy = 0;
  int in_order = 0;
  int tiny = 0;
  std::set<std::string> texts;
  for (int i = 0; i < 10'000; ++i) {
    const LinkOptions options = LinkOptions::Draw(random);
    EXPECT_LE(options.delay_min, options.delay_max);
    EXPECT_GT(options.capacity_messages, 0u);
    if (options.loss_percent + options.duplicate_percent + options.straggler_percent == 0) {
      ++without_faults;
    }
    if (options.loss_percent == 0) ++lossless;
    if (options.loss_percent >= 40) ++lossy;
    if (options.in_order) ++in_order;
    if (options.capacity_messages == 1) ++tiny;
    texts.insert(ToString(options));
  }
  EXPECT_GT(without_faults, 1000);
  EXPECT_GT(lossless, 4000);
  EXPECT_GT(lossy, 500);
  EXPECT_GT(in_order, 1000);
  EXPECT_GT(tiny, 200);
  EXPECT_GT(texts.size(), 1000u);
}

TEST(LinkOptions, TextSaysWhatDiffers) {
  EXPECT_EQ(ToString(LinkOptions{}), "a message takes 1 ms");
  EXPECT_EQ(ToString(LinkOptions{.delay_max = milliseconds(9),
                                 .in_order = true,
                                 .loss_percent = 5,
                                 .duplicate_percent = 10,
                                 .straggler_percent = 3,
                                 .capacity_messages = 1,
                                 .capacity_bytes = 100}),
            "a message takes 1 ms to 9 ms; in order; 5 % are lost; 10 % arrive twice; "
            "3 % are late by up to 2000 ms; at most 1 message under way; "
            "at most 100 bytes under way");
}

}  // namespace
}  // namespace tinykv::sim
