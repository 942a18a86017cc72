#include "stage2-raftkv/raft_storage.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/env/coroutine.h"
#include "common/storage/region_error.h"
#include "stage2-raftkv/raftstore/store_test_util.h"

namespace tinykv {
namespace {

using raftstore::AppliedRegion;
using Content = std::map<std::string, std::string>;

// A member alone has nobody to talk to.
class NoNetwork final : public Transport {
 public:
  absl::Status Send(StoreId, std::string) override { return absl::OkStatus(); }
  void Transfer(StoreId, std::unique_ptr<ChunkSource>, TransferDone) override {}
  void SetReceiver(Receiver) override {}
  void SetAcceptor(Acceptor) override {}
};

// Takes from the region all keys from "m" on, as a split does that gives them to another.
absl::Status Shrink(const raft::EntryId&, const raft_cmdpb::AdminRequest&, AppliedRegion& region,
                    lsm::WriteBatch&) {
  region.region.set_end_key("m");
  metapb::RegionEpoch& epoch = *region.region.mutable_region_epoch();
  epoch.set_version(epoch.version() + 1);
  return absl::OkStatus();
}

class RaftStorageTest : public raftstore::WholeStoreTest {
 protected:
  void SetUp() override {
    const auto may_propose = [](const raft::RaftCore&, const raft_cmdpb::AdminRequest&) {
      return absl::OkStatus();
    };
    Start({1}, network_, {{raft_cmdpb::Split, {.propose = may_propose, .apply = Shrink}}});
    storage_.emplace(*store_, machine_.kv(), machine_.clock());
    actor_.RunFor(std::chrono::seconds(3));
    ASSERT_EQ(core().role(), raft::Role::kLeader);
  }

  // What a call ends with, once the store has done its work.
  template <typename T>
  T Await(asio::awaitable<T> call) {
    std::optional<T> result;
    asio::co_spawn(InlineExecutor(), std::move(call),
                   [&](const std::exception_ptr& error, T value) {
                     if (error) std::rethrow_exception(error);
                     result = std::move(value);
                   });
    actor_.RunFor(std::chrono::seconds(1));
    return std::move(result).value();
  }

  void Put(const std::string& key) {
    WriteSet writes;
    writes.Put(ColumnFamily::kDefault, key, "value of " + key);
    const absl::Status status = Await(storage_->Write({}, std::move(writes)));
    ASSERT_TRUE(status.ok()) << status;
  }

  std::unique_ptr<StorageReader> Reader() {
    auto reader = Await(storage_->Reader({}));
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }

  void ShrinkRegion() {
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->set_region_id(1);
    *command.mutable_header()->mutable_region_epoch() = Region().region_epoch();
    command.mutable_admin_request()->set_cmd_type(raft_cmdpb::Split);
    std::optional<absl::Status> status;
    store_->Propose(std::move(command), [&](absl::Status done) { status = std::move(done); });
    actor_.RunFor(std::chrono::seconds(1));
    ASSERT_TRUE(status.has_value() && status->ok()) << status.value_or(absl::OkStatus());
    ASSERT_EQ(Region().end_key(), "m");
  }
  const metapb::Region& Region() const { return store_->peer(1)->region(); }

  NoNetwork network_;
  std::optional<RaftStorage> storage_;
};

Content Rest(StorageIterator& iterator) {
  Content content;
  for (; iterator.Valid(); iterator.Next()) content.emplace(iterator.key(), iterator.value());
  EXPECT_TRUE(iterator.status().ok()) << iterator.status();
  return content;
}

Content Scan(StorageReader& reader) {
  const auto iterator = reader.NewIterator(ColumnFamily::kDefault, {});
  iterator->SeekToFirst();
  return Rest(*iterator);
}

TEST_F(RaftStorageTest, AReaderKeepsTheRegionOfItsMoment) {
  Put("a");
  Put("z");
  const Content both = {{"a", "value of a"}, {"z", "value of z"}};
  const auto before = Reader();
  const auto under_way = before->NewIterator(ColumnFamily::kDefault, {});
  under_way->SeekToFirst();

  ShrinkRegion();
  EXPECT_EQ(Rest(*under_way), both);
  EXPECT_EQ(Scan(*before), both);
  EXPECT_EQ(before->Get(ColumnFamily::kDefault, "z").value(), "value of z");

  const auto after = Reader();
  EXPECT_EQ(Scan(*after), (Content{{"a", "value of a"}}));
  const auto beyond = after->Get(ColumnFamily::kDefault, "z");
  const auto error = RegionErrorOf(beyond.status());
  ASSERT_TRUE(error.has_value()) << beyond.status();
  EXPECT_TRUE(error->has_key_not_in_region());
}

}  // namespace
}  // namespace tinykv
