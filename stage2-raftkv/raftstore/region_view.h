// RegionView: what threads other than the store's actor may know of a region, and how a leader's
// reads are served without asking that actor.
//
// While its lease holds nobody else can have become leader (thesis 6.4.1), so every write that was
// acknowledged is in this store's kv engine: it was applied here before it was answered, or by an
// earlier leader, before this one applied its first entry. A read takes a snapshot of the engine
// first and asks whether the lease holds second: then it held when the snapshot was taken.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <map>
#include <memory>

#include "common/env/clock.h"
#include "common/mutex.h"
#include "proto/metapb.pb.h"
#include "stage2-raftkv/raft/types.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

struct RegionView {
  RegionView(metapb::Region region, metapb::Peer self, raft::Term in_term)
      : description(std::move(region)), peer(std::move(self)), term(in_term) {}

  const metapb::Region description;
  const metapb::Peer peer;
  const raft::Term term;

  // The actor says until when; 0: not at all.
  void SetLease(Duration until) { lease_until_.store(until.count(), std::memory_order_release); }
  bool HoldsLease(Duration now) const {
    return now.count() < lease_until_.load(std::memory_order_acquire);
  }

 private:
  std::atomic<int64_t> lease_until_{0};
};

class RegionViews {
 public:
  // Null if the store has no peer of it. Region 0: the only region of the store, if there is one.
  std::shared_ptr<const RegionView> Find(RegionId region) const {
    MutexLock lock(mutex_);
    if (region == 0) return views_.size() == 1 ? views_.begin()->second : nullptr;
    const auto found = views_.find(region);
    return found == views_.end() ? nullptr : found->second;
  }

  // The store serves nothing any more.
  void Clear() {
    MutexLock lock(mutex_);
    for (const auto& [region, view] : views_) view->SetLease({});
    views_.clear();
  }

  void Replace(std::shared_ptr<RegionView> view) {
    MutexLock lock(mutex_);
    std::shared_ptr<RegionView>& place = views_[view->description.id()];
    if (place != nullptr) place->SetLease({});
    place = std::move(view);
  }

 private:
  mutable Mutex mutex_;
  std::map<RegionId, std::shared_ptr<RegionView>> views_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::raftstore
