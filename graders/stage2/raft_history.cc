#include "graders/stage2/raft_history.h"

#include <algorithm>

#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {

rc::Gen<std::vector<RaftReign>> AnyReigns(int count_max) {
  namespace gen = rc::gen;
  const auto reign = gen::build<RaftReign>(gen::set(&RaftReign::keeps, InRange<uint64_t>(0, 9)),
                                           gen::set(&RaftReign::appends, InRange<uint64_t>(0, 4)),
                                           gen::set(&RaftReign::commits, InRange<uint64_t>(0, 6)));
  return gen::resize(count_max, gen::container<std::vector<RaftReign>>(reign));
}

RaftHistory::RaftHistory(const std::vector<RaftReign>& reigns) {
  std::vector<raft::Entry> log;
  raft::Index committed = 0;
  for (const RaftReign& reign : reigns) {
    const raft::Term term = logs_.size() + 1;
    log.resize(committed + reign.keeps % (log.size() - committed + 1));
    const size_t before = log.size();
    for (uint64_t i = 0; i <= reign.appends; ++i) {
      log.push_back({.term = term,
                     .index = log.size() + 1,
                     .data = i == 0 ? raft::Payload() : raft::Payload(Concat('t', term, '.', i))});
    }
    // Only together with an entry of its own does it commit what it found (Raft paper 5.4.2).
    const uint64_t own = reign.commits % (reign.appends + 2);
    if (own > 0) committed = before + own;
    logs_.push_back(log);
    commits_.push_back(committed);
  }
}

raft::Message RaftHistory::AppendOf(raft::Term term, uint64_t previous, uint64_t count,
                                    uint64_t commit) const {
  const std::vector<raft::Entry>& log = LogOf(term);
  previous %= log.size() + 1;
  const size_t end = previous + std::min<size_t>(count, log.size() - previous);
  return {.type = raft::MessageType::kAppend,
          .to = 1,
          .from = LeaderOf(term),
          .term = term,
          .log_term = previous == 0 ? 0 : log[previous - 1].term,
          .index = previous,
          .entries = {log.begin() + static_cast<ptrdiff_t>(previous),
                      log.begin() + static_cast<ptrdiff_t>(end)},
          .commit = commit % (CommitOf(term) + 1)};
}

}  // namespace tinykv::grading
