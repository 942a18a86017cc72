// Linearizability of histories of single keys: is there an order of the operations that one client
// alone, working on a plain map, would have seen?
//
// Each operation takes effect at one moment between its call and its return (Herlihy and Wing,
// 1990). The search is that of Wing and Gong with Lowe's memory of configurations ("Testing for
// linearizability", 2017, section 2), key by key, since a history is linearizable if that of each
// key is (locality; Herlihy and Wing, section 3).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tinykv::check {

// A moment on the clock of whoever records a history. Any counter will do that grows with each call
// and each return; no two events share a moment.
using Moment = uint64_t;

// Of an operation that has no answer: it may have taken effect at any moment after its call, may do
// so later, or never.
inline constexpr Moment kNeverReturned = std::numeric_limits<Moment>::max();

// One operation of a client. An operation that failed for certain (nothing was written) does not
// belong into a history.
struct Operation {
  enum class Type { kGet, kPut, kDelete };

  int client = 0;
  Type type = Type::kGet;
  std::string key = {};
  std::optional<std::string> value = {};  // what a get found, or a put wrote
  Moment called = 0;
  Moment returned = kNeverReturned;
};

using History = std::vector<Operation>;

enum class Verdict {
  kLinearizable,
  kViolation,
  kUnknown,  // the budget was spent before either was proved
};

struct LinearizabilityOptions {
  // Configurations that the search may visit, over all keys. A few for each operation are usual; a
  // history with many concurrent operations on one key may take exponentially many.
  uint64_t configurations_max = 10'000'000;
};

struct LinearizabilityResult {
  Verdict verdict = Verdict::kLinearizable;
  // For a violation: the key, the operation that no order explains, and what it could have seen.
  std::string explanation;
  uint64_t configurations = 0;  // visited
};

// Before the history every key is absent. REQUIRES: each operation returns after its call; puts
// have a value, and deletes none.
LinearizabilityResult CheckLinearizability(const History& history,
                                           const LinearizabilityOptions& options = {});

// "client 3: get "k" -> "v" [17, 20]".
std::string ToString(const Operation& operation);

}  // namespace tinykv::check
