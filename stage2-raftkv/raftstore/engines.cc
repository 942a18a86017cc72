#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {
namespace {

// As in TinyKV. What is about one region has its number behind the kind, so that regions are apart.
enum Kind : char { kIdent = 1, kOfRegion = 2, kRegionState = 3 };
enum Suffix : char { kLogEntry = 1, kRaftState = 2, kApplyState = 3, kRejoinState = 4 };
constexpr char kLocal = 1;

// Big-endian: ordered as bytes like the numbers are.
void PutNumber(std::string& key, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
}

std::string KeyOfRegion(RegionId region, Suffix suffix) {
  std::string key = {kLocal, kOfRegion};
  PutNumber(key, region);
  key.push_back(suffix);
  return key;
}

}  // namespace

std::vector<std::string> RaftColumnFamilies() { return {"default"}; }

std::vector<std::string> KvColumnFamilies() {
  std::vector<std::string> names(kColumnFamilyNames.begin(), kColumnFamilyNames.end());
  names.emplace_back("meta");
  return names;
}

std::string StoreIdentKey() { return {kLocal, kIdent}; }

std::string LogKey(RegionId region, raft::Index index) {
  std::string key = KeyOfRegion(region, kLogEntry);
  PutNumber(key, index);
  return key;
}

std::string RaftStateKey(RegionId region) { return KeyOfRegion(region, kRaftState); }

std::string RejoinStateKey(RegionId region) { return KeyOfRegion(region, kRejoinState); }

std::string ApplyStateKey(RegionId region) { return KeyOfRegion(region, kApplyState); }

std::string RegionStateKey(RegionId region) {
  std::string key = {kLocal, kRegionState};
  PutNumber(key, region);
  return key;
}

std::string FirstRegionStateKey() { return RegionStateKey(0); }

std::string EndRegionStateKey() { return {kLocal, kRegionState + 1}; }

}  // namespace tinykv::raftstore
