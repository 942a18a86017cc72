#include "graders/soak/register_checker.h"

#include <algorithm>

#include "common/check.h"
#include "common/strings.h"

namespace tinykv::soak {

uint64_t RegisterChecker::BeginWrite(uint32_t key, Write write) {
  MutexLock lock(mutex_);
  Register& found = registers_.at(key);
  ++found.attempted;
  if (write == Write::kDelete) found.deleted = found.attempted;
  return found.attempted;
}

void RegisterChecker::Acknowledge(uint32_t key, uint64_t sequence, const std::string& server) {
  MutexLock lock(mutex_);
  Register& found = registers_.at(key);
  TKV_CHECK(sequence == found.attempted);  // one writer, one write at a time
  See(found, sequence, server, "acknowledged");
}

RegisterChecker::Read RegisterChecker::BeginRead(uint32_t key) const {
  MutexLock lock(mutex_);
  return {.key = key, .at_least = registers_.at(key).seen};
}

std::optional<std::string> RegisterChecker::EndRead(const Read& read,
                                                    std::optional<uint64_t> sequence,
                                                    const std::string& server) {
  MutexLock lock(mutex_);
  Register& found = registers_.at(read.key);
  const std::string what =
      Concat("key ", read.key, ": ", server, " answered ",
             sequence ? Concat("with write ", *sequence) : std::string("that it is absent"));
  if (!sequence) {
    if (found.deleted >= read.at_least) return std::nullopt;
    return Lost(read, what);
  }
  if (*sequence > found.attempted) {
    return Concat(what, ", although no write after ", found.attempted, " was ever started");
  }
  if (*sequence < read.at_least) return Lost(read, what);
  See(found, *sequence, server, "read");
  return std::nullopt;
}

void RegisterChecker::See(Register& found, uint64_t sequence, const std::string& server,
                          const char* how) {
  if (sequence <= found.seen) return;
  found.seen = sequence;
  found.seen_at = clock_.Now();
  found.seen_by = server;
  found.seen_as = how;
}

std::string RegisterChecker::Lost(const Read& read, const std::string& what) const {
  const Register& found = registers_.at(read.key);
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Now() - found.seen_at);
  return Concat(what, ", although write ", read.at_least,
                " was acknowledged or read before that was asked; the newest known is write ",
                found.seen, ", ", found.seen_as, " by ", found.seen_by, ' ', age.count(),
                " ms ago, and the last deletion that was started is write ", found.deleted);
}

}  // namespace tinykv::soak
