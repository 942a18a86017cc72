#include "graders/stage2/kv_plan.h"

#include <ostream>

#include "common/random.h"
#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr uint32_t kFaultyMsMax = 10'000;

rc::Gen<bool> Sometimes(int percent) {
  return gen::map(InRange<int>(0, 100), [percent](int drawn) { return drawn >= 100 - percent; });
}

rc::Gen<bool> Usually(int percent) {
  return gen::map(Sometimes(100 - percent), [](bool drawn) { return !drawn; });
}

}  // namespace

sim::LinkOptions LinksOf(const KvPlan& plan) {
  sim::LinkOptions links{.delay_min = std::chrono::milliseconds(1),
                         .delay_max = std::chrono::milliseconds(5)};
  if (plan.calm_links) return links;
  Random random(plan.seed ^ 0x11);
  return sim::LinkOptions::Draw(random);
}

rc::Gen<KvPlan> AnyKvPlan(const KvPlanKind& kind) {
  return gen::build<KvPlan>(
      gen::set(&KvPlan::seed, gen::noShrink(InRange<uint64_t>(0, uint64_t{1} << 32))),
      gen::set(&KvPlan::stores, gen::weightedElement<uint64_t>({{5, 3}, {1, 5}, {1, 1}})),
      gen::set(&KvPlan::lease, Usually(60)),
      gen::set(&KvPlan::drift_percent,
               kind.drift ? gen::element<uint32_t>(0, 2, 8) : gen::just<uint32_t>(0)),
      gen::set(&KvPlan::calm_links, kind.bad_links ? Usually(30) : gen::just(true)),
      gen::set(&KvPlan::sync_ms, gen::element<uint32_t>(1, 1, 8, 40)),
      gen::set(&KvPlan::write_us, gen::element<uint32_t>(10, 10, 2000, 20'000)),
      gen::set(&KvPlan::small_tables, Sometimes(40)),
      gen::set(&KvPlan::clients, InRange<uint64_t>(1, 6)),
      gen::set(&KvPlan::keys, gen::element<uint64_t>(1, 2, 3, 30)),
      gen::set(&KvPlan::pause_ms, gen::element<uint32_t>(30, 5, 200)),
      gen::set(&KvPlan::loss_percent,
               kind.bad_links ? gen::element<uint32_t>(0, 2, 10) : gen::just<uint32_t>(0)),
      gen::set(&KvPlan::value_bytes, gen::element<uint32_t>(8, 8, 300)),
      gen::set(&KvPlan::log_entries_max,
               kind.compaction ? gen::element<uint32_t>(5, 10, 40) : gen::just<uint32_t>(0)),
      gen::set(&KvPlan::faulty_ms, InRange<uint32_t>(2000, kFaultyMsMax)),
      gen::set(&KvPlan::faults, AnyWorldFaults(kind.faults, kFaultyMsMax)));
}

rc::Gen<KvPlan> AnyInterruptedSnapshot() {
  const auto cut_off = gen::map(InRange<uint64_t>(1, 4), [](uint64_t peer) {
    return std::vector<WorldFault>{
        {.kind = WorldFault::Kind::kIsolate, .peer = peer, .at_ms = 1500, .for_ms = 1500}};
  });
  return gen::build<KvPlan>(
      gen::set(&KvPlan::seed, gen::noShrink(InRange<uint64_t>(0, uint64_t{1} << 32))),
      gen::set(&KvPlan::small_tables, Sometimes(50)),
      // So many that some are written only while the store is away; and after the snapshot there is
      // little to do, so that no second one mends what the first left.
      gen::set(&KvPlan::keys, gen::just<uint64_t>(60)),
      gen::set(&KvPlan::clients, gen::just<uint64_t>(1)),
      gen::set(&KvPlan::pause_ms, gen::just(10u)),
      gen::set(&KvPlan::log_entries_max, gen::just(30u)),
      gen::set(&KvPlan::interrupt_at_change, InRange<uint32_t>(0, 50)),
      gen::set(&KvPlan::faulty_ms, gen::just(3700u)), gen::set(&KvPlan::faults, cut_off));
}

std::ostream& operator<<(std::ostream& out, const KvPlan& plan) {
  out << Counted(plan.stores, "store") << (plan.lease ? ", leases" : ", no leases")
      << (plan.small_tables ? ", small tables" : "") << '\n';
  if (plan.drift_percent > 0) {
    out << "clocks run up to " << plan.drift_percent << " % too fast or too slow\n";
  }
  out << "links: " << ToString(LinksOf(plan)) << "; a sync takes " << plan.sync_ms
      << " ms, and any other operation of a disk " << plan.write_us << " us\n";
  out << Counted(plan.clients, "client") << " on " << Counted(plan.keys, "key")
      << ", pauses of up to " << plan.pause_ms << " ms, values of " << plan.value_bytes
      << " bytes\n";
  if (plan.loss_percent > 0) {
    out << plan.loss_percent << " % of requests and of replies get lost\n";
  }
  if (plan.log_entries_max > 0) {
    out << "logs are compacted at " << plan.log_entries_max << " entries\n";
  }
  if (plan.interrupt_at_change > 0) {
    out << "once the first piece of a snapshot has arrived at a store, change "
        << plan.interrupt_at_change << " of its disk does not happen: it crashes\n";
  }
  for (const WorldFault& fault : plan.faults) {
    if (fault.at_ms < plan.faulty_ms) out << fault << '\n';
  }
  return out << "at " << plan.faulty_ms << " ms: everything is mended\n";
}

}  // namespace tinykv::grading
