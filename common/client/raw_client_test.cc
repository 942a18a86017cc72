#include "common/client/raw_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "common/client/hurried_time_test_util.h"
#include "common/client/raw_loader.h"
#include "common/client/raw_scanner.h"
#include "common/client/toy_store.h"
#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RawClientTest : public testing::Test {
 protected:
  std::unique_ptr<RawClient> Open(ClientOptions options) {
    options.address = store_->address();
    auto client = RawClient::Open(options);
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  std::unique_ptr<RawClient> OpenHurried() { return Open({.clock = &time_, .executor = &time_}); }

  HurriedTime time_;
  std::unique_ptr<ToyStore> store_ = std::make_unique<ToyStore>();
};

const std::string kBinary("\x00\xff\t\n\\", 5);

TEST_F(RawClientTest, ReadsWhatItWrote) {
  const auto client = Open({});
  ASSERT_TRUE(client->Put(kBinary, "v").ok());
  ASSERT_TRUE(client->Put(kBinary, kBinary, ColumnFamily::kLock).ok());
  EXPECT_EQ(*client->Get(kBinary), "v");
  EXPECT_EQ(*client->Get(kBinary, ColumnFamily::kLock), kBinary);
  EXPECT_EQ(*client->Get(kBinary, ColumnFamily::kWrite), std::nullopt);

  ASSERT_TRUE(client->Delete(kBinary).ok());
  EXPECT_EQ(*client->Get(kBinary), std::nullopt);
  EXPECT_EQ(*client->Get(kBinary, ColumnFamily::kLock), kBinary);
}

TEST_F(RawClientTest, TellsAnEmptyValueFromNone) {
  const auto client = Open({});
  ASSERT_TRUE(client->Put("k", "").ok());
  EXPECT_EQ(*client->Get("k"), "");
}

TEST_F(RawClientTest, NamesTheOptionThatIsWrong) {
  const auto message = [](const ClientOptions& options) {
    return std::string(RawClient::Open(options).status().message());
  };
  for (const char* address : {"", "localhost", "localhost:", ":1", "localhost:0", "localhost:65536",
                              "localhost:1x", "localhost:-1"}) {
    EXPECT_NE(message({.address = address}).find("address"), std::string::npos) << address;
  }
  EXPECT_EQ(message({.address = "[::1]:20160"}), "");
  EXPECT_NE(message({.deadline = seconds(0)}).find("deadline"), std::string::npos);
  EXPECT_NE(message({.backoff_min = seconds(2)}).find("backoff_min"), std::string::npos);
  EXPECT_NE(message({.message_bytes_max = 1ull << 31}).find("message_bytes"), std::string::npos);
  EXPECT_NE(message({.keepalive_interval = seconds(1)}).find("keepalive"), std::string::npos);
}

TEST_F(RawClientTest, TriesAgainWhenTheStoreIsBusyOrUnavailable) {
  const auto client = OpenHurried();
  store_->Follow({.failing = 3, .failure = ToyStore::Failure::kBusy});
  EXPECT_TRUE(client->Put("k", "1").ok());
  store_->Follow({.failing = 3, .failure = ToyStore::Failure::kUnavailable});
  EXPECT_EQ(*client->Get("k"), "1");
  EXPECT_EQ(store_->requests(), 8u);
}

TEST_F(RawClientTest, GivesUpBeforeTheDeadlineWithTheLastError) {
  const auto client = OpenHurried();
  store_->Follow({.failing = 1000, .failure = ToyStore::Failure::kBusy});
  const absl::Status status = client->Put("k", "1");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(MessageOf(status).find("the toy plays"), std::string::npos) << status;
  EXPECT_NE(MessageOf(status).find(store_->address()), std::string::npos) << status;
  EXPECT_NE(MessageOf(status).find("attempts"), std::string::npos) << status;
  const auto region_error = RegionErrorOf(status);
  ASSERT_TRUE(region_error.has_value());
  EXPECT_TRUE(region_error->has_server_is_busy());
  EXPECT_LT(time_.Now(), ClientOptions().deadline);
  EXPECT_GE(time_.Now(), ClientOptions().deadline - ClientOptions().backoff_max);
}

TEST_F(RawClientTest, DoesNotRepeatWhatTheStoreRefuses) {
  const auto client = OpenHurried();
  store_->Follow({.failing = 4, .failure = ToyStore::Failure::kRefusal});
  for (const absl::Status& status : {client->Get("k").status(), client->Put("k", "v"),
                                     client->Delete("k"), client->Scan("", 1).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
    EXPECT_EQ(MessageOf(status), "the toy says no");
  }
  EXPECT_EQ(store_->requests(), 4u);
}

TEST_F(RawClientTest, LeavesTheOutcomeOfAnUnansweredWriteOpen) {
  const auto client = Open({.deadline = milliseconds(50)});
  store_->Hold();
  const absl::Status put = client->Put("k", "v");
  EXPECT_TRUE(absl::IsDeadlineExceeded(put)) << put;
  EXPECT_NE(MessageOf(put).find("unknown"), std::string::npos) << put;
  const absl::Status get = client->Get("k").status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(get)) << get;
  EXPECT_EQ(MessageOf(get), Concat(store_->address(), ": no answer within 0.05 s"));
}

TEST_F(RawClientTest, NamesTheAddressThatNobodyServes) {
  const auto client = OpenHurried();
  const std::string address = store_->address();
  store_.reset();
  const absl::Status status = client->Get("k").status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_NE(MessageOf(status).find(address), std::string::npos) << status;
}

TEST_F(RawClientTest, FindsAStoreThatIsBack) {
  const auto client = Open({.deadline = seconds(60)});
  ASSERT_TRUE(client->Put("k", "1").ok());
  const uint16_t port = store_->port();
  store_.reset();
  absl::Status status;
  std::thread caller([&] { status = client->Put("k", "2"); });
  store_ = std::make_unique<ToyStore>(port);
  caller.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(*client->Get("k"), "2");
}

TEST_F(RawClientTest, RefusesToSendWhatIsTooLong) {
  const auto client = Open({.message_bytes_max = 1000});
  EXPECT_TRUE(absl::IsResourceExhausted(client->Put("k", std::string(1000, 'v'))));
  EXPECT_EQ(store_->requests(), 0u);
}

TEST_F(RawClientTest, IsSafeForManyThreads) {
  const auto client = Open({});
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, key = std::to_string(i)] {
      for (int n = 0; n < 50; ++n) {
        EXPECT_TRUE(client->Put(key, std::to_string(n)).ok());
        EXPECT_EQ(*client->Get(key), std::to_string(n));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// All pairs that `scanner` yields.
std::vector<KeyValue> ReadAll(RawScanner& scanner) {
  std::vector<KeyValue> all;
  while (true) {
    const auto page = scanner.Next();
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok() || page->empty()) return all;
    all.insert(all.end(), page->begin(), page->end());
  }
}

class RawScannerTest : public RawClientTest {
 protected:
  // Puts `count` keys, "000" and so on, each with itself as value.
  void Fill(RawClient& client, int count) {
    for (int i = 0; i < count; ++i) {
      std::string key = std::to_string(1000 + i).substr(1);
      ASSERT_TRUE(client.Put(key, key).ok());
      pairs_.push_back({key, key});
    }
  }

  std::vector<KeyValue> pairs_;
};

TEST_F(RawScannerTest, PagesThroughARange) {
  const auto client = Open({});
  Fill(*client, 100);
  RawScanner all(*client, {.page_pairs_max = 7});
  EXPECT_EQ(ReadAll(all), pairs_);
  EXPECT_TRUE(all.Next()->empty());

  RawScanner middle(*client, {.start = "010", .end = "090", .page_pairs_max = 20});
  EXPECT_EQ(ReadAll(middle), std::vector<KeyValue>(pairs_.begin() + 10, pairs_.begin() + 90));

  RawScanner none(*client, {.start = "0995"});
  EXPECT_TRUE(ReadAll(none).empty());
}

TEST_F(RawScannerTest, GoesOnAfterAShortPage) {
  const auto client = Open({});
  Fill(*client, 100);
  store_->LimitPages(3);
  RawScanner scanner(*client, {.page_pairs_max = 7});
  EXPECT_EQ(ReadAll(scanner), pairs_);
}

TEST_F(RawScannerTest, SkipsNoKeyBetweenPages) {
  const auto client = Open({});
  const std::string zero(1, '\0');
  const std::vector<KeyValue> pairs = {{zero, ""},       {zero + zero, ""}, {"a", ""},
                                       {"a" + zero, ""}, {"a\xff", ""},     {"\xff\xff", ""}};
  for (const KeyValue& pair : pairs) ASSERT_TRUE(client->Put(pair.key, pair.value).ok());
  RawScanner scanner(*client, {.page_pairs_max = 1});
  EXPECT_EQ(ReadAll(scanner), pairs);
}

TEST_F(RawScannerTest, AsksForLessWhenAPageIsTooLong) {
  const auto client = Open({.message_bytes_max = 10'000});
  std::vector<KeyValue> pairs;
  for (char c = 'a'; c <= 'z'; ++c) pairs.push_back({{c}, std::string(3000, c)});
  for (const KeyValue& pair : pairs) ASSERT_TRUE(client->Put(pair.key, pair.value).ok());
  RawScanner scanner(*client, {});
  EXPECT_EQ(ReadAll(scanner), pairs);
}

class RawLoaderTest : public RawClientTest {};

TEST_F(RawLoaderTest, StoresEverythingAndReportsProgress) {
  const auto client = Open({});
  uint64_t reported = 0;
  RawLoader loader(*client, {.column_family = ColumnFamily::kWrite,
                             .puts_max = 16,
                             .on_progress = [&](uint64_t acknowledged) {
                               EXPECT_GE(acknowledged, reported);
                               reported = acknowledged;
                             }});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(loader.Put(std::to_string(i), std::to_string(i * i)).ok());
  }
  ASSERT_TRUE(loader.Finish().ok());
  EXPECT_EQ(loader.acknowledged(), 1000u);
  EXPECT_EQ(reported, 1000u);
  const auto contents = store_->contents(ColumnFamily::kWrite);
  EXPECT_EQ(contents.size(), 1000u);
  EXPECT_EQ(contents.at("31"), "961");
}

TEST_F(RawLoaderTest, KeepsItsWindowFullAndNoFuller) {
  const auto client = Open({.deadline = seconds(60)});
  store_->Hold();
  std::thread caller([&] {
    RawLoader loader(*client, {.puts_max = 8});
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(loader.Put(std::to_string(i), "v").ok());
    EXPECT_TRUE(loader.Finish().ok());
    EXPECT_EQ(loader.acknowledged(), 100u);
  });
  store_->WaitForHeld(8);
  store_->Release();
  caller.join();
  EXPECT_EQ(store_->requests_at_once_max(), 8u);
}

TEST_F(RawLoaderTest, CountsBytesInItsWindow) {
  const auto client = Open({});
  RawLoader loader(*client, {.puts_bytes_max = 1000});
  for (int i = 0; i < 50; ++i) {
    // The last ones are above the window by themselves.
    ASSERT_TRUE(loader.Put(std::to_string(i), std::string(i < 40 ? 400 : 1400, 'v')).ok());
  }
  ASSERT_TRUE(loader.Finish().ok());
  EXPECT_EQ(loader.acknowledged(), 50u);
  EXPECT_LE(store_->requests_at_once_max(), 2u);
}

TEST_F(RawLoaderTest, LeavesTheLaterValueOfAKey) {
  const auto client = Open({});
  RawLoader loader(*client, {});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(loader.Put("k", std::to_string(i)).ok());
  ASSERT_TRUE(loader.Finish().ok());
  EXPECT_EQ(*client->Get("k"), "199");
}

TEST_F(RawLoaderTest, GetsThroughTrouble) {
  const auto client = Open({.deadline = seconds(60), .backoff_max = milliseconds(20)});
  store_->Follow({.healthy = 10, .failing = 100, .failure = ToyStore::Failure::kBusy});
  RawLoader loader(*client, {.puts_max = 32});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(loader.Put(std::to_string(i), "v").ok());
  ASSERT_TRUE(loader.Finish().ok());
  EXPECT_EQ(loader.acknowledged(), 100u);
  EXPECT_EQ(store_->requests(), 200u);
}

TEST_F(RawLoaderTest, StopsAtTheFirstFailure) {
  const auto client = Open({});
  store_->Follow({.healthy = 10, .failing = 1, .failure = ToyStore::Failure::kRefusal});
  RawLoader loader(*client, {.puts_max = 1});
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) status = loader.Put(std::to_string(i), "v");
  EXPECT_EQ(MessageOf(status), "put of \"10\": the toy says no");
  EXPECT_EQ(loader.Put("more", "v"), status);
  EXPECT_EQ(loader.Finish(), status);
  EXPECT_EQ(loader.acknowledged(), 10u);
  EXPECT_EQ(store_->requests(), 11u);
}

}  // namespace
}  // namespace tinykv
