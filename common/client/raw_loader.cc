#include "common/client/raw_loader.h"

#include <utility>

#include "common/client/connection.h"
#include "common/client/raw_status.h"
#include "common/status.h"

namespace tinykv {

RawLoader::RawLoader(RawClient& client, RawLoaderOptions options)
    : client_(client), options_(std::move(options)) {}

RawLoader::~RawLoader() {
  MutexLock lock(mutex_);
  while (!keys_in_flight_.empty()) answered_.Wait(mutex_);
}

absl::Status RawLoader::Put(std::string_view key, std::string_view value) {
  kvrpcpb::RawPutRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_cf(std::string(NameOf(options_.column_family)));
  const uint64_t bytes = key.size() + value.size();
  TKV_RETURN_IF_ERROR(EnterWindow(request.key(), bytes));
  client_.connection_->Start<kvrpcpb::RawPutRequest, kvrpcpb::RawPutResponse>(
      &Connection::Rpcs::RawPut, std::move(request),
      [this, key = std::string(key),
       bytes](const absl::StatusOr<kvrpcpb::RawPutResponse>& response) {
        LeaveWindow(key, bytes, RawWriteStatusOf(response));
      });
  ReportProgress();
  return absl::OkStatus();
}

absl::Status RawLoader::Finish() {
  while (true) {
    {
      MutexLock lock(mutex_);
      if (keys_in_flight_.empty()) return error_;
      answered_.Wait(mutex_);
    }
    ReportProgress();
  }
}

uint64_t RawLoader::acknowledged() const {
  MutexLock lock(mutex_);
  return acknowledged_;
}

bool RawLoader::HasRoom(const std::string& key, uint64_t bytes) const {
  if (keys_in_flight_.empty()) return true;
  return keys_in_flight_.size() < options_.puts_max &&
         bytes_in_flight_ + bytes <= options_.puts_bytes_max && !keys_in_flight_.contains(key);
}

absl::Status RawLoader::EnterWindow(const std::string& key, uint64_t bytes) {
  MutexLock lock(mutex_);
  while (error_.ok() && !HasRoom(key, bytes)) answered_.Wait(mutex_);
  TKV_RETURN_IF_ERROR(error_);
  keys_in_flight_.insert(key);
  bytes_in_flight_ += bytes;
  return absl::OkStatus();
}

void RawLoader::LeaveWindow(const std::string& key, uint64_t bytes, const absl::Status& status) {
  MutexLock lock(mutex_);
  keys_in_flight_.erase(key);
  bytes_in_flight_ -= bytes;
  if (status.ok()) {
    ++acknowledged_;
  } else if (error_.ok()) {
    error_ = Annotate(status, Concat("put of ", Quote(key)));
  }
  // Under the lock: as soon as it is free, ~RawLoader() may return.
  answered_.NotifyAll();
}

void RawLoader::ReportProgress() const {
  if (options_.on_progress) options_.on_progress(acknowledged());
}

}  // namespace tinykv
