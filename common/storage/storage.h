// Storage: the seam every request handler stands on.
//
// Stage 1 puts one engine behind it (StandaloneStorage), stage 2 a replicated one (RaftStorage).
// Handlers are written once, against this, and graded on both.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <asio/awaitable.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/storage/column_family.h"
#include "common/storage/write_set.h"
#include "proto/kvrpcpb.pb.h"

namespace tinykv {

// A cursor over the sorted pairs of one column family. It stands nowhere until a Seek call, and an
// error makes it invalid: whoever loops while Valid() looks at status() afterwards.
//
// Thread-safety: none.
class StorageIterator {
 public:
  virtual ~StorageIterator() = default;

  virtual bool Valid() const = 0;
  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first key at or after `target`, and to the last one at or before it.
  virtual void Seek(std::string_view target) = 0;
  virtual void SeekForPrev(std::string_view target) = 0;
  // REQUIRES (the next four): Valid(). The views live until the iterator moves.
  virtual void Next() = 0;
  virtual void Prev() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual absl::Status status() const = 0;
};

struct IterateOptions {
  // The iterator sees only keys in [lower_bound, upper_bound); absent means no bound on that side.
  std::optional<std::string> lower_bound = std::nullopt;
  std::optional<std::string> upper_bound = std::nullopt;
};

// One moment of the storage: what is written later does not show, however long the reader lives.
// Keep it for one request only, it holds on to old versions.
//
// Thread-safety: safe; its iterators are not.
class StorageReader {
 public:
  virtual ~StorageReader() = default;

  // nullopt if the key is not there; that is not an error.
  virtual absl::StatusOr<std::optional<std::string>> Get(ColumnFamily column_family,
                                                         std::string_view key) = 0;

  // Never null. Must be destroyed before the reader.
  virtual std::unique_ptr<StorageIterator> NewIterator(ColumnFamily column_family,
                                                       const IterateOptions& options) = 0;
  std::unique_ptr<StorageIterator> NewIterator(ColumnFamily column_family) {
    return NewIterator(column_family, {});
  }
};

// `context` says which region the client means, and at which epoch; StandaloneStorage has no
// regions and ignores it. It needs to live only until the coroutine first suspends or ends.
//
// A region error travels as a Status that carries an errorpb.Error (common/storage/region_error.h).
//
// Thread-safety: safe.
class Storage {
 public:
  virtual ~Storage() = default;

  // Applies all of `writes` or nothing. OK means: it is as durable as the storage is configured
  // for, and every Reader() called from now on sees it. Errors: kUnavailable (busy: nothing was
  // written), kInvalidArgument, those of the disk; after kDeadlineExceeded or an error of the disk
  // the outcome is unknown.
  virtual asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) = 0;

  virtual asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) = 0;
};

}  // namespace tinykv
