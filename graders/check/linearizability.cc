#include "graders/check/linearizability.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/check.h"
#include "common/strings.h"

namespace tinykv::check {
namespace {

using Value = std::optional<std::string>;  // of a key; none: it is absent

std::string Show(const Value& value) { return value ? Quote(*value) : "nothing"; }

// The operations of one key, as a list of calls and returns in order of time from which the search
// takes those that it has put in order ("dancing links": what is taken out can be put back).
class Events {
 public:
  struct Event {
    size_t operation = 0;
    bool is_return = false;
  };

  explicit Events(const std::vector<const Operation*>& operations) {
    std::vector<std::pair<Moment, Event>> sorted;
    for (size_t i = 0; i < operations.size(); ++i) {
      sorted.push_back({operations[i]->called, {i, false}});
      sorted.push_back({operations[i]->returned, {i, true}});
    }
    // Stable, and calls are first: at kNeverReturned there are only returns.
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    places_.resize(operations.size());
    nodes_.resize(sorted.size() + 1);
    for (size_t at = 1; at <= sorted.size(); ++at) {
      const Event event = sorted[at - 1].second;
      nodes_[at].event = event;
      (event.is_return ? places_[event.operation].second : places_[event.operation].first) = at;
    }
    for (size_t at = 0; at < nodes_.size(); ++at) {
      nodes_[at].next = (at + 1) % nodes_.size();
      nodes_[nodes_[at].next].previous = at;
    }
  }

  // The first event, or 0 if none is left.
  size_t first() const { return nodes_[0].next; }
  size_t next(size_t at) const { return nodes_[at].next; }
  const Event& operator[](size_t at) const { return nodes_[at].event; }
  size_t call_of(size_t operation) const { return places_[operation].first; }

  void TakeOut(size_t operation) {
    Unlink(places_[operation].first);
    Unlink(places_[operation].second);
  }
  // REQUIRES: `operation` is the one that was taken out last.
  void PutBack(size_t operation) {
    Link(places_[operation].second);
    Link(places_[operation].first);
  }

 private:
  struct Node {
    Event event;
    size_t previous = 0;
    size_t next = 0;
  };

  void Unlink(size_t at) {
    nodes_[nodes_[at].previous].next = nodes_[at].next;
    nodes_[nodes_[at].next].previous = nodes_[at].previous;
  }
  void Link(size_t at) {
    nodes_[nodes_[at].previous].next = at;
    nodes_[nodes_[at].next].previous = at;
  }

  std::vector<Node> nodes_;                        // a ring; 0 is where it is closed
  std::vector<std::pair<size_t, size_t>> places_;  // of call and return, by operation
};

// The search for one key.
class Search {
 public:
  Search(std::vector<const Operation*> operations, uint64_t configurations_max)
      : operations_(std::move(operations)),
        configurations_max_(configurations_max),
        events_(operations_),
        done_(operations_.size(), false) {}

  Verdict Run() {
    size_t at = events_.first();
    while (at != 0) {
      const Events::Event event = events_[at];
      if (!event.is_return) {
        // May this operation be the next one?
        at = TakeNext(event.operation) ? events_.first() : events_.next(at);
        if (configurations_ > configurations_max_) return Verdict::kUnknown;
        continue;
      }
      // Whatever is left has no answer, and need never happen.
      if (operations_[event.operation]->returned == kNeverReturned) break;
      NoteDeadEnd(event.operation);
      // This operation has returned, but fits nowhere before: an earlier choice was wrong.
      if (chosen_.empty()) return Verdict::kViolation;
      at = events_.next(GiveUpLast());
    }
    return Verdict::kLinearizable;
  }

  uint64_t configurations() const { return configurations_; }

  // REQUIRES: Run() found a violation.
  std::string Explanation() const {
    const Operation& operation = *operations_[stuck_operation_];
    return Concat("key ", Quote(operation.key), ": no order of its operations explains what ",
                  ToString(operation), " saw. The best one that was found puts ", stuck_depth_,
                  " of ", operations_.size(), " operations before it, after which the key has ",
                  Show(stuck_value_));
  }

 private:
  struct Choice {
    size_t operation = 0;
    Value value_before;
  };

  // Makes `operation` the next one in the order. False if it does not fit, or if this configuration
  // was visited before (and led nowhere).
  bool TakeNext(size_t operation) {
    const Operation& taken = *operations_[operation];
    if (taken.type == Operation::Type::kGet && taken.value != value_) return false;
    Value after = taken.type == Operation::Type::kGet ? value_ : taken.value;
    done_[operation] = true;
    ++configurations_;
    if (!visited_.emplace(done_, after).second) {
      done_[operation] = false;
      return false;
    }
    chosen_.push_back({operation, std::exchange(value_, std::move(after))});
    events_.TakeOut(operation);
    return true;
  }

  // Takes the last choice back; returns where its call stands.
  size_t GiveUpLast() {
    Choice last = std::move(chosen_.back());
    chosen_.pop_back();
    value_ = std::move(last.value_before);
    done_[last.operation] = false;
    events_.PutBack(last.operation);
    return events_.call_of(last.operation);
  }

  // Keeps the longest order for Explanation().
  void NoteDeadEnd(size_t operation) {
    if (has_dead_end_ && chosen_.size() <= stuck_depth_) return;
    has_dead_end_ = true;
    stuck_depth_ = chosen_.size();
    stuck_operation_ = operation;
    stuck_value_ = value_;
  }

  const std::vector<const Operation*> operations_;
  const uint64_t configurations_max_;
  Events events_;
  std::vector<bool> done_;  // by operation: is it in the order
  Value value_;
  std::vector<Choice> chosen_;  // the order so far
  std::set<std::pair<std::vector<bool>, Value>> visited_;
  uint64_t configurations_ = 0;

  bool has_dead_end_ = false;
  size_t stuck_depth_ = 0;
  size_t stuck_operation_ = 0;
  Value stuck_value_;
};

void CheckForm(const Operation& operation) {
  TKV_CHECK(operation.called < operation.returned);
  TKV_CHECK(operation.type != Operation::Type::kPut || operation.value.has_value());
  TKV_CHECK(operation.type != Operation::Type::kDelete || !operation.value.has_value());
}

}  // namespace

LinearizabilityResult CheckLinearizability(const History& history,
                                           const LinearizabilityOptions& options) {
  std::map<std::string, std::vector<const Operation*>> by_key;
  for (const Operation& operation : history) {
    CheckForm(operation);
    // A get without an answer saw nothing that could be wrong.
    const bool lost_get =
        operation.type == Operation::Type::kGet && operation.returned == kNeverReturned;
    if (!lost_get) by_key[operation.key].push_back(&operation);
  }
  LinearizabilityResult result;
  for (auto& [key, operations] : by_key) {
    Search search(std::move(operations), options.configurations_max - result.configurations);
    const Verdict verdict = search.Run();
    result.configurations =
        std::min(result.configurations + search.configurations(), options.configurations_max);
    if (verdict == Verdict::kViolation) {
      result.verdict = verdict;
      result.explanation = search.Explanation();
      return result;
    }
    if (verdict == Verdict::kUnknown) result.verdict = verdict;  // another key may have a violation
  }
  return result;
}

std::string ToString(const Operation& operation) {
  const std::string who = Concat("client ", operation.client, ": ");
  const std::string when = operation.returned == kNeverReturned
                               ? Concat(" [", operation.called, ", no answer]")
                               : Concat(" [", operation.called, ", ", operation.returned, "]");
  switch (operation.type) {
    case Operation::Type::kGet:
      return Concat(who, "get ", Quote(operation.key), " -> ", Show(operation.value), when);
    case Operation::Type::kPut:
      return Concat(who, "put ", Quote(operation.key), " = ", Show(operation.value), when);
    case Operation::Type::kDelete:
      return Concat(who, "delete ", Quote(operation.key), when);
  }
  return "";
}

}  // namespace tinykv::check
