#include "stage2-raftkv/raftstore/snapshots.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"

namespace tinykv::raftstore {
namespace {

using raft_serverpb::SnapshotChunk;
using Chunks = std::vector<SnapshotChunk>;
using Content = std::map<std::string, std::string>;

constexpr char kFolder[] = "snap";

// Region 7, with keys [b, y), as of entry 20 of term 8.
AppliedRegion TheRegion() {
  AppliedRegion applied{.applied_term = 8};
  applied.region.set_id(7);
  applied.region.set_start_key("b");
  applied.region.set_end_key("y");
  for (const uint64_t id : {11, 12}) applied.region.add_peers()->set_id(id);
  applied.state.set_applied_index(20);
  return applied;
}

// Two stores, each with its folder of snapshots.
class SnapshotsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (TestEngines* machine : {&from_, &to_}) ASSERT_TRUE(machine->Open().ok());
    sender_ = std::make_unique<Snapshots>(from_.kv(), from_.KvOptions(), kFolder, rate_);
    receiver_ = std::make_unique<Snapshots>(to_.kv(), to_.KvOptions(), kFolder, rate_);
    ASSERT_TRUE(sender_->Open().ok());
    ASSERT_TRUE(receiver_->Open().ok());
  }

  void Put(lsm::ColumnFamilyId family, std::string_view key, std::string_view value) {
    lsm::WriteBatch batch;
    batch.Put(family, key, value);
    ASSERT_TRUE(from_.kv().Write({}, batch).ok());
  }
  // More than one chunk of default, a little of write, and nothing of lock.
  void Fill() {
    Random random(1);
    std::string value(50'000, '\0');
    for (int i = 0; i < 50; ++i) {
      for (char& byte : value) byte = static_cast<char>(random.Next());
      Put(0, Concat("c", 100 + i), value);
    }
    Put(2, "c", "written");
  }
  static Content Scan(TestEngines& machine, lsm::ColumnFamilyId family) {
    Content content;
    const auto iterator = machine.kv().NewIterator({}, family);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      content.emplace(iterator->key(), iterator->value());
    }
    return content;
  }

  BuiltSnapshot Build() {
    const auto moment = from_.kv().NewSnapshot();
    auto built = sender_->Build(TheRegion(), *moment);
    EXPECT_TRUE(built.ok()) << built.status();
    return built.ok() ? *std::move(built) : BuiltSnapshot{};
  }
  static raft_serverpb::RaftMessage MessageWith(const BuiltSnapshot& built) {
    raft_serverpb::RaftMessage message;
    message.set_region_id(7);
    *message.mutable_message() = raft::ToWire(raft::Message{.type = raft::MessageType::kSnapshot,
                                                            .to = 12,
                                                            .from = 11,
                                                            .term = 8,
                                                            .snapshot = built.snapshot});
    return message;
  }
  // What is sent of the snapshot.
  Chunks Send(const BuiltSnapshot& built) {
    Chunks chunks;
    const auto source = sender_->Send(MessageWith(built), built);
    while (true) {
      const auto chunk = source->Next();
      EXPECT_TRUE(chunk.ok()) << chunk.status();
      if (!chunk.ok() || !*chunk) return chunks;
      EXPECT_TRUE(chunks.emplace_back().ParseFromString(**chunk));
    }
  }
  Chunks SendAll() { return Send(Build()); }

  // Gives the chunks to a sink until it refuses one; then, or at the end, the sink is gone.
  absl::Status Receive(const Chunks& chunks) {
    received_.reset();
    const auto sink =
        receiver_->Receive([this](ReceivedSnapshot received) { received_ = std::move(received); });
    for (const SnapshotChunk& chunk : chunks) {
      EXPECT_FALSE(received_);
      TKV_RETURN_IF_ERROR(sink->Take(chunk.SerializeAsString()));
    }
    return sink->Finish();
  }
  void ExpectRefused(const Chunks& chunks, std::string_view what,
                     std::string_view region = "region 7") {
    const absl::Status status = Receive(chunks);
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(Says(status, what)) << status;
    EXPECT_TRUE(Says(status, region)) << status;
    EXPECT_FALSE(received_);
    EXPECT_EQ(Files(to_), std::vector<std::string>{});
  }

  static std::vector<std::string> Files(TestEngines& machine) {
    return machine.disk().List(kFolder).value();
  }

  TestEngines from_;
  TestEngines to_;
  RateLimit rate_{1 << 20, from_.clock()};
  std::unique_ptr<Snapshots> sender_;
  std::unique_ptr<Snapshots> receiver_;
  std::optional<ReceivedSnapshot> received_;
};

SnapshotChunk DataChunk(std::string data) {
  SnapshotChunk chunk;
  chunk.set_data(std::move(data));
  return chunk;
}

raft_serverpb::RaftSnapshotData DataOf(const raft::Snapshot& snapshot) {
  raft_serverpb::RaftSnapshotData data;
  EXPECT_TRUE(data.ParseFromString(std::string(snapshot.data.view())));
  return data;
}

// The first chunk with what `change` makes of the snapshot's description.
template <typename Change>
SnapshotChunk Changed(SnapshotChunk first, Change change) {
  std::string& bytes =
      *first.mutable_message()->mutable_message()->mutable_snapshot()->mutable_data();
  raft_serverpb::RaftSnapshotData data;
  EXPECT_TRUE(data.ParseFromString(bytes));
  change(data);
  bytes = data.SerializeAsString();
  return first;
}

TEST_F(SnapshotsTest, WhatIsBuiltArrivesAsTheSameFiles) {
  Fill();
  const BuiltSnapshot built = Build();
  const Chunks chunks = Send(built);
  EXPECT_GE(chunks.size(), 5u);  // the message, three of default, one of write
  const absl::Status status = Receive(chunks);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(received_);
  EXPECT_EQ(received_->message.SerializeAsString(), MessageWith(built).SerializeAsString());
  const auto& sent = built.files->files();
  const auto& arrived = received_->files->files();
  ASSERT_EQ(sent.size(), 2u);
  ASSERT_EQ(arrived.size(), 2u);
  for (size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(arrived[i].column_family, sent[i].column_family);
    EXPECT_EQ(ReadFile(to_.disk(), arrived[i].path).value(),
              ReadFile(from_.disk(), sent[i].path).value());
    EXPECT_EQ(ChecksumOf(to_.disk(), arrived[i].path).value(),
              ChecksumOf(from_.disk(), sent[i].path).value());
  }
  ASSERT_TRUE(to_.kv().Ingest({.files = arrived}).ok());
  for (lsm::ColumnFamilyId family = 0; family < kColumnFamilyNames.size(); ++family) {
    EXPECT_EQ(Scan(to_, family), Scan(from_, family));
  }
}

TEST_F(SnapshotsTest, AreSentTogetherNoFasterThanIsAllowed) {
  Fill();
  const BuiltSnapshot built = Build();
  std::vector<std::unique_ptr<ChunkSource>> sources;
  for (int i = 0; i < 2; ++i) sources.push_back(sender_->Send(MessageWith(built), built));
  const Duration begin = from_.clock().Now();
  uint64_t bytes = 0;
  while (!sources.empty()) {
    for (size_t i = 0; i < sources.size(); ++i) {
      from_.clock().Advance(sources[i]->Wait());
      const auto next = sources[i]->Next();
      ASSERT_TRUE(next.ok()) << next.status();
      if (!*next) {
        sources.erase(sources.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
      SnapshotChunk chunk;
      ASSERT_TRUE(chunk.ParseFromString(**next));
      bytes += chunk.data().size();
    }
  }
  // The last chunk need not be waited for, and a tenth of a second was saved up.
  const std::chrono::duration<double> taken = from_.clock().Now() - begin;
  EXPECT_GT(bytes, 4u << 20);
  EXPECT_GE((taken.count() + 1.1) * (1 << 20), static_cast<double>(bytes));
  EXPECT_LE(taken.count() * (1 << 20), static_cast<double>(bytes));
}

TEST_F(SnapshotsTest, SaysOfWhatItIs) {
  Fill();
  const BuiltSnapshot built = Build();
  EXPECT_EQ(built.snapshot.last, (raft::EntryId{20, 8}));
  EXPECT_EQ(built.snapshot.members, (raft::Membership{11, 12}));
  const raft_serverpb::RaftSnapshotData data = DataOf(built.snapshot);
  EXPECT_EQ(data.region().SerializeAsString(), TheRegion().region.SerializeAsString());
  ASSERT_EQ(data.meta().cf_files_size(), 3);
  uint64_t bytes = 0;
  for (const raft_serverpb::SnapshotCFFile& file : data.meta().cf_files()) bytes += file.size();
  EXPECT_EQ(data.file_size(), bytes);
  EXPECT_EQ(data.meta().cf_files(1).cf(), "lock");
  EXPECT_EQ(data.meta().cf_files(1).size(), 0u);
  EXPECT_EQ(data.meta().cf_files(2).size(),
            from_.disk().FileSize(built.files->files()[1].path).value());
}

TEST_F(SnapshotsTest, HasTheKeysOfTheRegionAsOfTheMoment) {
  for (const char* key : {"a\xff", "b", "c", "d", "x\xff", "y"}) Put(1, key, "old");
  lsm::WriteBatch deletion;
  deletion.Delete(1, "c");
  ASSERT_TRUE(from_.kv().Write({}, deletion).ok());
  const auto moment = from_.kv().NewSnapshot();
  Put(1, "d", "new");
  Put(1, "e", "new");
  const auto built = sender_->Build(TheRegion(), *moment);
  ASSERT_TRUE(built.ok()) << built.status();
  ASSERT_TRUE(Receive(Send(*built)).ok());
  ASSERT_TRUE(to_.kv().Ingest({.files = received_->files->files()}).ok());
  EXPECT_EQ(Scan(to_, 1), (Content{{"b", "old"}, {"d", "old"}, {"x\xff", "old"}}));
}

TEST_F(SnapshotsTest, OfAnEmptyRegionIsAMessageAndNoFile) {
  Put(0, "a", "outside");
  const Chunks chunks = SendAll();
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_TRUE(chunks[0].has_message());
  ASSERT_TRUE(Receive(chunks).ok());
  ASSERT_TRUE(received_);
  EXPECT_TRUE(received_->files->files().empty());
  EXPECT_EQ(Files(to_), std::vector<std::string>{});
}

TEST_F(SnapshotsTest, ChunksMayBeCutAnywhere) {
  Fill();
  const BuiltSnapshot built = Build();
  const Chunks chunks = Send(built);
  std::string all;
  for (const SnapshotChunk& chunk : chunks) all += chunk.data();
  for (const size_t size : {size_t{99'991}, all.size()}) {
    Chunks cut = {chunks[0], DataChunk("")};
    for (size_t at = 0; at < all.size(); at += size) cut.push_back(DataChunk(all.substr(at, size)));
    const absl::Status status = Receive(cut);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(received_->files->files().size(), 2u);
    EXPECT_EQ(ReadFile(to_.disk(), received_->files->files()[1].path).value(),
              ReadFile(from_.disk(), built.files->files()[1].path).value());
  }
}

TEST_F(SnapshotsTest, FilesAreThereAsLongAsSomebodyHoldsThem) {
  Fill();
  auto built = std::make_optional(Build());
  EXPECT_EQ(Files(from_).size(), 2u);
  auto source = sender_->Send(MessageWith(*built), *built);
  built.reset();
  EXPECT_EQ(Files(from_).size(), 2u);
  source.reset();
  EXPECT_EQ(Files(from_).size(), 0u);
  ASSERT_TRUE(Receive(SendAll()).ok());
  EXPECT_EQ(Files(to_).size(), 2u);
  received_.reset();
  EXPECT_EQ(Files(to_).size(), 0u);
}

TEST_F(SnapshotsTest, OpenEmptiesTheFolder) {
  Fill();
  ASSERT_TRUE(WriteFileAtomically(to_.disk(), "snap/received-1.sst", "of an earlier life").ok());
  ASSERT_TRUE(WriteFileAtomically(to_.disk(), "snap/built-1.sst", "of an earlier life").ok());
  Snapshots snapshots(to_.kv(), to_.KvOptions(), kFolder, rate_);
  ASSERT_TRUE(snapshots.Open().ok());
  EXPECT_EQ(Files(to_), std::vector<std::string>{});
}

// ---- what is refused ----

TEST_F(SnapshotsTest, ADamagedChunkIsRefused) {
  Fill();
  const Chunks chunks = SendAll();
  for (size_t i = 1; i < chunks.size(); ++i) {
    Chunks damaged = chunks;
    damaged[i].mutable_data()->back() ^= 1;
    const bool is_last = i + 1 == chunks.size();
    ExpectRefused(damaged, is_last ? "column family write" : "column family default");
  }
}

TEST_F(SnapshotsTest, AMissingChunkIsRefused) {
  Fill();
  const Chunks chunks = SendAll();
  for (size_t missing = 1; missing < chunks.size(); ++missing) {
    Chunks fewer = chunks;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(missing));
    ExpectRefused(fewer, "snapshot of");
  }
  ExpectRefused({chunks[0]}, "ends before its last file");
  ExpectRefused({chunks[0], DataChunk(chunks[1].data().substr(0, 10))},
                "ends before its last file");
}

TEST_F(SnapshotsTest, MoreDataThanTheMessageSaysIsRefused) {
  Fill();
  Chunks chunks = SendAll();
  chunks.push_back(DataChunk("more"));
  ExpectRefused(chunks, "more data than its message says");
  chunks.pop_back();
  chunks.back().mutable_data()->append("more");
  ExpectRefused(chunks, "more data than its message says");
}

TEST_F(SnapshotsTest, DataBeforeTheMessageIsRefused) {
  Fill();
  const Chunks chunks = SendAll();
  ExpectRefused({chunks[1], chunks[0]}, "before its message", "");
}

TEST_F(SnapshotsTest, ASecondMessageIsRefused) {
  Fill();
  const Chunks chunks = SendAll();
  ExpectRefused({chunks[0], chunks[0]}, "second message");
  ExpectRefused({chunks[0], chunks[1], chunks[0]}, "second message");
}

TEST_F(SnapshotsTest, AMessageOfAnotherRegionIsRefused) {
  Fill();
  Chunks chunks = SendAll();
  chunks[0].mutable_message()->set_region_id(8);
  ExpectRefused(chunks, "a snapshot for region 8 is one of region 7");
}

TEST_F(SnapshotsTest, WhatIsNoSnapshotIsRefused) {
  Fill();
  const Chunks chunks = SendAll();
  ExpectRefused({}, "without its message", "");
  Chunks heartbeat = chunks;
  heartbeat[0].mutable_message()->mutable_message()->set_msg_type(eraftpb::MsgHeartbeat);
  ExpectRefused(heartbeat, "no snapshot's message");
  Chunks damaged = chunks;
  damaged[0].mutable_message()->mutable_message()->mutable_snapshot()->set_data("\xff");
  ExpectRefused(damaged, "no snapshot's message");
  const auto sink = receiver_->Receive([](const ReceivedSnapshot&) { FAIL(); });
  EXPECT_TRUE(Says(sink->Take("\xff"), "no SnapshotChunk"));
}

TEST_F(SnapshotsTest, AnUnknownColumnFamilyIsRefused) {
  Fill();
  Chunks chunks = SendAll();
  chunks[0] = Changed(chunks[0], [](raft_serverpb::RaftSnapshotData& data) {
    data.mutable_meta()->mutable_cf_files(0)->set_cf("nowhere");
  });
  ExpectRefused(chunks, "nowhere", "");
}

TEST_F(SnapshotsTest, ATransferThatIsBrokenOffLeavesNothing) {
  Fill();
  const Chunks chunks = SendAll();
  auto sink = receiver_->Receive([](const ReceivedSnapshot&) { FAIL(); });
  for (size_t i = 0; i + 1 < chunks.size(); ++i) {
    ASSERT_TRUE(sink->Take(chunks[i].SerializeAsString()).ok());
  }
  EXPECT_FALSE(Files(to_).empty());
  sink.reset();
  EXPECT_EQ(Files(to_), std::vector<std::string>{});
}

// ---- a disk that fails ----

TEST_F(SnapshotsTest, AnErrorOfTheDiskAtAnyOperationOfTheSenderLeavesNoFile) {
  Fill();
  ASSERT_TRUE(from_.kv().Flush().ok());
  bool failed = true;
  for (uint64_t change = 1; failed; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    from_.disk().SetFaults({.failed_change = sim::FaultPlan::Failure{.at = change}});
    const auto moment = from_.kv().NewSnapshot();
    const auto built = sender_->Build(TheRegion(), *moment);
    failed = from_.disk().changes() >= change;
    EXPECT_EQ(built.ok(), !failed) << built.status();
    from_.disk().SetFaults({});
    EXPECT_EQ(Files(from_).size(), failed ? 0u : 2u);
    ASSERT_LT(change, 1000u);
  }
}

TEST_F(SnapshotsTest, AnErrorOfTheDiskAtAnyOperationOfTheReceiverLeavesNoFile) {
  Fill();
  const Chunks chunks = SendAll();
  bool failed = true;
  for (uint64_t change = 1; failed; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    to_.disk().SetFaults({.failed_change = sim::FaultPlan::Failure{.at = change}});
    const absl::Status status = Receive(chunks);
    failed = to_.disk().changes() >= change;
    EXPECT_EQ(status.ok(), !failed) << status;
    to_.disk().SetFaults({});
    EXPECT_EQ(Files(to_).size(), failed ? 0u : 2u);
    ASSERT_LT(change, 1000u);
  }
}

}  // namespace
}  // namespace tinykv::raftstore
