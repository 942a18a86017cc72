#include "lsm/db/db_iterator.h"

#include <utility>

#include "common/status.h"

namespace tinykv::lsm {
namespace {

// After so many versions of one key passed one by one, a seek over the rest is cheaper.
constexpr int kStepsBeforeSeek = 8;

// Going forward, versions_ stands on the version that the user sees: the newest visible one of its
// key comes first. Going backward the newest comes last, and that it was the newest shows only when
// the key before it has been reached: so versions_ stands before all versions of the user's key,
// and key and value are kept in copies.
//
// Thread-safety: none.
class DBIterator final : public Iterator {
 public:
  DBIterator(std::unique_ptr<Iterator> versions, DBIteratorOptions options)
      : options_(std::move(options)),
        versions_(std::move(versions)),
        tombstones_(options_.tombstones, options_.sequence) {}

  bool Valid() const override { return valid_; }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(std::string_view target) override;
  void SeekForPrev(std::string_view target) override;
  void Next() override;
  void Prev() override;
  std::string_view key() const override {
    return forward_ ? UserKeyOf(versions_->key()) : std::string_view(user_key_);
  }
  std::string_view value() const override {
    return forward_ ? versions_->value() : std::string_view(value_);
  }
  absl::Status status() const override { return status_.ok() ? versions_->status() : status_; }

 private:
  // Of all versions of one user key.
  enum class Place { kBeforeAll, kFirstVisible, kBehindAll };

  // To the first version at or behind that place.
  void SeekVersions(std::string_view user_key, Place place);
  // To the last version before all those of `user_key`.
  void SeekVersionsBefore(std::string_view user_key);
  // The internal key, with an impossible sequence number where needed, of that place.
  const std::string& Target(std::string_view user_key, Place place);

  // From where versions_ stands to the next key with a visible value; with `passing`, behind all
  // versions of user_key_.
  void FindForward(bool passing);
  void FindBackward();
  // False if it is a deletion, or is hidden by a range delete that the user sees.
  bool IsValue(const ParsedInternalKey& visible_version);
  // For FindBackward(): takes in one version of user_key_. Returns whether the key has a value, as
  // far as is known.
  bool TakeVersion(const ParsedInternalKey& version);
  // Sets `version` to where versions_ stands; false at the end or at an error.
  bool ParseVersion(ParsedInternalKey* version);

  const DBIteratorOptions options_;
  const std::unique_ptr<Iterator> versions_;
  TombstoneCursor tombstones_;
  bool forward_ = true;
  bool valid_ = false;
  std::string user_key_;  // backward: the user's; forward: one whose other versions are passed over
  std::string value_;     // backward only
  std::string target_;    // reused from seek to seek
  absl::Status status_;   // of malformed keys
};

void DBIterator::SeekToFirst() {
  if (options_.lower_bound) return Seek(*options_.lower_bound);
  status_ = absl::OkStatus();
  versions_->SeekToFirst();
  FindForward(/*passing=*/false);
}

void DBIterator::SeekToLast() {
  status_ = absl::OkStatus();
  if (options_.upper_bound) {
    SeekVersionsBefore(*options_.upper_bound);
  } else {
    versions_->SeekToLast();
  }
  FindBackward();
}

void DBIterator::Seek(std::string_view target) {
  status_ = absl::OkStatus();
  if (options_.lower_bound && target < *options_.lower_bound) target = *options_.lower_bound;
  SeekVersions(target, Place::kFirstVisible);
  FindForward(/*passing=*/false);
}

void DBIterator::SeekForPrev(std::string_view target) {
  if (options_.upper_bound && target >= *options_.upper_bound) return SeekToLast();
  status_ = absl::OkStatus();
  versions_->SeekForPrev(Target(target, Place::kBehindAll));
  FindBackward();
}

void DBIterator::Next() {
  if (!forward_) {
    SeekVersions(user_key_, Place::kBehindAll);
    FindForward(/*passing=*/false);
    return;
  }
  user_key_.assign(UserKeyOf(versions_->key()));
  versions_->Next();
  FindForward(/*passing=*/true);
}

void DBIterator::Prev() {
  if (forward_) {
    user_key_.assign(UserKeyOf(versions_->key()));
    SeekVersionsBefore(user_key_);
  }
  FindBackward();
}

void DBIterator::SeekVersions(std::string_view user_key, Place place) {
  versions_->Seek(Target(user_key, place));
}

void DBIterator::SeekVersionsBefore(std::string_view user_key) {
  versions_->SeekForPrev(Target(user_key, Place::kBeforeAll));
}

const std::string& DBIterator::Target(std::string_view user_key, Place place) {
  ParsedInternalKey target{user_key, options_.sequence, kMaxValueType};
  if (place == Place::kBeforeAll) target.sequence = kMaxSequenceNumber;
  if (place == Place::kBehindAll) target = {user_key, 0, ValueType::kDelete};  // none has number 0
  target_.clear();
  AppendInternalKey(&target_, target);
  return target_;
}

void DBIterator::FindForward(bool passing) {
  forward_ = true;
  valid_ = false;
  int steps = 0;
  ParsedInternalKey version;
  while (ParseVersion(&version)) {
    if (options_.upper_bound && version.user_key >= *options_.upper_bound) return;
    const bool too_new = version.sequence > options_.sequence;
    const bool passed = passing && version.user_key == user_key_;
    if (!too_new && !passed) {
      valid_ = IsValue(version);
      if (valid_) return;
      // It is deleted, and so is what is older of its key.
      user_key_.assign(version.user_key);
      passing = true;
    }
    if (++steps % kStepsBeforeSeek == 0) {
      SeekVersions(version.user_key, too_new && !passed ? Place::kFirstVisible : Place::kBehindAll);
    } else {
      versions_->Next();
    }
  }
}

void DBIterator::FindBackward() {
  forward_ = false;
  valid_ = false;
  bool has_value = false;  // of user_key_
  int steps = 0;
  ParsedInternalKey version;
  while (ParseVersion(&version)) {
    if (has_value && version.user_key != user_key_) break;
    if (options_.lower_bound && version.user_key < *options_.lower_bound) break;
    user_key_.assign(version.user_key);
    if (++steps % kStepsBeforeSeek == 0) {
      // The newest visible version at once, instead of by way of all the older ones.
      SeekVersions(user_key_, Place::kFirstVisible);
      has_value = ParseVersion(&version) && version.user_key == user_key_ && TakeVersion(version);
      if (status().ok()) SeekVersionsBefore(user_key_);
      continue;
    }
    if (version.sequence <= options_.sequence) has_value = TakeVersion(version);
    versions_->Prev();
  }
  valid_ = has_value && status().ok();
}

bool DBIterator::IsValue(const ParsedInternalKey& visible_version) {
  return visible_version.type == ValueType::kPut &&
         visible_version.sequence > tombstones_.Newest(visible_version.user_key);
}

bool DBIterator::TakeVersion(const ParsedInternalKey& version) {
  const bool has_value = IsValue(version);
  if (has_value) value_.assign(versions_->value());
  return has_value;
}

bool DBIterator::ParseVersion(ParsedInternalKey* version) {
  if (!status_.ok() || !versions_->Valid()) return false;
  if (ParseInternalKey(versions_->key(), version)) return true;
  status_ = DataLoss("an iterator met the malformed internal key ", Quote(versions_->key()));
  return false;
}

}  // namespace

std::unique_ptr<Iterator> NewDBIterator(std::unique_ptr<Iterator> versions,
                                        DBIteratorOptions options) {
  return std::make_unique<DBIterator>(std::move(versions), std::move(options));
}

}  // namespace tinykv::lsm
