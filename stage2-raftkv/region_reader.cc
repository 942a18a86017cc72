#include "stage2-raftkv/region_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/status.h"
#include "stage1-standalone/engine_access.h"
#include "stage2-raftkv/raftstore/region.h"

namespace tinykv {
namespace {

class RegionReader final : public StorageReader {
 public:
  RegionReader(lsm::DB& kv, metapb::Region region, std::unique_ptr<const lsm::Snapshot> snapshot)
      : kv_(kv), region_(std::move(region)), snapshot_(std::move(snapshot)) {}

  absl::StatusOr<std::optional<std::string>> Get(ColumnFamily column_family,
                                                 std::string_view key) override {
    TKV_RETURN_IF_ERROR(raftstore::CheckKey(key, region_));
    return kv_.Get({.snapshot = snapshot_.get()}, EngineId(column_family), key);
  }

  std::unique_ptr<StorageIterator> NewIterator(ColumnFamily column_family,
                                               const IterateOptions& options) override {
    // The narrower of the region's bounds and those that are asked for.
    std::string lower = std::max(options.lower_bound.value_or(""), region_.start_key());
    std::optional<std::string> upper = raftstore::EndOf(region_);
    if (options.upper_bound && (!upper || *options.upper_bound < *upper)) {
      upper = options.upper_bound;
    }
    return std::make_unique<EngineIterator>(kv_.NewIterator({.snapshot = snapshot_.get(),
                                                             .lower_bound = std::move(lower),
                                                             .upper_bound = std::move(upper)},
                                                            EngineId(column_family)));
  }

 private:
  lsm::DB& kv_;
  const metapb::Region region_;
  std::unique_ptr<const lsm::Snapshot> snapshot_;
};

}  // namespace

std::unique_ptr<StorageReader> MakeRegionReader(lsm::DB& kv, metapb::Region region,
                                                std::unique_ptr<const lsm::Snapshot> snapshot) {
  return std::make_unique<RegionReader>(kv, std::move(region), std::move(snapshot));
}

}  // namespace tinykv
