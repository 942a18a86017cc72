#include "stage2-raftkv/raftstore/snapshots.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "common/storage/column_family.h"
#include "common/your_code_here.h"
#include "lsm/table_writer.h"
#include "stage2-raftkv/raftstore/region.h"

namespace tinykv::raftstore {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

uint32_t AddToChecksum(uint32_t checksum, std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

absl::StatusOr<raft_serverpb::RaftSnapshotData> DataOf(const raft_serverpb::RaftMessage& message) {
  raft_serverpb::RaftSnapshotData data;
  if (message.message().msg_type() != eraftpb::MsgSnapshot ||
      !data.ParseFromString(message.message().snapshot().data())) {
    return InvalidArgument("a snapshot of ", NameOf(message.region_id()),
                           " begins with what is no snapshot's message");
  }
  if (data.region().id() != message.region_id()) {
    return InvalidArgument("a snapshot for ", NameOf(message.region_id()), " is one of ",
                           NameOf(data.region().id()));
  }
  return data;
}

}  // namespace

SnapshotFiles::~SnapshotFiles() {
  for (const lsm::Ingestion::File& file : files_) file_system_.Remove(file.path).IgnoreError();
}

// ---- sending ----

class Snapshots::Source final : public ChunkSource {
 public:
  Source(FileSystem& file_system, RateLimit& rate, raft_serverpb::RaftMessage message,
         BuiltSnapshot built)
      : file_system_(file_system),
        rate_(rate),
        message_(std::move(message)),
        built_(std::move(built)) {}

  Duration Wait() override { return rate_.Wait(); }

  absl::StatusOr<std::optional<std::string>> Next() override {
    raft_serverpb::SnapshotChunk chunk;
    if (!message_sent_) {
      message_sent_ = true;
      *chunk.mutable_message() = std::move(message_);
      return chunk.SerializeAsString();
    }
    const auto& files = built_.files->files();
    while (next_file_ < files.size()) {
      if (file_ == nullptr) {
        TKV_ASSIGN_OR_RETURN(file_, file_system_.Open(files[next_file_].path));
        offset_ = 0;
      }
      std::string buffer(kChunkBytes, '\0');
      TKV_ASSIGN_OR_RETURN(const std::string_view bytes,
                           file_->Read(offset_, buffer.size(), buffer.data()));
      offset_ += bytes.size();
      if (!bytes.empty()) {
        rate_.Take(bytes.size());
        chunk.set_data(std::string(bytes));
        return chunk.SerializeAsString();
      }
      file_ = nullptr;
      ++next_file_;
    }
    return std::nullopt;
  }

 private:
  FileSystem& file_system_;
  RateLimit& rate_;
  raft_serverpb::RaftMessage message_;
  const BuiltSnapshot built_;
  bool message_sent_ = false;
  size_t next_file_ = 0;
  std::unique_ptr<RandomAccessFile> file_;
  uint64_t offset_ = 0;
};

// ---- receiving ----

class Snapshots::Sink final : public ChunkSink {
 public:
  Sink(Snapshots& snapshots, Received received)
      : snapshots_(snapshots),
        received_(std::move(received)),
        files_(std::make_shared<SnapshotFiles>(snapshots.file_system_)) {}

  absl::Status Take(std::string bytes) override {
    raft_serverpb::SnapshotChunk chunk;
    if (!chunk.ParseFromString(bytes)) return InvalidArgument("a chunk is no SnapshotChunk");
    if (chunk.has_message()) return Begin(std::move(*chunk.mutable_message()));
    std::string_view data = chunk.data();
    while (!data.empty()) {
      TKV_RETURN_IF_ERROR(OpenFile());
      const size_t taken = std::min<uint64_t>(data.size(), expected_.size() - written_);
      TKV_RETURN_IF_ERROR(file_->Append(data.substr(0, taken)));
      checksum_ = AddToChecksum(checksum_, data.substr(0, taken));
      written_ += taken;
      data.remove_prefix(taken);
      if (written_ == expected_.size()) TKV_RETURN_IF_ERROR(CloseFile());
    }
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    if (!begun_) return InvalidArgument("a snapshot without its message");
    SkipEmptyFiles();
    if (file_ != nullptr || next_ < data_.meta().cf_files_size()) {
      return InvalidArgument("the snapshot of ", NameOf(message_.region_id()),
                             " ends before its last file");
    }
    TKV_RETURN_IF_ERROR(snapshots_.file_system_.SyncDirectory(snapshots_.directory_));
    received_({.message = std::move(message_), .files = std::move(files_)});
    return absl::OkStatus();
  }

 private:
  absl::Status Begin(raft_serverpb::RaftMessage message) {
    if (begun_) {
      return InvalidArgument("the snapshot of ", NameOf(message_.region_id()),
                             " has a second message");
    }
    TKV_ASSIGN_OR_RETURN(data_, DataOf(message));
    begun_ = true;
    message_ = std::move(message);
    return absl::OkStatus();
  }

  void SkipEmptyFiles() {
    while (next_ < data_.meta().cf_files_size() && data_.meta().cf_files(next_).size() == 0) {
      ++next_;
    }
  }

  // Makes sure that a file is open for what comes next.
  absl::Status OpenFile() {
    if (file_ != nullptr) return absl::OkStatus();
    if (!begun_) return InvalidArgument("data of a snapshot comes before its message");
    SkipEmptyFiles();
    if (next_ == data_.meta().cf_files_size()) {
      return InvalidArgument("the snapshot of ", NameOf(message_.region_id()),
                             " has more data than its message says");
    }
    expected_ = data_.meta().cf_files(next_++);
    TKV_ASSIGN_OR_RETURN(const ColumnFamily family, ParseColumnFamily(expected_.cf()));
    const std::string path = snapshots_.NewPath("received");
    files_->Add({.column_family = EngineId(family), .path = path});
    TKV_ASSIGN_OR_RETURN(file_, snapshots_.file_system_.Create(path));
    checksum_ = 0;
    written_ = 0;
    return absl::OkStatus();
  }

  absl::Status CloseFile() {
    if (checksum_ != expected_.checksum()) {
      return DataLoss("the snapshot of ", NameOf(message_.region_id()),
                      " is damaged: column family ", expected_.cf(), " has checksum ", checksum_,
                      " and should have ", expected_.checksum());
    }
    TKV_RETURN_IF_ERROR(file_->Sync());
    TKV_RETURN_IF_ERROR(file_->Close());
    file_ = nullptr;
    return absl::OkStatus();
  }

  Snapshots& snapshots_;
  Received received_;
  std::shared_ptr<SnapshotFiles> files_;
  bool begun_ = false;
  raft_serverpb::RaftMessage message_;
  raft_serverpb::RaftSnapshotData data_;
  int next_ = 0;  // of data_.meta().cf_files()
  // The file that is being written.
  raft_serverpb::SnapshotCFFile expected_;
  std::unique_ptr<WritableFile> file_;
  uint32_t checksum_ = 0;
  uint64_t written_ = 0;
};

// ---- Snapshots ----

Snapshots::Snapshots(lsm::DB& kv, const lsm::Options& engine, std::string directory,
                     RateLimit& rate)
    : kv_(kv),
      engine_(engine),
      file_system_(*engine.file_system),
      directory_(std::move(directory)),
      rate_(rate) {}

absl::Status Snapshots::Open() {
  TKV_RETURN_IF_ERROR(file_system_.CreateDirectories(directory_));
  TKV_ASSIGN_OR_RETURN(const auto names, file_system_.List(directory_));
  for (const std::string& name : names) {
    TKV_RETURN_IF_ERROR(file_system_.Remove(JoinPath(directory_, name)));
  }
  return absl::OkStatus();
}

absl::StatusOr<BuiltSnapshot> Snapshots::Build(const AppliedRegion& region,
                                               const lsm::Snapshot& moment) {
  auto files = std::make_shared<SnapshotFiles>(file_system_);
  raft_serverpb::RaftSnapshotData data;
  uint64_t bytes = 0;
  *data.mutable_region() = region.region;
  for (lsm::ColumnFamilyId family = 0; family < kColumnFamilyNames.size(); ++family) {
    const std::string path = NewPath("built");
    auto file = WriteFile(family, region.region, moment, path);
    if (!file.ok()) file_system_.Remove(path).IgnoreError();
    TKV_RETURN_IF_ERROR(file.status());
    if (file->size() > 0) files->Add({.column_family = family, .path = path});
    bytes += file->size();
    *data.mutable_meta()->add_cf_files() = *std::move(file);
  }
  data.set_file_size(bytes);
  return BuiltSnapshot{
      .snapshot = {.last = {.index = region.state.applied_index(), .term = region.applied_term},
                   .members = MembersOf(region.region),
                   .data = data.SerializeAsString()},
      .files = std::move(files)};
}

absl::StatusOr<raft_serverpb::SnapshotCFFile> Snapshots::WriteFile(lsm::ColumnFamilyId family,
                                                                   const metapb::Region& region,
                                                                   const lsm::Snapshot& moment,
                                                                   const std::string& path) {
  raft_serverpb::SnapshotCFFile file;
  file.set_cf(std::string(kColumnFamilyNames[family]));
  // >>> SOLUTION 2C-build-snapshot: all that the region had at that moment, as one sorted table
  const auto iterator = kv_.NewIterator({.snapshot = &moment,
                                         .lower_bound = region.start_key(),
                                         .upper_bound = EndOf(region),
                                         .fill_cache = false},
                                        family);
  iterator->SeekToFirst();
  if (!iterator->Valid()) {
    TKV_RETURN_IF_ERROR(iterator->status());
    return file;  // nothing there: there is no file
  }
  TKV_ASSIGN_OR_RETURN(const auto writer, lsm::TableWriter::Create(engine_, path));
  for (; iterator->Valid(); iterator->Next()) {
    TKV_RETURN_IF_ERROR(writer->Add(iterator->key(), iterator->value()));
  }
  TKV_RETURN_IF_ERROR(iterator->status());
  TKV_RETURN_IF_ERROR(writer->Finish().status());
  // <<< SOLUTION
  TKV_ASSIGN_OR_RETURN(const uint64_t size, file_system_.FileSize(path));
  TKV_ASSIGN_OR_RETURN(const uint32_t checksum, ChecksumOf(file_system_, path));
  file.set_size(size);
  file.set_checksum(checksum);
  return file;
}

std::unique_ptr<ChunkSource> Snapshots::Send(raft_serverpb::RaftMessage message,
                                             BuiltSnapshot built) const {
  return std::make_unique<Source>(file_system_, rate_, std::move(message), std::move(built));
}

std::unique_ptr<ChunkSink> Snapshots::Receive(Received received) {
  return std::make_unique<Sink>(*this, std::move(received));
}

std::string Snapshots::NewPath(std::string_view kind) {
  return JoinPath(directory_, Concat(kind, '-', ++number_, ".sst"));
}

absl::StatusOr<uint32_t> ChecksumOf(FileSystem& file_system, const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const auto file, file_system.Open(path));
  std::string buffer(kChunkBytes, '\0');
  uint32_t checksum = 0;
  for (uint64_t offset = 0;;) {
    TKV_ASSIGN_OR_RETURN(const std::string_view bytes,
                         file->Read(offset, buffer.size(), buffer.data()));
    if (bytes.empty()) return checksum;
    checksum = AddToChecksum(checksum, bytes);
    offset += bytes.size();
  }
}

}  // namespace tinykv::raftstore
