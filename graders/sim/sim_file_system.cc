#include "graders/sim/sim_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv::sim {

class SimFileSystem::Writable final : public WritableFile {
 public:
  Writable(SimFileSystem& owner, uint64_t incarnation, std::string path, SimDisk::File file)
      : owner_(owner), incarnation_(incarnation), path_(std::move(path)), file_(std::move(file)) {}
  ~Writable() override { Close().IgnoreError(); }

  absl::Status Append(std::string_view data) override {
    return closed_ ? Closed() : owner_.AppendTo(*file_, incarnation_, {"write", path_, data});
  }
  absl::Status Sync() override {
    return closed_ ? Closed() : owner_.SyncOf(*file_, incarnation_, {"fdatasync", path_});
  }
  void KeepZerosAhead(uint64_t bytes) override {
    owner_.SetZerosAhead(*file_, incarnation_, std::min(bytes, kZerosAheadMax));
  }
  absl::Status Close() override {
    closed_ = true;
    owner_.SetZerosAhead(*file_, incarnation_, 0);
    return absl::OkStatus();
  }

 private:
  // What more there is on a real disk makes no difference to a reader, and takes time.
  static constexpr uint64_t kZerosAheadMax = 1 << 10;

  absl::Status Closed() const { return ErrnoStatus("write", path_, EBADF); }

  SimFileSystem& owner_;
  const uint64_t incarnation_;
  const std::string path_;
  const SimDisk::File file_;
  bool closed_ = false;
};

class SimFileSystem::Readable final : public RandomAccessFile {
 public:
  Readable(SimFileSystem& owner, uint64_t incarnation, std::string path, SimDisk::File file)
      : owner_(owner), incarnation_(incarnation), path_(std::move(path)), file_(std::move(file)) {}

  absl::StatusOr<std::string_view> Read(uint64_t offset, size_t size, char* buffer) const override {
    return owner_.ReadFrom(*file_, incarnation_, {"read", path_}, offset, size, buffer);
  }
  absl::StatusOr<uint64_t> Size() const override {
    return owner_.SizeOf(*file_, incarnation_, {"stat", path_});
  }

 private:
  SimFileSystem& owner_;
  const uint64_t incarnation_;
  const std::string path_;
  const SimDisk::File file_;
};

class SimFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(SimFileSystem& owner, uint64_t incarnation, SimDisk::File file)
      : owner_(owner), incarnation_(incarnation), file_(std::move(file)) {}
  ~HeldLock() override { owner_.Unlock(file_.get(), incarnation_); }

 private:
  SimFileSystem& owner_;
  const uint64_t incarnation_;
  const SimDisk::File file_;
};

void SimFileSystem::SetFaults(const FaultPlan& plan) {
  MutexLock lock(mutex_);
  faults_ = plan;
  changes_ = 0;
  reads_ = 0;
}

void SimFileSystem::SetDelayHook(std::function<void(Duration)> hook) {
  MutexLock lock(mutex_);
  delay_hook_ = std::move(hook);
}

void SimFileSystem::Halt() {
  MutexLock lock(mutex_);
  halted_ = true;
}

bool SimFileSystem::halted() const {
  MutexLock lock(mutex_);
  return halted_;
}

void SimFileSystem::Crash(const CrashOptions& options, Random& random) {
  MutexLock lock(mutex_);
  disk_.Crash(options, random);
  StartNextIncarnation();
}

void SimFileSystem::KillProcess() {
  MutexLock lock(mutex_);
  disk_.EndProcess();
  StartNextIncarnation();
}

void SimFileSystem::Erase() {
  MutexLock lock(mutex_);
  disk_ = SimDisk();
  StartNextIncarnation();
}

uint64_t SimFileSystem::free_bytes() const {
  MutexLock lock(mutex_);
  return Room();
}

absl::Status SimFileSystem::FlipBit(const std::string& path, uint64_t offset, int bit) {
  TKV_CHECK(0 <= bit && bit < 8);
  MutexLock lock(mutex_);
  TKV_ASSIGN_OR_RETURN(const SimDisk::File file, disk_.FindFile(path));
  if (offset >= file->content.size()) {
    return InvalidArgument(path, ": has no byte ", offset, ", it ends at ", file->content.size());
  }
  file->content[offset] = static_cast<char>(file->content[offset] ^ (1 << bit));
  return absl::OkStatus();
}

uint64_t SimFileSystem::changes() const {
  MutexLock lock(mutex_);
  return changes_;
}

uint64_t SimFileSystem::reads() const {
  MutexLock lock(mutex_);
  return reads_;
}

uint64_t SimFileSystem::used_bytes() const {
  MutexLock lock(mutex_);
  return disk_.used_bytes();
}

std::vector<std::string> SimFileSystem::files() const {
  MutexLock lock(mutex_);
  return disk_.files();
}

uint64_t SimFileSystem::trace_hash() const {
  MutexLock lock(mutex_);
  return trace_hash_;
}

std::vector<std::string> SimFileSystem::recent_operations() const {
  MutexLock lock(mutex_);
  return {recent_.begin(), recent_.end()};
}

absl::StatusOr<std::unique_ptr<WritableFile>> SimFileSystem::Create(const std::string& path) {
  const Operation operation{"create", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  if (Room() == 0) {
    return Noted(operation, ErrnoStatus("create", path, ENOSPC));
  }
  TKV_ASSIGN_OR_RETURN(SimDisk::File file, Noted(operation, disk_.CreateFile(path)));
  return std::make_unique<Writable>(*this, incarnation_, path, std::move(file));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> SimFileSystem::Open(const std::string& path) {
  const Operation operation{"open", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginRead(operation));
  TKV_ASSIGN_OR_RETURN(SimDisk::File file, Noted(operation, disk_.FindFile(path)));
  return std::make_unique<Readable>(*this, incarnation_, path, std::move(file));
}

absl::Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  const Operation operation{.name = "rename", .path = from, .to = to};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.Rename(from, to));
}

absl::Status SimFileSystem::Link(const std::string& from, const std::string& to) {
  const Operation operation{.name = "link", .path = from, .to = to};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.Link(from, to));
}

absl::Status SimFileSystem::Remove(const std::string& path) {
  const Operation operation{"remove", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.Remove(path));
}

absl::Status SimFileSystem::Truncate(const std::string& path, uint64_t size) {
  const Operation operation{"truncate", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  TKV_ASSIGN_OR_RETURN(const SimDisk::File file, Noted(operation, disk_.FindFile(path)));
  file->content.resize(size);
  file->synced_bytes = std::min(file->synced_bytes, size);
  SimDisk::SyncFile(*file);
  return absl::OkStatus();
}

absl::Status SimFileSystem::CreateDirectories(const std::string& path) {
  const Operation operation{"create directory", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.CreateDirectories(path));
}

absl::Status SimFileSystem::RemoveDirectory(const std::string& path) {
  const Operation operation{"remove directory", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.RemoveDirectory(path));
}

absl::Status SimFileSystem::SyncDirectory(const std::string& path) {
  const Operation operation{"fsync", path};
  MutexLock lock(mutex_);
  Charge(faults_.sync_delay);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  return Noted(operation, disk_.SyncDirectory(path));
}

absl::StatusOr<std::vector<std::string>> SimFileSystem::List(const std::string& path) {
  const Operation operation{"list", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginRead(operation));
  return Noted(operation, disk_.List(path));
}

absl::StatusOr<uint64_t> SimFileSystem::FileSize(const std::string& path) {
  const Operation operation{"stat", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginRead(operation));
  TKV_ASSIGN_OR_RETURN(const SimDisk::File file, Noted(operation, disk_.FindFile(path)));
  return file->content.size();
}

// Not counted, because it cannot fail.
bool SimFileSystem::Exists(const std::string& path) {
  MutexLock lock(mutex_);
  return !halted_ && disk_.Exists(path);
}

absl::StatusOr<std::unique_ptr<FileLock>> SimFileSystem::Lock(const std::string& path) {
  const Operation operation{"lock", path};
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(BeginChange(operation));
  const bool there = disk_.Exists(path);
  TKV_ASSIGN_OR_RETURN(SimDisk::File file,
                       Noted(operation, there ? disk_.FindFile(path) : disk_.CreateFile(path)));
  if (!locked_.insert(file.get()).second) {
    return Noted(operation, Unavailable(path, ": lock: held by somebody else"));
  }
  return std::make_unique<HeldLock>(*this, incarnation_, std::move(file));
}

absl::Status SimFileSystem::AppendTo(SimFile& file, uint64_t incarnation,
                                     const Operation& operation) {
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(CheckAlive(operation, incarnation));
  absl::Status status = BeginChange(operation);
  if (status.ok()) return Noted(operation, AppendWhatFits(file, operation));
  if (!halted_) file.content.append(operation.data.substr(0, operation.data.size() / 2));
  return status;
}

absl::Status SimFileSystem::SyncOf(SimFile& file, uint64_t incarnation,
                                   const Operation& operation) {
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(CheckAlive(operation, incarnation));
  Charge(faults_.sync_delay);
  absl::Status status = BeginChange(operation);
  if (status.ok()) {
    SimDisk::SyncFile(file);
    return Noted(operation, status);
  }
  if (!halted_) file.broken = true;
  return status;
}

// No operation of its own, so that adding it to a file moves no fault of a plan. Disks that can be
// full have no room for zeros.
void SimFileSystem::SetZerosAhead(SimFile& file, uint64_t incarnation, uint64_t bytes) {
  MutexLock lock(mutex_);
  if (halted_ || incarnation != incarnation_) return;
  file.zeros_ahead = faults_.capacity_bytes == FaultPlan().capacity_bytes ? bytes : 0;
}

absl::StatusOr<std::string_view> SimFileSystem::ReadFrom(const SimFile& file, uint64_t incarnation,
                                                         const Operation& operation,
                                                         uint64_t offset, size_t size,
                                                         char* buffer) {
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(CheckAlive(operation, incarnation));
  TKV_RETURN_IF_ERROR(BeginRead(operation));
  Noted(operation, absl::OkStatus()).IgnoreError();
  if (offset >= file.content.size()) return std::string_view();
  const size_t found = std::min<uint64_t>(size, file.content.size() - offset);
  std::memcpy(buffer, file.content.data() + offset, found);
  return std::string_view(buffer, found);
}

absl::StatusOr<uint64_t> SimFileSystem::SizeOf(const SimFile& file, uint64_t incarnation,
                                               const Operation& operation) {
  MutexLock lock(mutex_);
  TKV_RETURN_IF_ERROR(CheckAlive(operation, incarnation));
  TKV_RETURN_IF_ERROR(BeginRead(operation));
  Noted(operation, absl::OkStatus()).IgnoreError();
  return file.content.size();
}

void SimFileSystem::Unlock(const SimFile* file, uint64_t incarnation) {
  MutexLock lock(mutex_);
  if (incarnation == incarnation_) locked_.erase(file);
}

absl::Status SimFileSystem::BeginChange(const Operation& operation) {
  ++changes_;
  Charge(faults_.operation_delay);
  if (faults_.halt_at_change == changes_) halted_ = true;
  return Fault(operation, faults_.failed_change, changes_);
}

absl::Status SimFileSystem::BeginRead(const Operation& operation) {
  ++reads_;
  Charge(faults_.operation_delay);
  return Fault(operation, faults_.failed_read, reads_);
}

absl::Status SimFileSystem::Fault(const Operation& operation,
                                  const std::optional<FaultPlan::Failure>& failure,
                                  uint64_t number) {
  if (halted_) {
    return Noted(operation,
                 Internal(operation.path, ": ", operation.name, ": the machine has crashed"));
  }
  if (failure && (number == failure->at || (failure->sticky && number > failure->at))) {
    return Noted(operation, ErrnoStatus(operation.name, operation.path, failure->error_number));
  }
  return absl::OkStatus();
}

absl::Status SimFileSystem::Noted(const Operation& operation, absl::Status status) {
  std::string line = Concat(operation.name, ' ', operation.path);
  if (!operation.to.empty()) line += Concat(" to ", operation.to);
  if (operation.data.data() != nullptr) line += Concat(' ', Quote(operation.data, 20));
  if (!status.ok()) line += Concat(" -> ", MessageOf(status));
  for (const std::string_view bytes : {std::string_view(line), operation.data}) {
    for (const char c : bytes) trace_hash_ = (trace_hash_ ^ static_cast<uint8_t>(c)) * kTracePrime;
  }
  recent_.push_back(std::move(line));
  if (recent_.size() > kRecentMax) recent_.pop_front();
  return status;
}

absl::Status SimFileSystem::CheckAlive(const Operation& operation, uint64_t incarnation) const {
  if (incarnation == incarnation_) return absl::OkStatus();
  return Internal(operation.path, ": ", operation.name, ": this handle died in a crash");
}

absl::Status SimFileSystem::AppendWhatFits(SimFile& file, const Operation& operation) {
  const std::string_view fitting = operation.data.substr(0, Room());
  file.content.append(fitting);
  if (fitting.size() == operation.data.size()) return absl::OkStatus();
  return ErrnoStatus(operation.name, operation.path, ENOSPC);
}

uint64_t SimFileSystem::Room() const {
  // Usually there is no limit, and then nothing need be added up.
  if (faults_.capacity_bytes == FaultPlan().capacity_bytes) return faults_.capacity_bytes;
  return faults_.capacity_bytes - std::min(disk_.used_bytes(), faults_.capacity_bytes);
}

void SimFileSystem::Charge(Duration delay) const {
  if (delay_hook_ && delay > Duration::zero()) delay_hook_(delay);
}

void SimFileSystem::StartNextIncarnation() {
  ++incarnation_;
  locked_.clear();
  halted_ = false;
}

}  // namespace tinykv::sim
