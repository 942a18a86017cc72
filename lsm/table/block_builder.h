// BlockBuilder: sorted entries as the bytes of one block.
//
// An entry leaves out what its key shares with the key before. Every `restart_interval`-th entry
// has its whole key: there a search may start. docs/formats/table.md draws it.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinykv::lsm {

class BlockBuilder {
 public:
  // REQUIRES: restart_interval > 0.
  explicit BlockBuilder(int restart_interval);

  // REQUIRES: `key` comes after every key added since the last Reset().
  void Add(std::string_view key, std::string_view value);

  // The bytes of the block, which live until Reset(). REQUIRES: at least one Add().
  std::string_view Finish();

  // Starts the next block.
  void Reset();

  bool empty() const { return restarts_.empty(); }
  // What Finish() would return.
  size_t size_bytes() const { return block_.size() + (restarts_.size() + 1) * sizeof(uint32_t); }

 private:
  const int restart_interval_;
  std::string block_;
  std::vector<uint32_t> restarts_;  // offsets of the entries with whole keys
  int entries_since_restart_ = 0;
  std::string last_key_;
};

}  // namespace tinykv::lsm
