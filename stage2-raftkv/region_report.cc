#include "stage2-raftkv/region_report.h"

#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "stage2-raftkv/raftstore/region.h"

namespace tinykv {
namespace {

RegionReport ReportOf(const raftstore::Peer& peer) {
  const raft::RaftCore& core = peer.core();
  const metapb::Peer* leader = raftstore::FindPeer(peer.region(), core.leader());
  return {.region = peer.region(),
          .role = core.role(),
          .term = core.term(),
          .leader_store = leader == nullptr ? 0 : leader->store_id(),
          .first_index = core.log().first_index(),
          .last_index = core.log().last_index(),
          .committed = core.log().committed(),
          .applied = peer.applied().index,
          .waiting_commands = peer.waiting_commands(),
          .waiting_reads = peer.waiting_reads(),
          .rejoining = peer.rejoin() == nullptr ? "" : peer.rejoin()->Describe()};
}

struct Field {
  const char* metric_name;
  const char* help;
  uint64_t (*value)(const RegionReport& report);
};

constexpr Field kGauges[] = {
    {"tinykv_raft_leader", "1 if this store leads the region, else 0.",
     [](const RegionReport& r) -> uint64_t { return r.role == raft::Role::kLeader ? 1 : 0; }},
    {"tinykv_raft_leader_store", "The store that leads the region; 0 while none is known.",
     [](const RegionReport& r) -> uint64_t { return r.leader_store; }},
    {"tinykv_raft_term", "Grows with each election.",
     [](const RegionReport& r) -> uint64_t { return r.term; }},
    {"tinykv_raft_committed_index", "Up to which entry the log is decided.",
     [](const RegionReport& r) -> uint64_t { return r.committed; }},
    {"tinykv_raft_applied_index", "Up to which entry the log is applied here.",
     [](const RegionReport& r) -> uint64_t { return r.applied; }},
    {"tinykv_raft_last_index", "The last entry of the log.",
     [](const RegionReport& r) -> uint64_t { return r.last_index; }},
    {"tinykv_raft_log_entries", "Entries of the log that are not compacted.",
     [](const RegionReport& r) -> uint64_t { return r.last_index + 1 - r.first_index; }},
    {"tinykv_raft_waiting_commands", "Commands that wait to be committed.",
     [](const RegionReport& r) -> uint64_t { return r.waiting_commands; }},
    {"tinykv_raft_waiting_reads", "Reads that wait until they may be served.",
     [](const RegionReport& r) -> uint64_t { return r.waiting_reads; }},
    {"tinykv_raft_rejoining", "1 while this store has lost its disk and may not vote, else 0.",
     [](const RegionReport& r) -> uint64_t { return r.rejoining.empty() ? 0 : 1; }},
};

}  // namespace

std::string_view NameOf(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "";
}

std::vector<RegionReport> ReportsOf(
    const std::map<raftstore::RegionId, std::unique_ptr<raftstore::Peer>>& peers) {
  std::vector<RegionReport> reports;
  for (const auto& [region, peer] : peers) reports.push_back(ReportOf(*peer));
  return reports;
}

std::optional<std::vector<RegionReport>> ReportRegions(raftstore::Store& store, Duration patience) {
  // Shared with the actor, which may answer when nobody waits any more.
  auto promise = std::make_shared<std::promise<std::vector<RegionReport>>>();
  auto reports = promise->get_future();
  store.Inspect([promise](const auto& peers) { promise->set_value(ReportsOf(peers)); });
  if (reports.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return reports.get();
}

void CollectRegionMetrics(const std::vector<RegionReport>& reports, MetricSink& sink) {
  for (const RegionReport& report : reports) {
    const MetricSink::Labels labels = {{"region", std::to_string(report.region.id())}};
    for (const Field& field : kGauges) {
      sink.Gauge(field.metric_name, field.help, static_cast<double>(field.value(report)), labels);
    }
  }
}

nlohmann::json RegionStatus(const std::vector<RegionReport>& reports) {
  nlohmann::json regions = nlohmann::json::array();
  for (const RegionReport& report : reports) {
    nlohmann::json peers = nlohmann::json::array();
    for (const metapb::Peer& peer : report.region.peers()) {
      peers.push_back({{"id", peer.id()}, {"store_id", peer.store_id()}});
    }
    regions.push_back({{"id", report.region.id()},
                       {"role", NameOf(report.role)},
                       {"term", report.term},
                       {"leader_store", report.leader_store},
                       {"first_index", report.first_index},
                       {"last_index", report.last_index},
                       {"committed", report.committed},
                       {"applied", report.applied},
                       {"waiting_commands", report.waiting_commands},
                       {"waiting_reads", report.waiting_reads},
                       {"rejoining", report.rejoining},
                       {"peers", std::move(peers)}});
  }
  return regions;
}

}  // namespace tinykv
