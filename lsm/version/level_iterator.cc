#include "lsm/version/level_iterator.h"

#include <algorithm>

namespace tinykv::lsm {
namespace {

using Tables = std::span<const std::shared_ptr<const TableFile>>;

// Thread-safety: none.
class LevelIterator final : public Iterator {
 public:
  LevelIterator(Tables tables, bool fill_cache) : tables_(tables), fill_cache_(fill_cache) {}

  bool Valid() const override { return current_ != nullptr && current_->Valid(); }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(std::string_view target) override;
  void SeekForPrev(std::string_view target) override;
  void Next() override;
  void Prev() override;
  std::string_view key() const override { return current_->key(); }
  std::string_view value() const override { return current_->value(); }
  absl::Status status() const override {
    return current_ == nullptr ? absl::OkStatus() : current_->status();
  }

 private:
  // Makes table `index` the current one, or none if there is no such table.
  void Open(size_t index);
  // From the end of a table to the next table's start, or the other way round. An error stays where
  // it is: going on would pass over data in silence.
  void LeaveFinishedForward();
  void LeaveFinishedBackward();
  bool Finished() const {
    return current_ != nullptr && !current_->Valid() && current_->status().ok();
  }

  const Tables tables_;
  const bool fill_cache_;
  size_t index_ = 0;                   // of the current table
  std::unique_ptr<Iterator> current_;  // null before the first and behind the last table
};

void LevelIterator::SeekToFirst() {
  Open(0);
  if (current_ != nullptr) current_->SeekToFirst();
  LeaveFinishedForward();
}

void LevelIterator::SeekToLast() {
  Open(tables_.size() - 1);  // wraps around to no table if there is none
  if (current_ != nullptr) current_->SeekToLast();
  LeaveFinishedBackward();
}

void LevelIterator::Seek(std::string_view target) {
  const auto it = std::partition_point(
      tables_.begin(), tables_.end(), [&](const auto& table) { return table->EndsBefore(target); });
  Open(it - tables_.begin());
  if (current_ != nullptr) current_->Seek(target);
  LeaveFinishedForward();
}

void LevelIterator::SeekForPrev(std::string_view target) {
  const auto it = std::partition_point(tables_.begin(), tables_.end(), [&](const auto& table) {
    return CompareInternalKeys(table->meta().smallest, target) <= 0;
  });
  Open(it - tables_.begin() - 1);  // wraps around to no table
  if (current_ != nullptr) current_->SeekForPrev(target);
  LeaveFinishedBackward();
}

void LevelIterator::Next() {
  current_->Next();
  LeaveFinishedForward();
}

void LevelIterator::Prev() {
  current_->Prev();
  LeaveFinishedBackward();
}

void LevelIterator::Open(size_t index) {
  if (current_ != nullptr && index == index_) return;
  index_ = index;
  current_ = index < tables_.size() ? tables_[index]->table().NewIterator(fill_cache_) : nullptr;
}

void LevelIterator::LeaveFinishedForward() {
  while (Finished()) {
    Open(index_ + 1);
    if (current_ != nullptr) current_->SeekToFirst();
  }
}

void LevelIterator::LeaveFinishedBackward() {
  while (Finished()) {
    Open(index_ - 1);  // wraps around to no table
    if (current_ != nullptr) current_->SeekToLast();
  }
}

}  // namespace

std::unique_ptr<Iterator> NewLevelIterator(Tables tables, bool fill_cache) {
  return std::make_unique<LevelIterator>(tables, fill_cache);
}

}  // namespace tinykv::lsm
