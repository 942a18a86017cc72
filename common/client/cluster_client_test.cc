// A client of several stores: how it finds the leader and goes on when that changes.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/client/hurried_time_test_util.h"
#include "common/client/raw_client.h"
#include "common/client/raw_loader.h"
#include "common/client/raw_scanner.h"
#include "common/client/store_routes.h"
#include "common/client/toy_store.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kAlways = 1'000'000;

// Three toys, of which one is made the leader. They do not share their pairs.
class ClusterClient : public testing::Test {
 protected:
  // The addresses of the stores, as they are given to clients.
  std::string All() const {
    return Concat(stores_[0]->address(), ",", stores_[1]->address(), ",", stores_[2]->address());
  }

  std::unique_ptr<RawClient> Open(const std::string& addresses) {
    auto client = RawClient::Open({.address = addresses, .clock = &time_, .executor = &time_});
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  void Lead(size_t leader) {
    for (size_t i = 0; i < stores_.size(); ++i) {
      if (i == leader) stores_[i]->Follow({});
      if (i != leader) Redirect(i, stores_[leader]->address());
    }
  }

  // From now on store `i` sends its clients to `address`, which may be empty.
  void Redirect(size_t i, const std::string& address) {
    stores_[i]->Follow(
        {.failing = kAlways, .failure = ToyStore::Failure::kNotLeader, .leader = address});
  }

  std::vector<uint64_t> Requests() const {
    return {stores_[0]->requests(), stores_[1]->requests(), stores_[2]->requests()};
  }

  HurriedTime time_;
  std::array<std::unique_ptr<ToyStore>, 3> stores_ = {
      std::make_unique<ToyStore>(), std::make_unique<ToyStore>(), std::make_unique<ToyStore>()};
};

TEST_F(ClusterClient, FollowsToTheLeaderAtOnceAndRemembersIt) {
  Lead(2);
  const auto client = Open(All());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{1, 0, 5}));
  EXPECT_EQ(time_.Now(), Duration::zero());
}

TEST_F(ClusterClient, FollowsToALeaderThatItWasNotTold) {
  Lead(1);
  const auto client = Open(stores_[0]->address());
  EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(*client->Get("k"), "v");
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{1, 2, 0}));
}

TEST_F(ClusterClient, FollowsALeaderThatMovesBetweenCalls) {
  const auto client = Open(All());
  for (const size_t leader : {0, 2, 1, 0}) {
    Lead(leader);
    EXPECT_TRUE(client->Put("k", std::to_string(leader)).ok());
    EXPECT_EQ(stores_[leader]->contents(ColumnFamily::kDefault).at("k"), std::to_string(leader));
  }
}

TEST_F(ClusterClient, AsksAroundWhileNobodyKnowsALeader) {
  for (size_t i = 0; i < 3; ++i) {
    stores_[i]->Follow({.failing = 2, .failure = ToyStore::Failure::kNotLeader});
  }
  const auto client = Open(All());
  EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{3, 2, 2}));
  EXPECT_GT(time_.Now(), milliseconds(100));  // six pauses, each about twice the one before
}

TEST_F(ClusterClient, TriesTheNextStoreWhenOneIsBusyOrBroken) {
  for (const auto failure :
       {ToyStore::Failure::kBusy, ToyStore::Failure::kUnavailable, ToyStore::Failure::kCancelled}) {
    const auto before = Requests();
    const auto client = Open(All());
    stores_[0]->Follow({.failing = 1, .failure = failure});
    EXPECT_TRUE(client->Put("k", "v").ok());
    EXPECT_EQ(Requests(), (std::vector<uint64_t>{before[0] + 1, before[1] + 1, before[2]}));
  }
}

TEST_F(ClusterClient, TellsOfEachAttempt) {
  Lead(2);
  std::vector<std::string> told;
  auto client = RawClient::Open(
      {.address = All(),
       .on_attempt =
           [&](const std::string& address, const absl::Status& status) {
             told.push_back(Concat(address, status.ok() ? " answers" : " does not lead"));
           },
       .clock = &time_,
       .executor = &time_});
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE((*client)->Put("k", "v").ok());
  EXPECT_EQ(told, (std::vector<std::string>{Concat(stores_[0]->address(), " does not lead"),
                                            Concat(stores_[2]->address(), " answers")}));
}

TEST_F(ClusterClient, AsksTheSameStoreAgainAfterAStaleCommand) {
  stores_[0]->Follow({.failing = 2, .failure = ToyStore::Failure::kStale});
  const auto client = Open(All());
  EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{3, 0, 0}));
  EXPECT_EQ(time_.Now(), Duration::zero());
}

TEST_F(ClusterClient, DoesWithoutAStoreThatIsDead) {
  Lead(1);
  const std::string all = All();
  stores_[0].reset();
  const auto client = Open(all);
  EXPECT_TRUE(client->Put("k", "v").ok());
  EXPECT_EQ(stores_[1]->requests(), 1u);
}

TEST_F(ClusterClient, DoesWithoutALeaderThatHasDiedAndThatOthersStillName) {
  Lead(0);
  const auto client = Open(All());
  EXPECT_TRUE(client->Put("k", "v").ok());
  stores_[0].reset();  // the others go on to send everybody there, three times
  const std::string gone = "127.0.0.1:1";
  for (size_t i = 1; i < 3; ++i) {
    stores_[i]->Follow({.failing = 3, .failure = ToyStore::Failure::kNotLeader, .leader = gone});
  }
  EXPECT_TRUE(client->Put("k", "w").ok());
}

TEST_F(ClusterClient, NamesEveryStoreThatItTriedInVain) {
  const auto addresses = *ParseStoreAddresses(All());
  const auto client = Open(All());
  for (auto& store : stores_) store.reset();
  const absl::Status status = client->Put("k", "v");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(Contains(MessageOf(status), "gave up after "));
  for (const std::string& address : addresses) EXPECT_TRUE(Contains(MessageOf(status), address));
  EXPECT_LT(time_.Now(), ClientOptions().deadline);
}

TEST_F(ClusterClient, SaysWhatEachStoreSaidLast) {
  stores_[0]->Follow({.failing = kAlways, .failure = ToyStore::Failure::kBusy});
  Redirect(1, "");
  stores_[2]->Follow({.failing = kAlways, .failure = ToyStore::Failure::kUnavailable});
  const absl::Status status = Open(All())->Get("k").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(Contains(MessageOf(status), stores_[0]->address() + ": server is busy"));
  EXPECT_TRUE(Contains(MessageOf(status), stores_[1]->address() + ": the toy does not lead"));
  EXPECT_TRUE(Contains(MessageOf(status), stores_[2]->address() + ": the toy is broken"));
}

TEST_F(ClusterClient, IsNotSentRoundInACircleForEver) {
  Redirect(0, stores_[1]->address());
  Redirect(1, stores_[2]->address());
  Redirect(2, stores_[0]->address());
  const auto client = Open(All());
  const absl::Status status = client->Put("k", "v");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  const auto region_error = RegionErrorOf(status);
  ASSERT_TRUE(region_error.has_value());
  EXPECT_TRUE(region_error->has_not_leader());
  const auto requests = Requests();
  // With pauses up to a second, the deadline leaves no time for more.
  EXPECT_LT(requests[0] + requests[1] + requests[2], 60u);

  Redirect(0, stores_[0]->address());  // the smallest circle
  EXPECT_TRUE(absl::IsUnavailable(Open(stores_[0]->address())->Put("k", "v")));
}

TEST_F(ClusterClient, EndsAfterTheAttemptsThatAreAllowed) {
  Redirect(0, stores_[1]->address());
  Redirect(1, stores_[0]->address());
  const auto client =
      RawClient::Open({.address = All(), .attempts_max = 4, .clock = &time_, .executor = &time_});
  const absl::Status status = (*client)->Put("k", "v");
  EXPECT_TRUE(Contains(MessageOf(status), "gave up after 4 attempts"));
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{2, 2, 0}));
}

TEST_F(ClusterClient, DoesNotFollowToWhatIsNoAddress) {
  for (const char* nonsense : {"a:1,b:2", "nowhere", "localhost:0"}) {
    Redirect(0, nonsense);
    const absl::Status status = Open(stores_[0]->address())->Put("k", "v");
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_TRUE(Contains(MessageOf(status), Concat("at ", Quote(nonsense), ", which is no HOST")));
    EXPECT_TRUE(Open(All())->Put("k", "v").ok()) << "the others are still asked";
  }
}

TEST_F(ClusterClient, DoesNotRepeatWhatOnlyAClientWithRegionsCanMend) {
  stores_[0]->Follow({.failing = kAlways, .failure = ToyStore::Failure::kOtherRegion});
  const absl::Status status = Open(All())->Put("k", "v");
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(Contains(MessageOf(status), stores_[0]->address() + ": the toy was split"));
  EXPECT_EQ(Requests(), (std::vector<uint64_t>{1, 0, 0}));
}

TEST_F(ClusterClient, LeavesAStoreThatHangsForAnother) {
  const auto client = RawClient::Open({.address = All(), .deadline = milliseconds(1500)});
  stores_[0]->Hold();
  EXPECT_TRUE((*client)->Put("k", "v").ok());
  EXPECT_EQ(stores_[0]->contents(ColumnFamily::kDefault).size(), 0u);
  stores_[0]->Release();
}

TEST_F(ClusterClient, ScansAndLoadsOnWhenTheLeaderChanges) {
  const auto client = Open(All());
  Lead(0);
  RawLoader loader(*client, {.puts_max = 8});
  for (int i = 0; i < 100; ++i) {
    if (i == 50) Lead(2);
    ASSERT_TRUE(loader.Put(std::to_string(100 + i), "v").ok());
  }
  ASSERT_TRUE(loader.Finish().ok());
  EXPECT_EQ(loader.acknowledged(), 100u);

  for (auto& store : stores_) {  // what replication does
    store->Follow({});
    const auto filler = Open(store->address());
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(filler->Put(std::to_string(100 + i), "v").ok());
  }
  Lead(2);
  RawScanner scanner(*client, {.page_pairs_max = 10});
  std::vector<std::string> keys;
  for (auto page = *scanner.Next(); !page.empty(); page = *scanner.Next()) {
    for (const KeyValue& pair : page) keys.push_back(pair.key);
    Lead(keys.size() / 10 % 3);
  }
  ASSERT_EQ(keys.size(), 100u);
  EXPECT_EQ(keys.front(), "100");
  EXPECT_EQ(keys.back(), "199");
}

TEST(StoreAddresses, AreAList) {
  using List = std::vector<std::string>;
  EXPECT_EQ(*ParseStoreAddresses("a:1"), List{"a:1"});
  EXPECT_EQ(*ParseStoreAddresses("a:1,[::1]:2,a:1"), (List{"a:1", "[::1]:2"}));
  for (const char* wrong : {"", ",", "a:1,", ",a:1", "a:1,,b:1", "a:1 b:1", "a:1, b:1", "a:1,b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseStoreAddresses(wrong).status())) << wrong;
  }
  std::string many = "h:1";
  for (int port = 2; port <= 65; ++port) many += Concat(",h:", port);
  EXPECT_TRUE(Contains(MessageOf(ParseStoreAddresses(many).status()), "at most 64"));
}

}  // namespace
}  // namespace tinykv
