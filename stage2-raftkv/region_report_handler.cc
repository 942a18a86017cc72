#include "stage2-raftkv/region_report_handler.h"

#include <vector>

#include "common/env/coroutine.h"
#include "common/status.h"
#include "stage2-raftkv/region_report.h"

namespace tinykv {
namespace {

kvrpcpb::PeerStatus ToProto(const RegionReport& report) {
  kvrpcpb::PeerStatus status;
  *status.mutable_region() = report.region;
  status.set_role(std::string(NameOf(report.role)));
  status.set_term(report.term);
  status.set_leader_store_id(report.leader_store);
  status.set_first_index(report.first_index);
  status.set_last_index(report.last_index);
  status.set_committed(report.committed);
  status.set_applied(report.applied);
  return status;
}

}  // namespace

asio::awaitable<absl::StatusOr<kvrpcpb::StoreStatusResponse>> RegionReportHandler::StoreStatus(
    const kvrpcpb::StoreStatusRequest& /*request*/) {
  using Reports = std::vector<RegionReport>;
  const Reports reports =
      co_await AwaitCallback<Reports>([this](absl::AnyInvocable<void(Reports)> done) {
        store_.Inspect(
            [done = std::move(done)](const auto& peers) mutable { done(ReportsOf(peers)); });
      });
  kvrpcpb::StoreStatusResponse response;
  response.set_cluster_id(cluster_id_);
  response.set_store_id(store_.id());
  for (const auto& [id, address] : addresses_) {
    metapb::Store* store = response.add_stores();
    store->set_id(id);
    store->set_address(address);
  }
  for (const RegionReport& report : reports) *response.add_peers() = ToProto(report);
  const absl::Status health = store_.status();
  if (!health.ok()) {
    response.set_stopped(absl::IsResourceExhausted(health)
                             ? Concat("the disk is full: ", MessageOf(health))
                             : health.ToString());
  }
  co_return response;
}

void InstallStoreStatus(Server& server, RegionReportHandler& handler) {
  server.handlers().store_status = [&handler](const kvrpcpb::StoreStatusRequest& request) {
    return handler.StoreStatus(request);
  };
}

}  // namespace tinykv
