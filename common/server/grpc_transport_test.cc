// Messages of GrpcTransport, between real servers in one process. Nothing waits for a time.
#include "common/server/grpc_transport.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "common/server/grpc_transport_test_util.h"
#include "common/server/store_identity.h"
#include "common/status.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {
namespace {

using Messages = TestStore::Messages;

constexpr char kWaiting[] = "tinykv_transport_stream_state{state=\"waiting\",store=\"2\"} 1";

std::string Dropped(const std::string& reason, int count) {
  return Concat("tinykv_transport_messages_dropped_total{reason=\"", reason, "\"} ", count);
}

// What a store answers to a stream with such metadata.
grpc::Status OpenRaft(const std::string& address,
                      const std::map<std::string, std::string>& metadata) {
  const auto stub =
      tinykvpb::TinyKv::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
  raft_serverpb::Done done;
  const auto writer = stub->Raft(&context, &done);
  raft_serverpb::RaftMessage message;
  message.set_region_id(17);
  writer->Write(message);
  writer->WritesDone();
  return writer->Finish();
}

TEST(GrpcTransport, DeliversInOrder) {
  TestStore a(1), b(2);
  for (TestStore* store : {&a, &b}) {
    store->Receive();
    store->StartServer();
  }
  a.transport().SetAddress(2, b.address());
  b.transport().SetAddress(1, a.address());
  constexpr size_t kCount = 2000;
  Messages to_a, to_b;
  for (size_t i = 0; i < kCount; ++i) {
    to_b.emplace_back(1, Concat("message ", i));
    to_a.emplace_back(2, Concat("other ", i));
    EXPECT_TRUE(a.transport().Send(2, to_b.back().second).ok());
    EXPECT_TRUE(b.transport().Send(1, to_a.back().second).ok());
  }
  EXPECT_EQ(b.WaitForMessages(kCount), to_b);
  EXPECT_EQ(a.WaitForMessages(kCount), to_a);
  a.WaitUntilItShows(Concat("tinykv_transport_messages_sent_total ", kCount));
  EXPECT_TRUE(a.Shows(Concat("tinykv_transport_messages_received_total ", kCount)));
  EXPECT_TRUE(a.Shows("tinykv_transport_queue_messages{store=\"2\"} 0"));
  EXPECT_TRUE(a.Shows("tinykv_transport_queue_bytes{store=\"2\"} 0"));
  a.WaitUntilItShows("tinykv_transport_stream_state{state=\"open\",store=\"2\"} 1");
  EXPECT_TRUE(a.Shows("tinykv_transport_reconnects_total 0"));
}

TEST(GrpcTransport, DeliversAnyBytes) {
  TestStore a(1), b(2);
  b.Receive();
  b.StartServer();
  a.transport().SetAddress(2, b.address());
  const std::string large(3 << 20, 'x');
  for (const std::string& message : {std::string(), std::string("\x00\xff\x00", 3), large}) {
    EXPECT_TRUE(a.transport().Send(2, message).ok());
  }
  const Messages received = b.WaitForMessages(3);
  EXPECT_EQ(received[0].second, "");
  EXPECT_EQ(received[1].second, std::string("\x00\xff\x00", 3));
  EXPECT_EQ(received[2].second, large);
}

TEST(GrpcTransport, ConnectsAgainAfterARestart) {
  TestStore a(1, {.backoff_max = std::chrono::milliseconds(100)}), b(2);
  b.Receive();
  b.StartServer();
  const std::string address = b.address();
  a.transport().SetAddress(2, address);
  for (int restart = 0; restart < 3; ++restart) {
    const size_t before = b.message_count();
    // What is under way when the server stops is lost, so there is no one message to wait for.
    while (b.message_count() == before) {
      a.transport().Send(2, "again").IgnoreError();
      std::this_thread::yield();
    }
    b.StopServer();
    b.StartServer(address);
  }
  EXPECT_FALSE(a.Shows("tinykv_transport_reconnects_total 0"));
}

TEST(GrpcTransport, DropsWhatDoesNotFitIntoTheQueue) {
  const DeadPort mute(/*listens=*/true);
  TestStore a(1, {.addresses = {{2, mute.address()}, {3, mute.address()}},
                  .message_bytes_max = 100,
                  .queue_messages_max = 3,
                  .queue_bytes_max = 150,
                  .connect_timeout = kAnHour});
  // The first is not counted: gRPC has it.
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(a.transport().Send(2, "m").ok());
  const absl::Status full = a.transport().Send(2, "m");
  EXPECT_EQ(full, ResourceExhausted("the queue to store 2 is full"));
  EXPECT_TRUE(a.Shows(Dropped("full", 1)));

  const std::string half(75, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(a.transport().Send(3, half).ok());
  EXPECT_EQ(a.transport().Send(3, "m").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(a.Shows(Dropped("full", 2)));
  EXPECT_TRUE(a.Shows("tinykv_transport_queue_messages{store=\"2\"} 3"));
  EXPECT_TRUE(a.Shows("tinykv_transport_queue_bytes{store=\"3\"} 150"));

  EXPECT_EQ(a.transport().Send(3, std::string(101, 'x')).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(a.Shows(Dropped("too_large", 1)));
}

TEST(GrpcTransport, DropsWhatHasWaitedTooLong) {
  const DeadPort dead(/*listens=*/false);
  ManualClock clock;
  TestStore a(1,
              {.addresses = {{2, dead.address()}},
               .queue_messages_max = 2,
               .message_age_max = std::chrono::seconds(5),
               .backoff_min = kAnHour,
               .backoff_max = kAnHour},
              clock);
  EXPECT_TRUE(a.transport().Send(2, "lost with the first attempt").ok());
  a.WaitUntilItShows(kWaiting);
  EXPECT_TRUE(a.Shows(Dropped("broken", 1)));
  EXPECT_TRUE(a.transport().Send(2, "old").ok());
  EXPECT_TRUE(a.transport().Send(2, "old").ok());
  EXPECT_FALSE(a.transport().Send(2, "does not fit").ok());
  clock.Advance(std::chrono::seconds(6));
  EXPECT_TRUE(a.transport().Send(2, "young").ok());
  EXPECT_TRUE(a.Shows(Dropped("too_old", 2)));

  // At a new address it does not wait any longer.
  TestStore b(2);
  b.Receive();
  b.StartServer();
  a.transport().SetAddress(2, b.address());
  EXPECT_EQ(b.WaitForMessages(1), (Messages{{1, "young"}}));
}

TEST(GrpcTransport, FollowsAStoreToItsNewAddress) {
  TestStore a(1), b(2), c(2);
  for (TestStore* store : {&b, &c}) {
    store->Receive();
    store->StartServer();
  }
  a.transport().SetAddress(2, b.address());
  EXPECT_TRUE(a.transport().Send(2, "here").ok());
  b.WaitForMessages(1);
  a.transport().SetAddress(2, c.address());
  while (c.message_count() == 0) {
    a.transport().Send(2, "there").IgnoreError();
    std::this_thread::yield();
  }
}

TEST(GrpcTransport, NoticesThatAPeerAnswersNoPings) {
  DeadPort mute(/*listens=*/true);
  TestStore a(1, {.addresses = {{2, mute.address()}},
                  .backoff_min = kAnHour,
                  .backoff_max = kAnHour,
                  .connect_timeout = kAnHour,
                  .keepalive_interval = std::chrono::milliseconds(20),
                  .keepalive_timeout = std::chrono::milliseconds(20)});
  EXPECT_TRUE(a.transport().Send(2, "m").ok());
  mute.GreetNext();
  a.WaitUntilItShows(kWaiting);
}

TEST(GrpcTransport, KnowsNoUnknownStore) {
  TestStore a(1);
  EXPECT_EQ(a.transport().Send(2, "m"), NotFound("no address is known for store 2"));
  EXPECT_TRUE(a.Shows(Dropped("unknown_store", 1)));
}

TEST(GrpcTransport, RefusesAStreamOfAnotherClusterOrForAnotherStore) {
  TestStore b(2);
  b.Receive();
  b.StartServer();
  TestStore stranger(1, {.cluster_id = 9}), mistaken(1);
  stranger.transport().SetAddress(2, b.address());
  mistaken.transport().SetAddress(3, b.address());
  EXPECT_TRUE(stranger.transport().Send(2, "m").ok());
  EXPECT_TRUE(mistaken.transport().Send(3, "m").ok());
  stranger.WaitUntilItShows("tinykv_transport_streams_refused_by_others_total 1");
  mistaken.WaitUntilItShows("tinykv_transport_streams_refused_by_others_total 1");
  EXPECT_TRUE(b.Shows("tinykv_transport_streams_refused_total 2"));
  EXPECT_EQ(b.message_count(), 0u);

  const grpc::Status cluster = OpenRaft(b.address(), {{kClusterIdKey, "9"}, {kToStoreIdKey, "2"}});
  EXPECT_EQ(cluster.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(cluster.error_message(),
            "the stream is of cluster 9, and this is store 2 of cluster 7");
  const grpc::Status store = OpenRaft(b.address(), {{kClusterIdKey, "7"}, {kToStoreIdKey, "3"}});
  EXPECT_EQ(store.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(store.error_message(), "the stream is meant for store 3, and this is store 2");
  const grpc::Status garbled = OpenRaft(b.address(), {{kClusterIdKey, "7x"}});
  EXPECT_EQ(garbled.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(b.message_count(), 0u);
}

TEST(GrpcTransport, TakesAStreamOfAStoreThatDoesNotSayWhoItIs) {
  TestStore b(2);
  b.Receive();
  b.StartServer();
  EXPECT_TRUE(OpenRaft(b.address(), {}).ok());
  const Messages received = b.WaitForMessages(1);
  EXPECT_EQ(received[0].first, 0u);
  raft_serverpb::RaftMessage message;
  EXPECT_TRUE(message.ParseFromString(received[0].second));
  EXPECT_EQ(message.region_id(), 17u);
}

TEST(GrpcTransport, RefusesMessagesWhereNobodyReceives) {
  TestStore b(2);
  b.StartServer();
  EXPECT_EQ(OpenRaft(b.address(), {}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(GrpcTransport, EndsWithOpenStreams) {
  for (const bool server_first : {true, false}) {
    TestStore a(1), b(2);
    b.Receive();
    b.StartServer();
    a.transport().SetAddress(2, b.address());
    EXPECT_TRUE(a.transport().Send(2, "m").ok());
    b.WaitForMessages(1);
    if (server_first) b.StopServer();
    a.DestroyTransport();
  }
}

TEST(GrpcTransport, EndsWhileItConnectsOrWaits) {
  for (const bool listens : {true, false}) {
    const DeadPort dead(listens);
    TestStore a(1, {.addresses = {{2, dead.address()}},
                    .backoff_min = kAnHour,
                    .backoff_max = kAnHour,
                    .connect_timeout = kAnHour});
    EXPECT_TRUE(a.transport().Send(2, "m").ok());
    if (!listens) a.WaitUntilItShows(kWaiting);
  }
}

}  // namespace
}  // namespace tinykv
