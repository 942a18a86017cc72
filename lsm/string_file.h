// For tests: files that are strings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "common/env/file_system.h"
#include "common/status.h"

namespace tinykv::lsm {

class StringWritableFile final : public WritableFile {
 public:
  // `content` must outlive the file. Append() fails where it would exceed `capacity_bytes`.
  explicit StringWritableFile(std::string& content, size_t capacity_bytes = SIZE_MAX)
      : content_(content), capacity_bytes_(capacity_bytes) {}

  absl::Status Append(std::string_view data) override {
    ++appends_;
    if (content_.size() + data.size() > capacity_bytes_) return ResourceExhausted("disk full");
    content_.append(data);
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    ++syncs_;
    return sync_result_;
  }
  absl::Status Close() override { return absl::OkStatus(); }

  void set_sync_result(absl::Status status) { sync_result_ = std::move(status); }
  int appends() const { return appends_; }
  int syncs() const { return syncs_; }

 private:
  std::string& content_;
  const size_t capacity_bytes_;
  absl::Status sync_result_;
  int appends_ = 0;
  int syncs_ = 0;
};

class StringRandomAccessFile final : public RandomAccessFile {
 public:
  // Counts in `reads` if that is not null.
  explicit StringRandomAccessFile(std::string content, int* reads = nullptr)
      : content_(std::move(content)), reads_(reads) {}

  absl::StatusOr<std::string_view> Read(uint64_t offset, size_t size, char* buffer) const override {
    if (reads_ != nullptr) ++*reads_;
    if (offset >= content_.size()) return std::string_view();
    size = std::min(size, content_.size() - offset);
    std::memcpy(buffer, content_.data() + offset, size);
    return std::string_view(buffer, size);
  }
  absl::StatusOr<uint64_t> Size() const override { return content_.size(); }

 private:
  const std::string content_;
  int* const reads_;
};

}  // namespace tinykv::lsm
