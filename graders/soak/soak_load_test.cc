// The load against a store in memory: what it finds wrong must be wrong, and the other way round.
#include "graders/soak/soak_load.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/client/toy_store.h"
#include "common/mutex.h"
#include "common/status.h"
#include "graders/soak/soak_values.h"

namespace tinykv::soak {
namespace {

constexpr uint32_t kKeys = 40;

class Load : public testing::Test {
 protected:
  Load() {
    auto load = SoakLoad::Make({.addresses = store_->address(),
                                .keys = kKeys,
                                .workers = 4,
                                .calls_per_second = 20'000,
                                .value_bytes_max = 500},
                               [this](const std::string& what) {
                                 MutexLock lock(mutex_);
                                 violations_.push_back(what);
                               });
    EXPECT_TRUE(load.ok()) << load.status();
    load_ = *std::move(load);
    load_->Start();
    // Each time also reads all keys, beside the writes.
    while (load_->counters().written() < 500) EXPECT_TRUE(load_->ReadAll().ok());
  }

  std::vector<std::string> Violations() {
    MutexLock lock(mutex_);
    return violations_;
  }

  Mutex mutex_;
  std::vector<std::string> violations_;
  std::unique_ptr<ToyStore> store_ = std::make_unique<ToyStore>();
  std::unique_ptr<SoakLoad> load_;
};

TEST_F(Load, FindsNothingWrongWithAStoreThatIsRight) {
  load_->Stop();
  EXPECT_TRUE(load_->ReadAll().ok());
  EXPECT_EQ(Violations(), std::vector<std::string>());
  const nlohmann::json counts = load_->counters().ToJson();
  EXPECT_EQ(counts["failed_calls"], nlohmann::json::object());
  for (const char* call : {"put", "delete", "get", "scan", "probe"}) {
    EXPECT_GT(counts["calls"].value(call, 0), 0) << call;
  }
}

TEST_F(Load, FindsAStoreThatForgets) {
  load_->Stop();
  const uint16_t port = store_->port();
  store_.reset();
  store_ = std::make_unique<ToyStore>(port);
  EXPECT_TRUE(load_->ReadAll().ok());
  ASSERT_FALSE(Violations().empty());
  EXPECT_EQ(load_->violations(), Violations().size());
  EXPECT_NE(Violations()[0].find(Concat(store_->address(), " answered that it is absent")),
            std::string::npos)
      << Violations()[0];
}

TEST_F(Load, FindsAValueThatIsAnothers) {
  load_->Stop();
  auto client = RawClient::Open({.address = store_->address()});
  ASSERT_TRUE(client.ok());
  ASSERT_TRUE((*client)->Put(KeyOf(3), ValueOf(4, 1, 500)).ok());
  EXPECT_TRUE(load_->ReadAll().ok());
  ASSERT_EQ(Violations().size(), 1u);
  EXPECT_NE(Violations()[0].find("key 3: "), std::string::npos) << Violations()[0];
  EXPECT_NE(Violations()[0].find("to another key, 4"), std::string::npos) << Violations()[0];
}

TEST_F(Load, GoesOnWhereAStoreFailsForAWhile) {
  load_->counters().StartPhase();
  store_->Follow({.healthy = 10, .failing = 10, .failure = ToyStore::Failure::kBusy});
  const uint64_t before = load_->counters().written();
  while (load_->counters().written() < before + 500) EXPECT_TRUE(load_->ReadAll().ok());
  load_->Stop();
  EXPECT_EQ(Violations(), std::vector<std::string>());
  const nlohmann::json counts = load_->counters().ToJson();
  // The probe, which asks once and for all, may have met some of the ten.
  const nlohmann::json failed = counts["failed_attempts"];
  EXPECT_EQ(failed.size(), 1u) << failed;
  EXPECT_GT(failed.value("server is busy", 0), 0);
  EXPECT_LE(failed.value("server is busy", 0), 10);
  EXPECT_EQ(counts["failed_calls"], nlohmann::json::object());
}

TEST(LoadOptions, AreChecked) {
  const auto load = SoakLoad::Make({.addresses = "127.0.0.1:1", .keys = 3, .workers = 4},
                                   [](const std::string&) {});
  ASSERT_FALSE(load.ok());
  EXPECT_EQ(MessageOf(load.status()),
            "keys: 3 are not enough for 4 workers, each of which has its own");
}

}  // namespace
}  // namespace tinykv::soak
