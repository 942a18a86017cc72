// Transfers of GrpcTransport, between real servers in one process. Nothing waits for a time.
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "common/server/grpc_transport.h"
#include "common/server/grpc_transport_test_util.h"
#include "common/status.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {
namespace {

constexpr size_t kEndless = SIZE_MAX;

// What a transfer is like: how long, and who makes an error of which chunk.
struct Plan {
  size_t chunks = 4;
  size_t chunk_bytes = 1000;
  size_t source_fails_at = SIZE_MAX;
  size_t sink_fails_at = SIZE_MAX;
  bool finish_fails = false;
  int source_waits = 0;                             // so many times before each chunk, for a moment
  std::binary_semaphore* sink_waits_for = nullptr;  // behind each chunk
};

std::string Chunk(const Plan& plan, size_t i) {
  std::string chunk = Concat("chunk ", i, ";");
  chunk.resize(std::max(chunk.size(), plan.chunk_bytes), '.');
  return chunk;
}

// What there is to see of the transfers of a test.
struct Seen {
  std::vector<absl::Status> done = {};
  size_t sources_gone = 0;
  size_t taken = 0;
  size_t sinks = 0;
  size_t sinks_gone = 0;
  size_t finished = 0;
  std::string content = {};  // of all sinks
  std::vector<StoreId> senders = {};
};

class Source final : public ChunkSource {
 public:
  Source(const Plan& plan, Watched<Seen>& seen) : plan_(plan), seen_(seen) {}
  ~Source() override {
    seen_.Change([](Seen& seen) { ++seen.sources_gone; });
  }
  Duration Wait() override {
    if (waited_ == plan_.source_waits) return Duration::zero();
    ++waited_;
    return std::chrono::microseconds(100);
  }
  absl::StatusOr<std::optional<std::string>> Next() override {
    EXPECT_EQ(std::exchange(waited_, 0), plan_.source_waits);
    if (next_ == plan_.source_fails_at) return DataLoss("a bad sector");
    if (next_ == plan_.chunks) return std::nullopt;
    return Chunk(plan_, next_++);
  }

 private:
  const Plan plan_;
  Watched<Seen>& seen_;
  size_t next_ = 0;
  int waited_ = 0;
};

class Sink final : public ChunkSink {
 public:
  Sink(const Plan& plan, Watched<Seen>& seen) : plan_(plan), seen_(seen) {
    seen_.Change([](Seen& all) { ++all.sinks; });
  }
  ~Sink() override {
    seen_.Change([](Seen& seen) { ++seen.sinks_gone; });
  }
  absl::Status Take(std::string chunk) override {
    if (taken_++ == plan_.sink_fails_at) return ResourceExhausted("the disk is full");
    seen_.Change([&](Seen& seen) {
      ++seen.taken;
      if (plan_.chunks != kEndless) seen.content += chunk;
    });
    if (plan_.sink_waits_for != nullptr) plan_.sink_waits_for->acquire();
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    if (plan_.finish_fails) return DataLoss("a wrong checksum");
    seen_.Change([](Seen& seen) { ++seen.finished; });
    return absl::OkStatus();
  }

 private:
  const Plan plan_;
  Watched<Seen>& seen_;
  size_t taken_ = 0;
};

class TransferTest : public testing::Test {
 protected:
  // Store 1 sends, store 2 receives.
  void Start(const Plan& plan, const GrpcTransportOptions& options = {}) {
    plan_ = plan;
    sender_ = std::make_unique<TestStore>(1, options);
    receiver_ = std::make_unique<TestStore>(2, options);
    receiver_->transport().SetAcceptor([this](StoreId from) { return Accept(from); });
    receiver_->StartServer();
    sender_->transport().SetAddress(2, receiver_->address());
  }
  void Transfer(StoreId to = 2) {
    sender_->transport().Transfer(to, std::make_unique<Source>(plan_, seen_),
                                  [this](const absl::Status& status) {
                                    seen_.Change([&](Seen& seen) {
                                      EXPECT_GT(seen.sources_gone, seen.done.size());
                                      seen.done.push_back(status);
                                    });
                                  });
  }
  Seen WaitForDone(size_t count = 1) {
    return seen_.WaitUntil([&](const Seen& seen) { return seen.done.size() >= count; });
  }
  Seen WaitForChunks(size_t count) {
    return seen_.WaitUntil([&](const Seen& seen) { return seen.taken >= count; });
  }
  // Every sink that was made is gone.
  Seen WaitForSinksGone(size_t count = 1) {
    return seen_.WaitUntil([&](const Seen& seen) { return seen.sinks_gone >= count; });
  }
  absl::Status Outcome(const Plan& plan, const GrpcTransportOptions& options = {}) {
    Start(plan, options);
    Transfer();
    return WaitForDone().done[0];
  }
  static std::string Counted(const std::string& direction, const std::string& outcome, int count) {
    return Concat("tinykv_transport_transfers_total{direction=\"", direction, "\",outcome=\"",
                  outcome, "\"} ", count);
  }

  absl::Status refusal_;
  Watched<Seen> seen_;
  std::unique_ptr<TestStore> receiver_;
  std::unique_ptr<TestStore> sender_;  // goes first

 private:
  absl::StatusOr<std::unique_ptr<ChunkSink>> Accept(StoreId from) {
    seen_.Change([&](Seen& seen) { seen.senders.push_back(from); });
    if (!refusal_.ok()) return refusal_;
    return std::make_unique<Sink>(plan_, seen_);
  }

  Plan plan_;
};

TEST_F(TransferTest, ArrivesWhole) {
  const Plan plan = {.chunks = 50, .chunk_bytes = 300'000};
  EXPECT_TRUE(Outcome(plan).ok());
  std::string content;
  for (size_t i = 0; i < plan.chunks; ++i) content += Chunk(plan, i);
  const Seen seen = WaitForSinksGone();
  EXPECT_TRUE(seen.content == content);
  EXPECT_EQ(seen.finished, 1u);
  EXPECT_EQ(seen.senders, std::vector<StoreId>{1});
  EXPECT_TRUE(sender_->Shows(Counted("out", "done", 1)));
  EXPECT_TRUE(receiver_->Shows(Counted("in", "done", 1)));
  EXPECT_TRUE(receiver_->Shows(
      Concat("tinykv_transport_transfer_bytes_total{direction=\"in\"} ", content.size())));
}

TEST_F(TransferTest, WaitsForItsSource) {
  EXPECT_TRUE(Outcome({.chunks = 5, .source_waits = 3}).ok());
  EXPECT_EQ(WaitForSinksGone().finished, 1u);
}

TEST_F(TransferTest, MayBeEmpty) {
  EXPECT_TRUE(Outcome({.chunks = 0}).ok());
  EXPECT_EQ(WaitForSinksGone().finished, 1u);
}

TEST_F(TransferTest, IsRefusedByTheAcceptor) {
  refusal_ = ResourceExhausted("no room for one more");
  EXPECT_EQ(Outcome({.chunks = kEndless}), refusal_);
  EXPECT_EQ(seen_.Get().sinks, 0u);
  EXPECT_TRUE(sender_->Shows(Counted("out", "refused", 1)));
  EXPECT_TRUE(receiver_->Shows(Counted("in", "refused", 1)));
}

TEST_F(TransferTest, IsRefusedWhereNobodyAccepts) {
  TestStore a(1), b(2);
  b.StartServer();
  a.transport().SetAddress(2, b.address());
  Watched<std::optional<absl::Status>> outcome;
  a.transport().Transfer(2, std::make_unique<Source>(Plan(), seen_), [&](absl::Status status) {
    outcome.Change([&](auto& value) { value = std::move(status); });
  });
  EXPECT_EQ(outcome.WaitUntil([](const auto& value) { return value.has_value(); }),
            Unavailable("store 2 is not ready for it"));
}

TEST_F(TransferTest, IsRefusedByAnotherStoreThanTheOneMeant) {
  Start({});
  sender_->transport().SetAddress(3, receiver_->address());
  Transfer(3);
  EXPECT_EQ(WaitForDone().done[0],
            FailedPrecondition("the stream is meant for store 3, and this is store 2"));
  EXPECT_EQ(seen_.Get().sinks, 0u);
}

TEST_F(TransferTest, FailsForAnUnknownStore) {
  Start({});
  Transfer(3);
  EXPECT_EQ(WaitForDone().done[0], NotFound("no address is known for store 3"));
}

TEST_F(TransferTest, TellsWhatTheSinkSaidOfAChunk) {
  EXPECT_EQ(Outcome({.chunks = kEndless, .sink_fails_at = 3}),
            ResourceExhausted("the disk is full"));
  EXPECT_EQ(WaitForSinksGone().finished, 0u);
}

TEST_F(TransferTest, TellsWhatTheSinkSaidAtTheEnd) {
  EXPECT_EQ(Outcome({.finish_fails = true}), DataLoss("a wrong checksum"));
  EXPECT_EQ(WaitForSinksGone().finished, 0u);
  EXPECT_TRUE(sender_->Shows(Counted("out", "failed", 1)));
  EXPECT_TRUE(receiver_->Shows(Counted("in", "failed", 1)));
}

TEST_F(TransferTest, BreaksWhenTheSourceFails) {
  // Often, because a broken stream must never be taken for one that has ended.
  for (size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(Outcome({.source_fails_at = i % 4}), DataLoss("a bad sector"));
    sender_ = nullptr;
    receiver_ = nullptr;
    const Seen seen = seen_.Get();
    EXPECT_EQ(seen.finished, 0u);
    EXPECT_EQ(seen.sinks_gone, seen.sinks);
    seen_.Change([](Seen& all) { all = {}; });
  }
}

TEST_F(TransferTest, BreaksWhenTheSenderGoes) {
  Start({.chunks = kEndless, .chunk_bytes = 100'000});
  Transfer();
  WaitForChunks(3);
  sender_ = nullptr;
  // By now it has been told.
  EXPECT_EQ(seen_.Get().done.size(), 1u);
  EXPECT_EQ(seen_.Get().done[0], Unavailable("the transport is closed"));
  EXPECT_EQ(WaitForSinksGone().finished, 0u);
}

TEST_F(TransferTest, BreaksWhenTheReceiverGoes) {
  Start({.chunks = kEndless, .chunk_bytes = 100'000});
  Transfer();
  WaitForChunks(3);
  receiver_->StopServer();
  receiver_->DestroyTransport();
  EXPECT_EQ(seen_.Get().sinks_gone, 1u);
  EXPECT_FALSE(WaitForDone().done[0].ok());
  EXPECT_EQ(seen_.Get().finished, 0u);
}

TEST_F(TransferTest, DoesNotHoldUpAStopByASlowSink) {
  std::binary_semaphore end(0);
  Start({.chunks = kEndless, .sink_waits_for = &end});
  Transfer();
  WaitForChunks(1);
  receiver_->StopServer();
  EXPECT_FALSE(WaitForDone().done[0].ok());
  EXPECT_EQ(seen_.Get().sinks_gone, 0u);
  end.release();
  const Seen seen = WaitForSinksGone();
  EXPECT_EQ(seen.taken, 1u);
  EXPECT_EQ(seen.finished, 0u);
}

TEST_F(TransferTest, FailsWhereNobodyListens) {
  const DeadPort dead(/*listens=*/false);
  Start({});
  sender_->transport().SetAddress(3, dead.address());
  Transfer(3);
  EXPECT_EQ(WaitForDone().done[0].code(), absl::StatusCode::kUnavailable);
}

TEST_F(TransferTest, FailsWhereNobodyAnswers) {
  const DeadPort mute(/*listens=*/true);
  Start({}, {.connect_timeout = kAnHour, .transfer_patience = std::chrono::milliseconds(20)});
  sender_->transport().SetAddress(3, mute.address());
  Transfer(3);
  EXPECT_EQ(WaitForDone().done[0], DeadlineExceeded("store 3 takes nothing more"));
}

TEST_F(TransferTest, IsGivenUpWhenTheSenderIsSilent) {
  Start({}, {.transfer_patience = std::chrono::milliseconds(20)});
  const auto stub = tinykvpb::TinyKv::NewStub(
      grpc::CreateChannel(receiver_->address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  raft_serverpb::Done done;
  const auto writer = stub->Snapshot(&context, &done);
  writer->Write(raft_serverpb::SnapshotChunk());
  WaitForSinksGone();
  const grpc::Status status = writer->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(seen_.Get().finished, 0u);
  EXPECT_EQ(seen_.Get().senders, std::vector<StoreId>{0});
}

TEST_F(TransferTest, WaitsForItsTurn) {
  Start({}, {.outgoing_transfers_max = 1, .incoming_transfers_max = 1});
  constexpr size_t kCount = 20;
  for (size_t i = 0; i < kCount; ++i) Transfer();
  for (const absl::Status& status : WaitForDone(kCount).done) EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(seen_.Get().finished, kCount);
}

TEST_F(TransferTest, FailsWhereTooManyWait) {
  Start({.chunks = kEndless}, {.outgoing_transfers_max = 1, .waiting_transfers_max = 1});
  for (int i = 0; i < 3; ++i) Transfer();
  EXPECT_EQ(WaitForDone().done[0], ResourceExhausted("too many transfers wait already"));
  sender_->DestroyTransport();
  const Seen seen = WaitForDone(3);
  for (size_t i : {1, 2}) EXPECT_EQ(seen.done[i], Unavailable("the transport is closed"));
}

TEST_F(TransferTest, IsRefusedWhereTooManyAreReceived) {
  Start({.chunks = kEndless}, {.outgoing_transfers_max = 2, .incoming_transfers_max = 1});
  Transfer();
  WaitForChunks(1);
  Transfer();
  EXPECT_EQ(WaitForDone().done[0],
            ResourceExhausted("store 2 receives as many transfers as it can"));
}

TEST_F(TransferTest, DoesNotHoldUpMessages) {
  Start({.chunks = kEndless, .chunk_bytes = 1 << 20});
  receiver_->StopServer();
  receiver_->Receive();
  receiver_->StartServer();
  sender_->transport().SetAddress(2, receiver_->address());
  Transfer();
  WaitForChunks(3);
  EXPECT_TRUE(sender_->transport().Send(2, "message").ok());
  EXPECT_EQ(receiver_->WaitForMessages(1), (TestStore::Messages{{1, "message"}}));
}

}  // namespace
}  // namespace tinykv
