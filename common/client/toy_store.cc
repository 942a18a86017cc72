#include "common/client/toy_store.h"

#include <algorithm>

#include <grpcpp/server_builder.h>

#include "common/check.h"
#include "common/storage/region_error.h"
#include "common/strings.h"

namespace tinykv {

ToyStore::ToyStore(uint16_t port) {
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);  // no limit
  builder.AddListeningPort(Concat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  TKV_CHECK(server_ != nullptr);
}

ToyStore::~ToyStore() {
  Release();
  server_->Shutdown();
  server_->Wait();
}

std::string ToyStore::address() const { return Concat("127.0.0.1:", port_); }

void ToyStore::Follow(const Plan& plan) {
  MutexLock lock(mutex_);
  plan_ = plan;
}

void ToyStore::Hold() {
  MutexLock lock(mutex_);
  hold_ = true;
}

void ToyStore::Release() {
  MutexLock lock(mutex_);
  hold_ = false;
  changed_.NotifyAll();
}

void ToyStore::WaitForHeld(uint64_t count) {
  MutexLock lock(mutex_);
  TKV_CHECK(hold_);
  while (inside_ < count) changed_.Wait(mutex_);
}

void ToyStore::LimitPages(uint32_t pairs_max) {
  MutexLock lock(mutex_);
  page_pairs_max_ = pairs_max;
}

void ToyStore::Report(const kvrpcpb::StoreStatusResponse& status) {
  MutexLock lock(mutex_);
  status_ = status;
}

uint64_t ToyStore::requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

uint64_t ToyStore::requests_at_once_max() const {
  MutexLock lock(mutex_);
  return inside_max_;
}

std::map<std::string, std::string> ToyStore::contents(ColumnFamily column_family) const {
  MutexLock lock(mutex_);
  return pairs_[static_cast<size_t>(column_family)];
}

grpc::Status ToyStore::RawGet(Context*, const kvrpcpb::RawGetRequest* request,
                              kvrpcpb::RawGetResponse* response) {
  return Handle(*request, response, [&](Pairs& pairs) {
    const auto found = pairs.find(request->key());
    response->set_not_found(found == pairs.end());
    if (found != pairs.end()) response->set_value(found->second);
  });
}

grpc::Status ToyStore::RawPut(Context*, const kvrpcpb::RawPutRequest* request,
                              kvrpcpb::RawPutResponse* response) {
  return Handle(*request, response,
                [&](Pairs& pairs) { pairs[request->key()] = request->value(); });
}

grpc::Status ToyStore::RawDelete(Context*, const kvrpcpb::RawDeleteRequest* request,
                                 kvrpcpb::RawDeleteResponse* response) {
  return Handle(*request, response, [&](Pairs& pairs) { pairs.erase(request->key()); });
}

grpc::Status ToyStore::RawScan(Context*, const kvrpcpb::RawScanRequest* request,
                               kvrpcpb::RawScanResponse* response) {
  return Handle(*request, response, [&](Pairs& pairs) {
    mutex_.AssertHeld();
    const uint32_t limit = std::min(request->limit(), page_pairs_max_);
    auto pair = pairs.lower_bound(request->start_key());
    for (uint32_t i = 0; i < limit && pair != pairs.end(); ++i, ++pair) {
      kvrpcpb::KvPair* out = response->add_kvs();
      out->set_key(pair->first);
      out->set_value(pair->second);
    }
  });
}

grpc::Status ToyStore::StoreStatus(Context*, const kvrpcpb::StoreStatusRequest*,
                                   kvrpcpb::StoreStatusResponse* response) {
  MutexLock lock(mutex_);
  if (!status_) return {grpc::StatusCode::UNIMPLEMENTED, "the toy knows no regions"};
  *response = *status_;
  return grpc::Status::OK;
}

grpc::Status ToyStore::Backup(Context*, const kvrpcpb::BackupRequest* request,
                              kvrpcpb::BackupResponse* response) {
  response->set_store_id(1);
  response->set_directory(Concat("/toy/", request->name()));
  response->set_applied(9);
  response->set_bytes(30);
  return grpc::Status::OK;
}

template <typename Request, typename Response, typename Serve>
grpc::Status ToyStore::Handle(const Request& request, Response* response, const Serve& serve) {
  MutexLock lock(mutex_);
  ++requests_;
  inside_max_ = std::max(inside_max_, ++inside_);
  changed_.NotifyAll();
  while (hold_) changed_.Wait(mutex_);
  --inside_;
  const auto column_family = ParseColumnFamily(request.cf());
  TKV_CHECK(column_family.ok());
  switch (const Failure failure = NextFailure()) {
    case Failure::kNone:
      serve(pairs_[static_cast<size_t>(*column_family)]);
      break;
    case Failure::kUnavailable:
      return {grpc::StatusCode::UNAVAILABLE, "the toy is broken"};
    case Failure::kCancelled:
      return {grpc::StatusCode::CANCELLED, "the toy stops"};
    case Failure::kRefusal:
      response->set_error("the toy says no");
      break;
    default:
      *response->mutable_region_error() = RegionErrorFor(failure);
      break;
  }
  return grpc::Status::OK;
}

errorpb::Error ToyStore::RegionErrorFor(Failure failure) const {
  errorpb::Error error;
  if (failure == Failure::kBusy) return *RegionErrorOf(ServerIsBusy("the toy plays"));
  if (failure == Failure::kStale) {
    error.set_message("the toy forgot");
    error.mutable_stale_command();
  } else if (failure == Failure::kOtherRegion) {
    error.set_message("the toy was split");
    error.mutable_epoch_not_match();
  } else {
    error.set_message("the toy does not lead");
    error.mutable_not_leader()->set_leader_address(plan_.leader);
  }
  return error;
}

ToyStore::Failure ToyStore::NextFailure() {
  if (plan_.healthy > 0) {
    --plan_.healthy;
    return Failure::kNone;
  }
  if (plan_.failing == 0) return Failure::kNone;
  --plan_.failing;
  return plan_.failure;
}

}  // namespace tinykv
