// Snapshots: the files in which a region goes to a peer that needs what is compacted.
//
// A snapshot is one sorted table for each column family that has data, made from one moment of the
// kv engine, and travels in chunks with checksums (raft_serverpb.proto: SnapshotChunk,
// RaftSnapshotData). The files of both sides live in one folder, which is emptied at start: nothing
// in it outlives the process that made it.
//
// Thread-safety: safe. Building, sending and receiving go on beside each other, on whatever
// executor they are called on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "common/env/transport.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raftstore/admin_handlers.h"
#include "stage2-raftkv/raftstore/engines.h"
#include "stage2-raftkv/raftstore/rate_limit.h"

namespace tinykv::raftstore {

// Files of one snapshot, which are removed when nobody holds them any more.
//
// Thread-safety: safe; immutable once it is shared.
class SnapshotFiles {
 public:
  explicit SnapshotFiles(FileSystem& file_system) : file_system_(file_system) {}
  ~SnapshotFiles();

  SnapshotFiles(const SnapshotFiles&) = delete;
  SnapshotFiles& operator=(const SnapshotFiles&) = delete;

  void Add(lsm::Ingestion::File file) { files_.push_back(std::move(file)); }
  const std::vector<lsm::Ingestion::File>& files() const { return files_; }

 private:
  FileSystem& file_system_;
  std::vector<lsm::Ingestion::File> files_;
};

struct BuiltSnapshot {
  raft::Snapshot snapshot = {};  // its data is a serialized RaftSnapshotData
  std::shared_ptr<const SnapshotFiles> files = {};
};

struct ReceivedSnapshot {
  raft_serverpb::RaftMessage message = {};
  std::shared_ptr<const SnapshotFiles> files = {};
};

class Snapshots {
 public:
  // `engine` is how the kv engine was opened; its file system holds `directory`. `rate` bounds what
  // is sent. Everything must outlive what is made here.
  Snapshots(lsm::DB& kv, const lsm::Options& engine, std::string directory, RateLimit& rate);

  // Makes the folder, and empties it.
  absl::Status Open();

  // Writes the data of `region` as of `moment`, which is when `region` was so.
  absl::StatusOr<BuiltSnapshot> Build(const AppliedRegion& region, const lsm::Snapshot& moment);

  // What is sent: `message`, whose snapshot `built` is, and then the files.
  std::unique_ptr<ChunkSource> Send(raft_serverpb::RaftMessage message, BuiltSnapshot built) const;

  // Who takes what another store sends, and hands over what has arrived whole and undamaged.
  using Received = std::function<void(ReceivedSnapshot)>;
  std::unique_ptr<ChunkSink> Receive(Received received);

 private:
  class Source;
  class Sink;

  absl::StatusOr<raft_serverpb::SnapshotCFFile> WriteFile(lsm::ColumnFamilyId family,
                                                          const metapb::Region& region,
                                                          const lsm::Snapshot& moment,
                                                          const std::string& path);
  std::string NewPath(std::string_view kind);

  lsm::DB& kv_;
  const lsm::Options engine_;
  FileSystem& file_system_;
  const std::string directory_;
  RateLimit& rate_;
  std::atomic<uint64_t> number_{0};  // of the last file
};

// Of the file's bytes, as SnapshotCFFile has it.
absl::StatusOr<uint32_t> ChecksumOf(FileSystem& file_system, const std::string& path);

}  // namespace tinykv::raftstore
