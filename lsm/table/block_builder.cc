#include "lsm/table/block_builder.h"

#include <algorithm>

#include "common/check.h"
#include "common/coding.h"

namespace tinykv::lsm {
namespace {

size_t SharedPrefixBytes(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t shared = 0;
  while (shared < shorter && a[shared] == b[shared]) ++shared;
  return shared;
}

}  // namespace

BlockBuilder::BlockBuilder(int restart_interval) : restart_interval_(restart_interval) {
  TKV_CHECK(restart_interval > 0);
}

void BlockBuilder::Add(std::string_view key, std::string_view value) {
  size_t shared = 0;
  if (restarts_.empty() || entries_since_restart_ == restart_interval_) {
    restarts_.push_back(static_cast<uint32_t>(block_.size()));
    entries_since_restart_ = 0;
  } else {
    shared = SharedPrefixBytes(last_key_, key);
  }
  ++entries_since_restart_;

  const std::string_view own = key.substr(shared);
  char head[3 * kMaxVarint64Bytes];
  char* end = EncodeVarint64(head, shared);
  end = EncodeVarint64(end, own.size());
  end = EncodeVarint64(end, value.size());
  block_.append(head, end - head);
  block_.append(own);
  block_.append(value);

  last_key_.resize(shared);
  last_key_.append(own);
}

std::string_view BlockBuilder::Finish() {
  TKV_CHECK(!empty());
  for (const uint32_t restart : restarts_) PutFixed32(&block_, restart);
  PutFixed32(&block_, static_cast<uint32_t>(restarts_.size()));
  return block_;
}

void BlockBuilder::Reset() {
  block_.clear();
  restarts_.clear();  // so that the next entry is a restart, and depends on nothing before it
}

}  // namespace tinykv::lsm
