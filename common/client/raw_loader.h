// RawLoader: many puts in flight at once, for loading data.
//
//   RawLoader loader(client, {});
//   for (…) TKV_RETURN_IF_ERROR(loader.Put(key, value));
//   TKV_RETURN_IF_ERROR(loader.Finish());
//
// Invariants:
//   1. The puts in flight, those that wait to be tried again included, are within the window.
//   2. No two of them have the same key. So a key that is loaded twice ends with the later value;
//      between different keys there is no order.
//   3. After the first failed put no other is started.
//
// A load that failed may be repeated from its beginning: puts do no harm when they are done twice.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "absl/status/status.h"
#include "common/client/raw_client.h"
#include "common/mutex.h"
#include "common/storage/column_family.h"

namespace tinykv {

struct RawLoaderOptions {
  ColumnFamily column_family = ColumnFamily::kDefault;

  // The window. A single put may be larger than all of puts_bytes_max; it is then alone.
  uint64_t puts_max = 256;
  uint64_t puts_bytes_max = 32 << 20;  // of keys and values

  // Called often, by the thread that is inside Put() or Finish(), with the number of puts that the
  // store has acknowledged.
  std::function<void(uint64_t acknowledged)> on_progress = {};
};

class RawLoader {
 public:
  // `client` must outlive the loader.
  RawLoader(RawClient& client, RawLoaderOptions options);
  ~RawLoader();  // waits for the puts in flight

  RawLoader(const RawLoader&) = delete;
  RawLoader& operator=(const RawLoader&) = delete;

  // Starts a put; waits while there is no room for it in the window.
  // Errors: those of RawClient::Put(), of this or any earlier put, and kept: every later call
  // returns the same one.
  absl::Status Put(std::string_view key, std::string_view value);

  // Waits until every put is answered. OK means that all are acknowledged; the loader can then go
  // on. Errors: as Put(). What was in flight beside the failed put has been answered, too, so
  // acknowledged() does not change any more.
  absl::Status Finish();

  // The puts that the store has acknowledged.
  uint64_t acknowledged() const;

 private:
  bool HasRoom(const std::string& key, uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits for a place in the window and takes it.
  absl::Status EnterWindow(const std::string& key, uint64_t bytes);
  void LeaveWindow(const std::string& key, uint64_t bytes, const absl::Status& status);
  void ReportProgress() const;

  RawClient& client_;
  const RawLoaderOptions options_;

  mutable Mutex mutex_;
  CondVar answered_;
  std::unordered_set<std::string> keys_in_flight_ ABSL_GUARDED_BY(mutex_);
  uint64_t bytes_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);  // the first one
};

}  // namespace tinykv
