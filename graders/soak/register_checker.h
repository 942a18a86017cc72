// RegisterChecker: whether what is read from a store can be true, while faults go on.
//
// Each key is a register with one writer, which writes ever higher sequence numbers, one call after
// the other. Then linearizability comes down to two bounds that need no history: a read must see
//
//   at least   the highest number that was acknowledged, or read, before the read began;
//   at most    the highest number that a write had been started with when the read ended.
//
// A deletion is a write with a number too, but whoever reads "absent" does not see which one. So
// "absent" is right if the last deletion that was started is not below the first of these bounds;
// every key begins as deleted by write 0. A write that failed may have been done, and nothing is
// made of it: it raises the second bound alone.
//
// What it asks of its callers: no write may take effect after the next write to its key was
// started. A client that sends a write again, since the first attempt was not answered, has to wait
// until that attempt can no longer arrive anywhere.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/env/clock.h"
#include "common/mutex.h"

namespace tinykv::soak {

class RegisterChecker {
 public:
  enum class Write { kPut, kDelete };

  // A read that has begun.
  struct Read {
    uint32_t key = 0;
    uint64_t at_least = 0;
  };

  // Keys are numbers below `keys`.
  RegisterChecker(uint32_t keys, const Clock& clock) : clock_(clock), registers_(keys) {}

  // The sequence number of a write that is started now.
  uint64_t BeginWrite(uint32_t key, Write write);

  // The write has been acknowledged by the store at `server`.
  void Acknowledge(uint32_t key, uint64_t sequence, const std::string& server);

  Read BeginRead(uint32_t key) const;

  // The store at `server` has answered with this sequence number, or nullopt for "absent". Returns
  // a sentence that says why that cannot be, if it cannot.
  std::optional<std::string> EndRead(const Read& read, std::optional<uint64_t> sequence,
                                     const std::string& server);

 private:
  struct Register {
    uint64_t attempted = 0;
    uint64_t deleted = 0;  // the last deletion among the attempted
    uint64_t seen = 0;     // acknowledged or read
    // Of `seen`, for the sentence: when, at which store, and how.
    Duration seen_at{};
    std::string seen_by;
    const char* seen_as = "";
  };

  void See(Register& seen, uint64_t sequence, const std::string& server, const char* how)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Lost(const Read& read, const std::string& what) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Register> registers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::soak
