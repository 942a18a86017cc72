#include "stage2-raftkv/raft_storage.h"

#include <utility>

#include "common/env/coroutine.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/your_code_here.h"
#include "stage1-standalone/engine_access.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/write_command.h"
#include "stage2-raftkv/region_reader.h"

namespace tinykv {

absl::StatusOr<raft_cmdpb::RaftRequestHeader> RaftStorage::HeaderOf(
    const kvrpcpb::Context& context) const {
  if (context.has_peer() && context.peer().store_id() != store_.id()) {
    return raftstore::StoreNotMatch(context.peer().store_id(), store_.id());
  }
  const auto view = store_.views().Find(context.region_id());
  if (view == nullptr) {
    if (!store_.status().ok()) return ServerIsBusy(MessageOf(store_.status()));
    return raftstore::RegionNotFound(context.region_id(), store_.id());
  }
  raft_cmdpb::RaftRequestHeader header;
  header.set_region_id(view->description.id());
  if (context.has_peer()) *header.mutable_peer() = context.peer();
  if (context.has_region_epoch()) *header.mutable_region_epoch() = context.region_epoch();
  header.set_term(context.term());
  return header;
}

asio::awaitable<absl::Status> RaftStorage::Write(const kvrpcpb::Context& context, WriteSet writes) {
  TKV_CO_RETURN_IF_ERROR(CheckKeySizes(writes));
  TKV_CO_ASSIGN_OR_RETURN(raft_cmdpb::RaftRequestHeader header, HeaderOf(context));
  // >>> SOLUTION 2B-write: one command for the whole set; wait until it is applied
  raft_cmdpb::RaftCmdRequest command;
  *command.mutable_header() = std::move(header);
  raftstore::AddRequests(writes, command);
  co_return co_await AwaitCallback<absl::Status>(
      [&](raftstore::CommandDone done) { store_.Propose(std::move(command), std::move(done)); });
  // <<< SOLUTION
}

asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> RaftStorage::Reader(
    const kvrpcpb::Context& context) {
  TKV_CO_ASSIGN_OR_RETURN(raft_cmdpb::RaftRequestHeader header, HeaderOf(context));
  if (auto reader = ReadUnderLease(header)) co_return reader;
  // >>> SOLUTION 2B-read: first the store's word that it may be read, then the snapshot
  absl::StatusOr<metapb::Region> region = co_await AwaitCallback<absl::StatusOr<metapb::Region>>(
      [&](raftstore::ReadDone done) { store_.AskToRead(std::move(header), std::move(done)); });
  TKV_CO_RETURN_IF_ERROR(region.status());
  co_return MakeRegionReader(kv_, *std::move(region), kv_.NewSnapshot());
  // <<< SOLUTION
}

std::unique_ptr<StorageReader> RaftStorage::ReadUnderLease(
    const raft_cmdpb::RaftRequestHeader& header) const {
  const auto view = store_.views().Find(header.region_id());
  if (view == nullptr || !view->HoldsLease(clock_.Now())) return nullptr;
  // What is wrong with such a request, the actor says.
  if (header.has_peer() && header.peer().id() != view->peer.id()) return nullptr;
  if (header.term() > 0 && header.term() != view->term) return nullptr;
  if (!raftstore::CheckVersion(header, view->description).ok()) return nullptr;
  // The snapshot first: the lease that holds after it held when it was taken.
  auto snapshot = kv_.NewSnapshot();
  if (!view->HoldsLease(clock_.Now())) return nullptr;
  return MakeRegionReader(kv_, view->description, std::move(snapshot));
}

}  // namespace tinykv
