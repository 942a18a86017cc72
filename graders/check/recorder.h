// Recorder: writes down a history as it happens, on a clock of its own that counts events.
//
// Thread-safety: none; for clients on real threads, call it under a lock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graders/check/linearizability.h"

namespace tinykv::check {

class Recorder {
 public:
  // An operation begins. `operation` holds all but the moments, and no value if it is a get.
  // Returns its number.
  size_t Call(Operation operation) {
    operation.called = ++now_;
    history_.push_back(std::move(operation));
    return history_.size() - 1;
  }

  // Operation `number` has succeeded; `found` is what a get found. An operation for which this is
  // not called counts as one that may or may not have taken effect.
  void Return(size_t number) { history_[number].returned = ++now_; }
  void Return(size_t number, std::optional<std::string> found) {
    history_[number].value = std::move(found);
    Return(number);
  }

  // The history for the checker. Gets without an answer say nothing and are left out.
  History history() const {
    History answered;
    for (const Operation& operation : history_) {
      const bool open = operation.returned == kNeverReturned;
      if (!open || operation.type != Operation::Type::kGet) answered.push_back(operation);
    }
    return answered;
  }

 private:
  Moment now_ = 0;
  History history_;
};

// The last operations as text, for messages.
inline std::vector<std::string> ToEvents(const History& history, size_t operations_max = 40) {
  std::vector<std::string> events;
  const size_t first = history.size() - std::min(history.size(), operations_max);
  for (size_t i = first; i < history.size(); ++i) events.push_back(ToString(history[i]));
  return events;
}

}  // namespace tinykv::check
