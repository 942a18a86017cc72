#include "stage1-standalone/standalone_storage.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/storage/region_error.h"
#include "common/strings.h"
#include "stage1-standalone/storage_test_util.h"

namespace tinykv {
namespace {

const kvrpcpb::Context kNoContext;

absl::Status Put(TestStorage& storage, ColumnFamily cf, std::string key, std::string value) {
  WriteSet writes;
  writes.Put(cf, std::move(key), std::move(value));
  return RunToEnd(storage->Write(kNoContext, std::move(writes)));
}

std::unique_ptr<StorageReader> Reader(TestStorage& storage) {
  auto reader = RunToEnd(storage->Reader(kNoContext));
  EXPECT_TRUE(reader.ok()) << reader.status();
  return *std::move(reader);
}

// "" if the key is not there or cannot be read.
std::string Get(StorageReader& reader, ColumnFamily cf, std::string_view key) {
  const auto value = reader.Get(cf, key);
  return value.ok() ? value->value_or("") : "";
}

class StandaloneStorageTest : public testing::TestWithParam<bool> {
 protected:
  TestStorage storage_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(SyncWrites, StandaloneStorageTest, testing::Bool());

TEST_P(StandaloneStorageTest, KeepsColumnFamiliesApart) {
  ASSERT_TRUE(Put(storage_, ColumnFamily::kDefault, "key", "42").ok());
  ASSERT_TRUE(Put(storage_, ColumnFamily::kWrite, "key", "44").ok());
  const auto reader = Reader(storage_);
  EXPECT_EQ(Get(*reader, ColumnFamily::kDefault, "key"), "42");
  EXPECT_EQ(Get(*reader, ColumnFamily::kWrite, "key"), "44");
  const auto missing = reader->Get(ColumnFamily::kLock, "key");
  ASSERT_TRUE(missing.ok()) << "a missing key is not an error: " << missing.status();
  EXPECT_EQ(*missing, std::nullopt);
}

TEST_P(StandaloneStorageTest, AppliesAWriteSetInItsOrder) {
  WriteSet writes;
  writes.Put(ColumnFamily::kDefault, "a", "1");
  writes.Delete(ColumnFamily::kDefault, "a");
  writes.Put(ColumnFamily::kLock, "b", "2");
  writes.Put(ColumnFamily::kLock, "b", "3");
  ASSERT_TRUE(RunToEnd(storage_->Write(kNoContext, std::move(writes))).ok());
  const auto reader = Reader(storage_);
  EXPECT_EQ(*reader->Get(ColumnFamily::kDefault, "a"), std::nullopt);
  EXPECT_EQ(Get(*reader, ColumnFamily::kLock, "b"), "3");
}

TEST_P(StandaloneStorageTest, TakesAnEmptyWriteSet) {
  EXPECT_TRUE(RunToEnd(storage_->Write(kNoContext, WriteSet())).ok());
}

TEST_P(StandaloneStorageTest, ReadersAreSnapshots) {
  ASSERT_TRUE(Put(storage_, ColumnFamily::kDefault, "key", "old").ok());
  const auto reader = Reader(storage_);
  ASSERT_TRUE(Put(storage_, ColumnFamily::kDefault, "key", "new").ok());
  ASSERT_TRUE(Put(storage_, ColumnFamily::kDefault, "other", "new").ok());
  EXPECT_EQ(Get(*reader, ColumnFamily::kDefault, "key"), "old");
  const auto iterator = reader->NewIterator(ColumnFamily::kDefault);
  int count = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    EXPECT_EQ(iterator->value(), "old");
    ++count;
  }
  EXPECT_TRUE(iterator->status().ok());
  EXPECT_EQ(count, 1);
}

TEST_P(StandaloneStorageTest, IteratesBothWaysWithinBounds) {
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(Put(storage_, ColumnFamily::kDefault, key, key).ok());
  }
  const auto reader = Reader(storage_);
  const auto iterator =
      reader->NewIterator(ColumnFamily::kDefault, {.lower_bound = "b", .upper_bound = "e"});
  std::string forward;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) forward += iterator->key();
  EXPECT_EQ(forward, "bcd");
  std::string backward;
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) backward += iterator->key();
  EXPECT_EQ(backward, "dcb");
  iterator->Seek("a");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "b");
  iterator->SeekForPrev("z");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "d");
}

TEST_P(StandaloneStorageTest, SurvivesReopening) {
  ASSERT_TRUE(Put(storage_, ColumnFamily::kWrite, "key", "value").ok());
  storage_.Reopen();
  EXPECT_EQ(Get(*Reader(storage_), ColumnFamily::kWrite, "key"), "value");
}

TEST_P(StandaloneStorageTest, RefusesAKeyThatIsTooLongAndWritesNothing) {
  WriteSet writes;
  writes.Put(ColumnFamily::kDefault, "good", "value");
  writes.Put(ColumnFamily::kDefault, std::string(lsm::kKeyBytesMax + 1, 'k'), "value");
  const absl::Status status = RunToEnd(storage_->Write(kNoContext, std::move(writes)));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(*Reader(storage_)->Get(ColumnFamily::kDefault, "good"), std::nullopt);
}

TEST_P(StandaloneStorageTest, TakesWritesOfManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(Put(storage_, ColumnFamily::kDefault, Concat(t, "-", i), "value").ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto reader = Reader(storage_);
  for (int t = 0; t < 8; ++t) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(Get(*reader, ColumnFamily::kDefault, Concat(t, "-", i)), "value");
    }
  }
}

}  // namespace
}  // namespace tinykv
