#include "stage2-raftkv/raftstore/disk_room.h"

#include "common/log.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/strings.h"

namespace tinykv::raftstore {
namespace {

constexpr Duration kInterval = std::chrono::seconds(1);

}  // namespace

void DiskRoom::Check(Duration now) {
  if (options_.reserve_bytes == 0 || (checked_at_ && now - *checked_at_ < kInterval)) return;
  checked_at_ = now;
  const absl::StatusOr<uint64_t> found = options_.free_bytes();
  // A disk that cannot say it has other troubles, which show by themselves.
  if (!found.ok()) return;
  const bool was_full = !MayPropose().ok();
  free_bytes_.store(*found);
  const absl::Status full = MayPropose();
  if (!full.ok() && !was_full) log::Warning("writes are refused", {{"why", MessageOf(full)}});
  if (full.ok() && was_full) {
    log::Info("there is room again", {{"directory", options_.directory}, {"free_bytes", *found}});
  }
}

absl::Status DiskRoom::MayPropose() const {
  const uint64_t free_bytes = free_bytes_.load();
  if (free_bytes >= options_.reserve_bytes) return absl::OkStatus();
  return ServerIsBusy(Concat("the disk of ", options_.directory, " has ", free_bytes,
                             " bytes free, and the store keeps ", options_.reserve_bytes,
                             " of them in reserve"));
}

}  // namespace tinykv::raftstore
