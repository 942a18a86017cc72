// What every Storage over the engine needs: the engine's names for things, and its iterators as
// those of a Storage.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "common/status.h"
#include "common/storage/storage.h"
#include "lsm/db.h"

namespace tinykv {

// The numbers of a ColumnFamily and of the engine's are the same: both are places in
// kColumnFamilyNames.
inline lsm::ColumnFamilyId EngineId(ColumnFamily column_family) {
  return static_cast<lsm::ColumnFamilyId>(column_family);
}

// Thread-safety: none.
class EngineIterator : public StorageIterator {
 public:
  explicit EngineIterator(std::unique_ptr<lsm::Iterator> iterator)
      : iterator_(std::move(iterator)) {}

  bool Valid() const override { return iterator_->Valid(); }
  void SeekToFirst() override { iterator_->SeekToFirst(); }
  void SeekToLast() override { iterator_->SeekToLast(); }
  void Seek(std::string_view target) override { iterator_->Seek(target); }
  void SeekForPrev(std::string_view target) override { iterator_->SeekForPrev(target); }
  void Next() override { iterator_->Next(); }
  void Prev() override { iterator_->Prev(); }
  std::string_view key() const override { return iterator_->key(); }
  std::string_view value() const override { return iterator_->value(); }
  absl::Status status() const override { return iterator_->status(); }

 private:
  std::unique_ptr<lsm::Iterator> iterator_;
};

// Errors: kInvalidArgument for a key that the engine does not take. Asked before a write is queued
// or replicated, so that one bad write cannot fail others with it.
inline absl::Status CheckKeySizes(const WriteSet& writes) {
  for (const Modify& modify : writes.modifies()) {
    if (modify.key.size() > lsm::kKeyBytesMax) {
      return InvalidArgument("key ", Quote(modify.key), " has ", modify.key.size(),
                             " bytes; the engine's limit is ", lsm::kKeyBytesMax);
    }
  }
  return absl::OkStatus();
}

}  // namespace tinykv
