// Payload: immutable bytes that copies share.
//
// The data of a log entry is at once in the log, in messages to several followers and in what is
// being applied. They share one string, which goes away with the last of them, so replication
// copies no data at all.
//
// Thread-safety: compatible; copies may go to other threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace tinykv::raft {

class Payload {
 public:
  Payload() = default;
  // Implicit: a string is a payload wherever one is wanted.
  Payload(std::string bytes)  // NOLINT(google-explicit-constructor)
      : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}
  Payload(const char* text) : Payload(std::string(text)) {}  // NOLINT(google-explicit-constructor)

  // Valid as long as any copy of this payload.
  std::string_view view() const {
    return bytes_ == nullptr ? std::string_view() : std::string_view(*bytes_);
  }
  size_t size() const { return bytes_ == nullptr ? 0 : bytes_->size(); }
  bool empty() const { return bytes_ == nullptr; }

  friend bool operator==(const Payload& a, const Payload& b) {
    return a.bytes_ == b.bytes_ || a.view() == b.view();
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace tinykv::raft
