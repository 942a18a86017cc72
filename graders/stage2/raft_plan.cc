#include "graders/stage2/raft_plan.h"

#include <algorithm>
#include <ostream>

#include "common/random.h"
#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr uint32_t kFaultyMsMax = 12'000;

// True in so many of a hundred plans; gets smaller to false.
rc::Gen<bool> Sometimes(int percent) {
  return gen::map(InRange<int>(0, 100), [percent](int drawn) { return drawn >= 100 - percent; });
}

std::string ExtrasOf(const RaftPlan& plan) {
  std::string text;
  if (plan.pre_vote) text += ", pre-vote";
  if (plan.check_quorum) text += ", check-quorum";
  if (plan.lease) text += ", lease";
  if (plan.fast_back_off) text += ", fast back-off";
  if (plan.commit_rides_along) text += ", commit index rides along";
  if (!plan.pipelining) text += ", one append in flight";
  if (plan.one_entry_a_message) text += ", one entry a message";
  return text;
}

}  // namespace

sim::LinkOptions LinksOf(const RaftPlan& plan) {
  sim::LinkOptions links{.delay_min = std::chrono::milliseconds(1),
                         .delay_max = std::chrono::milliseconds(10)};
  if (plan.calm_links) return links;
  Random random(plan.seed ^ 0x11);
  return sim::LinkOptions::Draw(random);
}

rc::Gen<RaftPlan> AnyRaftPlan(const RaftPlanKind& kind) {
  return gen::build<RaftPlan>(
      gen::set(&RaftPlan::seed, gen::noShrink(InRange<uint64_t>(0, uint64_t{1} << 32))),
      gen::set(&RaftPlan::members,
               gen::weightedElement<uint64_t>({{6, 3}, {4, 5}, {1, 2}, {1, 4}})),
      gen::set(&RaftPlan::pre_vote, Sometimes(30)),
      gen::set(&RaftPlan::check_quorum, Sometimes(30)), gen::set(&RaftPlan::lease, Sometimes(50)),
      gen::set(&RaftPlan::fast_back_off, Sometimes(50)),
      gen::set(&RaftPlan::commit_rides_along, Sometimes(50)),
      gen::set(&RaftPlan::pipelining, gen::map(Sometimes(30), [](bool off) { return !off; })),
      gen::set(&RaftPlan::one_entry_a_message, Sometimes(30)),
      gen::set(&RaftPlan::drift_percent, gen::element<uint32_t>(0, 0, 5, 10)),
      gen::set(&RaftPlan::calm_links, kind.bad_links
                                          ? gen::map(Sometimes(75), [](bool bad) { return !bad; })
                                          : gen::just(true)),
      gen::set(&RaftPlan::write_ms_max, gen::element<uint32_t>(0, 5, 50, 400)),
      gen::set(&RaftPlan::propose_every_ms, gen::element<uint32_t>(50, 20, 200, 1000)),
      gen::set(&RaftPlan::read_every_ms, gen::element<uint32_t>(0, 70, 300)),
      gen::set(&RaftPlan::compact_every, gen::element<uint32_t>(0, 0, 3, 20)),
      gen::set(&RaftPlan::faulty_ms, InRange<uint32_t>(1000, kFaultyMsMax)),
      gen::set(
          &RaftPlan::faults,
          AnyWorldFaults({.crashes = kind.crashes, .partitions = kind.partitions}, kFaultyMsMax)));
}

std::ostream& operator<<(std::ostream& out, const RaftPlan& plan) {
  out << Counted(plan.members, "peer") << ExtrasOf(plan) << '\n';
  if (plan.drift_percent > 0) {
    out << "clocks run up to " << plan.drift_percent << " % too fast or too slow\n";
  }
  out << "links: " << ToString(LinksOf(plan)) << '\n';
  if (plan.write_ms_max > 0) {
    out << "a write to a disk takes up to " << plan.write_ms_max << " ms\n";
  }
  if (plan.propose_every_ms > 0) {
    out << "every " << plan.propose_every_ms << " ms: whoever leads is asked to append an entry\n";
  }
  if (plan.read_every_ms > 0) {
    out << "every " << plan.read_every_ms << " ms: whoever leads is asked for a read\n";
  }
  if (plan.compact_every > 0) {
    out << "logs are compacted every " << plan.compact_every << " entries\n";
  }
  for (const WorldFault& fault : plan.faults) {
    if (fault.at_ms < plan.faulty_ms) out << fault << '\n';
  }
  return out << "at " << plan.faulty_ms << " ms: everything is mended\n";
}

}  // namespace tinykv::grading
