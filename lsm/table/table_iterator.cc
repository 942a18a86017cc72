#include "lsm/table/table_iterator.h"

#include <utility>

#include "common/status.h"
#include "lsm/table/block_iterator.h"
#include "lsm/table/table_format.h"

namespace tinykv::lsm {
namespace {

// Two levels: index_ stands at a block, block_ at an entry of that block.
// Invariant: while Valid(), block_ is over the block that index_ stands at, and status_ is OK.
//
// Thread-safety: none.
class TableIterator final : public Iterator {
 public:
  TableIterator(const BlockReader& blocks, std::string_view index, uint64_t index_offset,
                bool fill_cache)
      : blocks_(blocks), index_offset_(index_offset), fill_cache_(fill_cache), index_(index) {}

  bool Valid() const override { return block_.Valid(); }

  void SeekToFirst() override {
    status_ = absl::OkStatus();
    index_.SeekToFirst();
    if (EnterBlock()) block_.SeekToFirst();
    SkipForward();
  }

  void SeekToLast() override {
    status_ = absl::OkStatus();
    index_.SeekToLast();
    if (EnterBlock()) block_.SeekToLast();
    SkipBackward();
  }

  void Seek(std::string_view target) override {
    status_ = absl::OkStatus();
    index_.Seek(target);
    if (EnterBlock()) block_.Seek(target);
    SkipForward();
  }

  void SeekForPrev(std::string_view target) override {
    status_ = absl::OkStatus();
    index_.Seek(target);
    if (!index_.Valid() && !index_.damaged()) return SeekToLast();  // `target` is behind everything
    if (EnterBlock()) block_.SeekForPrev(target);
    SkipBackward();
  }

  void Next() override {
    block_.Next();
    SkipForward();
  }

  void Prev() override {
    block_.Prev();
    SkipBackward();
  }

  std::string_view key() const override { return block_.key(); }
  std::string_view value() const override { return block_.value(); }
  absl::Status status() const override { return status_; }

 private:
  // Makes block_ iterate over the block that index_ stands at, unless it does so already. Returns
  // false, with block_ invalid, if there is none or it cannot be read.
  bool EnterBlock();
  void LeaveBlock();

  // Go on to the next block that has an entry on this side. Blocks are not empty, so one step is
  // all it takes, unless the table is damaged.
  void SkipForward() {
    while (MustLeave()) {
      index_.Next();
      if (EnterBlock()) block_.SeekToFirst();
    }
  }
  void SkipBackward() {
    while (MustLeave()) {
      index_.Prev();
      if (EnterBlock()) block_.SeekToLast();
    }
  }

  // True if the walk is at an end of block_, and that is not the end of everything.
  bool MustLeave();

  const BlockReader& blocks_;
  const uint64_t index_offset_;
  const bool fill_cache_;
  BlockIterator index_;
  BlockHandle handle_;       // of the block under block_, or absent
  BlockCache::Block bytes_;  // what block_ looks at
  BlockIterator block_;
  absl::Status status_;
};

bool TableIterator::EnterBlock() {
  if (!index_.Valid()) {
    if (index_.damaged()) status_ = blocks_.Damage(index_offset_, "a malformed index");
    LeaveBlock();
    return false;
  }
  BlockHandle handle;
  if (!DecodeBlockHandle(index_.value(), &handle)) {
    status_ = blocks_.Damage(index_offset_, "a malformed block handle");
    LeaveBlock();
    return false;
  }
  if (!handle_.absent() && handle.offset == handle_.offset && !block_.damaged()) return true;
  absl::StatusOr<BlockCache::Block> bytes = blocks_.ReadCached(handle, fill_cache_);
  if (!bytes.ok()) {
    status_ = std::move(bytes).status();
    LeaveBlock();
    return false;
  }
  handle_ = handle;
  bytes_ = *std::move(bytes);
  block_.Reset(*bytes_);
  return true;
}

void TableIterator::LeaveBlock() {
  handle_ = {};
  bytes_ = nullptr;
  block_.Clear();
}

bool TableIterator::MustLeave() {
  if (block_.Valid() || !status_.ok() || !index_.Valid()) return false;
  if (!block_.damaged()) return true;
  status_ = blocks_.Damage(handle_.offset, "a malformed block");
  return false;
}

}  // namespace

std::unique_ptr<Iterator> NewTableIterator(const BlockReader& blocks, std::string_view index,
                                           uint64_t index_offset, bool fill_cache) {
  return std::make_unique<TableIterator>(blocks, index, index_offset, fill_cache);
}

}  // namespace tinykv::lsm
