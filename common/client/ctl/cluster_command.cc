#include "common/client/ctl/cluster_command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/client/cluster_status.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, 12> kColumns = {"store", "address", "role",   "term",
                                                  "first", "last",    "commit", "applied",
                                                  "lag",   "region",  "epoch",  "keys"};
using Row = std::vector<std::string>;

// The entries that the leader knows to be decided and that this peer has not applied. Nothing if
// nobody leads. The leader may have been asked a moment earlier: then that is none.
std::optional<uint64_t> LagOf(const ClusterStatus& cluster, const kvrpcpb::PeerStatus& peer) {
  const RegionLeader* leader = cluster.LeaderOf(peer.region().id());
  if (leader == nullptr || leader->store_id == 0) return std::nullopt;
  return leader->committed - std::min(leader->committed, peer.applied());
}

std::string KeysText(const metapb::Region& region) {
  if (region.start_key().empty() && region.end_key().empty()) return "all";
  const std::string from = region.start_key().empty() ? "" : "from " + Quote(region.start_key());
  if (region.end_key().empty()) return from;
  return Concat(from, from.empty() ? "" : " ", "up to ", Quote(region.end_key()));
}

Row RowOf(const ClusterStatus& cluster, const StoreCondition& store,
          const kvrpcpb::PeerStatus& peer) {
  const metapb::RegionEpoch& epoch = peer.region().region_epoch();
  const auto lag = LagOf(cluster, peer);
  return {std::to_string(store.store_id),
          store.address,
          peer.role(),
          std::to_string(peer.term()),
          std::to_string(peer.first_index()),
          std::to_string(peer.last_index()),
          std::to_string(peer.committed()),
          std::to_string(peer.applied()),
          lag ? std::to_string(*lag) : "-",
          std::to_string(peer.region().id()),
          Concat(epoch.conf_ver(), "/", epoch.version()),
          KeysText(peer.region())};
}

// Why a store has no peers to show. The message need not say the address again.
std::string TroubleOf(const StoreCondition& store) {
  if (store.error.ok()) return "has no region";
  std::string_view why = MessageOf(store.error);
  const std::string prefix = store.address + ": ";
  if (why.starts_with(prefix)) why.remove_prefix(prefix.size());
  return Concat(absl::IsUnimplemented(store.error) ? "tells nothing: " : "does not answer: ", why);
}

// Cells under one another; what is longer than a row's last cell may be.
void PrintTable(Session& session, const std::vector<Row>& rows) {
  std::vector<size_t> widths(kColumns.size());
  for (const Row& row : rows) {
    if (row.size() < kColumns.size()) continue;  // a sentence in the place of cells
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 == row.size()) break;
      const size_t width = std::max(widths[i], row[i].size());
      line += std::string(width - row[i].size() + 2, ' ');
    }
    session.out << line << '\n';
  }
}

void PrintText(Session& session, const ClusterStatus& cluster) {
  std::vector<Row> rows = {Row(kColumns.begin(), kColumns.end())};
  for (const StoreCondition& store : cluster.stores) {
    for (const auto& peer : store.status.peers()) rows.push_back(RowOf(cluster, store, peer));
    const std::string id = store.store_id == 0 ? "?" : std::to_string(store.store_id);
    if (store.status.peers().empty()) rows.push_back({id, store.address, TroubleOf(store)});
    if (!store.status.stopped().empty()) {
      rows.push_back({id, store.address, Concat("has stopped: ", store.status.stopped())});
    }
  }
  PrintTable(session, rows);
  for (const RegionLeader& region : cluster.regions) {
    session.out << "region " << region.region_id << ": ";
    if (region.store_id == 0) {
      session.out << "no store leads it\n";
    } else {
      session.out << "store " << region.store_id << " leads it in term " << region.term << '\n';
    }
  }
}

Json JsonOf(const ClusterStatus& cluster, const kvrpcpb::PeerStatus& peer) {
  const auto lag = LagOf(cluster, peer);
  return {{"region", peer.region().id()},
          {"start", Escape(peer.region().start_key())},
          {"end", Escape(peer.region().end_key())},
          {"version", peer.region().region_epoch().version()},
          {"conf_ver", peer.region().region_epoch().conf_ver()},
          {"role", peer.role()},
          {"term", peer.term()},
          {"first_index", peer.first_index()},
          {"last_index", peer.last_index()},
          {"committed", peer.committed()},
          {"applied", peer.applied()},
          {"lag", lag ? Json(*lag) : Json()}};
}

void PrintObjects(Session& session, const ClusterStatus& cluster) {
  for (const StoreCondition& store : cluster.stores) {
    Json object = {
        {"store", store.store_id}, {"address", store.address}, {"answers", store.error.ok()}};
    if (!store.error.ok()) {
      object["error"] = std::string(MessageOf(store.error));
      object["code"] = absl::StatusCodeToString(store.error.code());
    } else {
      object["stopped"] = store.status.stopped();
      object["peers"] = Json::array();
      for (const auto& peer : store.status.peers()) {
        object["peers"].push_back(JsonOf(cluster, peer));
      }
    }
    session.PrintJson(object);
  }
  for (const RegionLeader& region : cluster.regions) {
    session.PrintJson(
        {{"region", region.region_id}, {"leader", region.store_id}, {"term", region.term}});
  }
}

}  // namespace

ExitCode RunCluster(Session& session, const Arguments& /*arguments*/) {
  const auto cluster = ReadClusterStatus(session.options);
  if (!cluster.ok()) return session.Fail(cluster.status());
  if (session.json) {
    PrintObjects(session, *cluster);
  } else {
    PrintText(session, *cluster);
  }
  return cluster->IsWhole() ? ExitCode::kOk : ExitCode::kNotFound;
}

}  // namespace tinykv::ctl
