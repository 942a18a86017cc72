#include "lsm/table/global_sequence_iterator.h"

#include <string>
#include <utility>

namespace tinykv::lsm {
namespace {

// Invariant: while Valid(), key_ is the key of base_ with sequence_ in the place of its number.
//
// Thread-safety: none.
class GlobalSequenceIterator final : public Iterator {
 public:
  GlobalSequenceIterator(std::unique_ptr<Iterator> base, SequenceNumber sequence)
      : base_(std::move(base)), sequence_(sequence) {}

  bool Valid() const override { return base_->Valid(); }

  void SeekToFirst() override {
    base_->SeekToFirst();
    SetKey();
  }

  void SeekToLast() override {
    base_->SeekToLast();
    SetKey();
  }

  // Of two versions of a key the newer one comes first. In the file all are as old as can be, so
  // from a target with the user key of an entry, that entry is never before `target`. Here it may
  // be.
  void Seek(std::string_view target) override {
    base_->Seek(target);
    SetKey();
    if (Valid() && CompareInternalKeys(key_, target) < 0) Next();
  }

  void SeekForPrev(std::string_view target) override {
    base_->SeekForPrev(EncodeInternalKey({UserKeyOf(target), 0, ValueType::kDelete}));
    SetKey();
    if (Valid() && CompareInternalKeys(key_, target) > 0) Prev();
  }

  void Next() override {
    base_->Next();
    SetKey();
  }

  void Prev() override {
    base_->Prev();
    SetKey();
  }

  std::string_view key() const override { return key_; }
  std::string_view value() const override { return base_->value(); }
  absl::Status status() const override { return base_->status(); }

 private:
  void SetKey() {
    if (!base_->Valid()) return;
    key_.clear();
    AppendInternalKey(&key_, {UserKeyOf(base_->key()), sequence_, ValueType::kPut});
  }

  const std::unique_ptr<Iterator> base_;
  const SequenceNumber sequence_;
  std::string key_;
};

}  // namespace

std::unique_ptr<Iterator> NewGlobalSequenceIterator(std::unique_ptr<Iterator> base,
                                                    SequenceNumber sequence) {
  return std::make_unique<GlobalSequenceIterator>(std::move(base), sequence);
}

}  // namespace tinykv::lsm
