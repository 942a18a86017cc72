// Iterator: a cursor over sorted key-value pairs.
//
// A new iterator stands nowhere (Valid() is false) until one of the Seek calls. An error makes it
// invalid: after a loop `for (it->SeekToFirst(); it->Valid(); it->Next())` the caller must look at
// status(), or it takes a damaged file for the end of the data.
//
// Thread-safety: none.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace tinykv::lsm {

class Iterator {
 public:
  Iterator() = default;
  Iterator(const Iterator&) = delete;
  Iterator& operator=(const Iterator&) = delete;
  virtual ~Iterator() = default;

  virtual bool Valid() const = 0;

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first key at or after `target`.
  virtual void Seek(std::string_view target) = 0;
  // To the last key at or before `target`.
  virtual void SeekForPrev(std::string_view target) = 0;

  // REQUIRES (the next four): Valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;
  // Both views live until the iterator moves.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;

  // Not OK if anything went wrong since the last Seek call.
  // Errors: kDataLoss for a damaged table (file and offset are named), kInternal for a failed read.
  virtual absl::Status status() const = 0;
};

}  // namespace tinykv::lsm
