#include "stage2-raftkv/raftstore/region.h"

#include <utility>

#include "common/status.h"
#include "common/storage/region_error.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

template <typename Predicate>
const metapb::Peer* FindIf(const metapb::Region& region, Predicate predicate) {
  for (const metapb::Peer& peer : region.peers()) {
    if (predicate(peer)) return &peer;
  }
  return nullptr;
}

}  // namespace

const metapb::Peer* FindPeer(const metapb::Region& region, raft::PeerId id) {
  return FindIf(region, [id](const metapb::Peer& peer) { return peer.id() == id; });
}

const metapb::Peer* FindPeerOnStore(const metapb::Region& region, StoreId store) {
  return FindIf(region, [store](const metapb::Peer& peer) { return peer.store_id() == store; });
}

raft::Membership MembersOf(const metapb::Region& region) {
  raft::Membership members;
  for (const metapb::Peer& peer : region.peers()) members.insert(peer.id());
  return members;
}

std::optional<std::string> EndOf(const metapb::Region& region) {
  if (region.end_key().empty()) return std::nullopt;
  return region.end_key();
}

absl::StatusOr<std::vector<raft_serverpb::RegionLocalState>> ReadRegionStates(lsm::DB& kv) {
  std::vector<raft_serverpb::RegionLocalState> states;
  const auto iterator = kv.NewIterator(
      {.lower_bound = FirstRegionStateKey(), .upper_bound = EndRegionStateKey()}, kMetaFamily);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    TKV_ASSIGN_OR_RETURN(auto state, ParseStored<raft_serverpb::RegionLocalState>(
                                         iterator->value(), "the state of a region"));
    states.push_back(std::move(state));
  }
  TKV_RETURN_IF_ERROR(iterator->status());
  return states;
}

bool Contains(const metapb::Region& region, std::string_view key) {
  return key >= region.start_key() && (region.end_key().empty() || key < region.end_key());
}

std::string NameOf(RegionId region) { return Concat("region ", region); }

absl::Status RegionNotFound(RegionId region, StoreId store) {
  errorpb::Error error;
  error.set_message(Concat("store ", store, " has no peer of region ", region));
  error.mutable_region_not_found()->set_region_id(region);
  return RegionErrorStatus(error);
}

absl::Status StoreNotMatch(StoreId wanted, StoreId actual) {
  errorpb::Error error;
  error.set_message(Concat("the request is for store ", wanted, ", this is store ", actual));
  error.mutable_store_not_match()->set_request_store_id(wanted);
  error.mutable_store_not_match()->set_actual_store_id(actual);
  return RegionErrorStatus(error);
}

absl::Status NotLeader(RegionId region, const metapb::Peer* leader) {
  errorpb::Error error;
  error.mutable_not_leader()->set_region_id(region);
  if (leader == nullptr) {
    error.set_message(
        Concat("this peer of region ", region, " does not lead, and knows no leader"));
  } else {
    error.set_message(Concat("region ", region, " is led by peer ", leader->id(), " on store ",
                             leader->store_id()));
    *error.mutable_not_leader()->mutable_leader() = *leader;
  }
  return RegionErrorStatus(error);
}

absl::Status StaleCommand(std::string_view why) {
  errorpb::Error error;
  error.set_message(Concat("stale command: ", why));
  error.mutable_stale_command();
  return RegionErrorStatus(error);
}

absl::Status EpochNotMatch(const metapb::Region& region) {
  const metapb::RegionEpoch& epoch = region.region_epoch();
  errorpb::Error error;
  error.set_message(Concat("region ", region.id(), " is at version ", epoch.version(),
                           ", conf_ver ", epoch.conf_ver()));
  *error.mutable_epoch_not_match()->add_current_regions() = region;
  return RegionErrorStatus(error);
}

absl::Status CheckKey(std::string_view key, const metapb::Region& region) {
  if (Contains(region, key)) return absl::OkStatus();
  errorpb::Error error;
  error.set_message(Concat("key ", Quote(key), " is not in region ", region.id()));
  error.mutable_key_not_in_region()->set_key(std::string(key));
  error.mutable_key_not_in_region()->set_region_id(region.id());
  error.mutable_key_not_in_region()->set_start_key(region.start_key());
  error.mutable_key_not_in_region()->set_end_key(region.end_key());
  return RegionErrorStatus(error);
}

absl::Status CheckKeys(const raft_cmdpb::RaftCmdRequest& command, const metapb::Region& region) {
  for (const raft_cmdpb::Request& request : command.requests()) {
    const std::string& key = request.has_put() ? request.put().key() : request.delete_().key();
    TKV_RETURN_IF_ERROR(CheckKey(key, region));
  }
  return absl::OkStatus();
}

absl::Status CheckVersion(const raft_cmdpb::RaftRequestHeader& header,
                          const metapb::Region& region) {
  if (!header.has_region_epoch()) return absl::OkStatus();
  if (header.region_epoch().version() == region.region_epoch().version()) return absl::OkStatus();
  return EpochNotMatch(region);
}

absl::Status CheckEpoch(const raft_cmdpb::RaftCmdRequest& command, const metapb::Region& region) {
  const raft_cmdpb::AdminCmdType admin = command.admin_request().cmd_type();
  if (!command.header().has_region_epoch() || admin == raft_cmdpb::CompactLog) {
    return absl::OkStatus();
  }
  TKV_RETURN_IF_ERROR(CheckVersion(command.header(), region));
  const bool members_matter = admin != raft_cmdpb::InvalidAdmin;
  if (members_matter &&
      command.header().region_epoch().conf_ver() != region.region_epoch().conf_ver()) {
    return EpochNotMatch(region);
  }
  return absl::OkStatus();
}

}  // namespace tinykv::raftstore
