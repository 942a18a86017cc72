#include "graders/stage2/kv_plan.h"

#include <algorithm>
#include <ostream>

#include "common/random.h"
#include "common/strings.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr uint32_t kFaultyMsMax = 10'000;
// By then somebody has been cut off for long enough to need a snapshot, and come back.
constexpr uint32_t kSnapshotMs = 5000;

rc::Gen<bool> Sometimes(int percent) {
  return gen::map(InRange<int>(0, 100), [percent](int drawn) { return drawn >= 100 - percent; });
}

rc::Gen<bool> Usually(int percent) {
  return gen::map(Sometimes(100 - percent), [](bool drawn) { return !drawn; });
}

// Where logs are compacted, somebody must fall behind, before whatever else goes wrong.
rc::Gen<std::vector<WorldFault>> AnyFaults(const KvPlanKind& kind) {
  const auto drawn = AnyWorldFaults(kind.faults, kFaultyMsMax);
  if (!kind.compaction) return drawn;
  return gen::map(gen::pair(InRange<uint64_t>(1, 4), drawn), [](auto pair) {
    auto& [peer, faults] = pair;
    faults.insert(
        faults.begin(),
        {.kind = WorldFault::Kind::kIsolate, .peer = peer, .at_ms = 1500, .for_ms = 2500});
    return std::move(faults);
  });
}

// A store loses its disk. What it has acknowledged, one of the others may lack: because it does not
// hear the third, or is cut off and comes back.
rc::Gen<std::vector<WorldFault>> AnyLoss() {
  using Kind = WorldFault::Kind;
  const auto drawn =
      gen::tuple(InRange<uint64_t>(1, 4), InRange<uint32_t>(500, 5000), InRange<uint32_t>(1, 1500),
                 InRange<uint32_t>(1, 1500), InRange<int>(0, 4));
  return gen::map(drawn, [](const auto& values) {
    const auto& [peer, at_ms, before_ms, for_ms, others] = values;
    const uint64_t left = peer % 3 + 1;
    const uint64_t right = left % 3 + 1;
    std::vector<WorldFault> faults = {
        {.kind = Kind::kWipe, .peer = peer, .at_ms = at_ms + before_ms, .for_ms = for_ms}};
    if (others == 1) {
      faults.push_back(
          {.kind = Kind::kIsolate, .peer = left, .at_ms = at_ms, .for_ms = before_ms + for_ms / 2});
    } else if (others > 1) {
      const uint32_t long_ms = before_ms + for_ms + 2500;
      for (const auto& [from, to] : {std::pair(left, right), std::pair(right, left)}) {
        faults.push_back(
            {.kind = Kind::kCutLink, .peer = from, .other = to, .at_ms = at_ms, .for_ms = long_ms});
      }
    }
    return faults;
  });
}

}  // namespace

bool KvPlan::wipes() const {
  return std::any_of(faults.begin(), faults.end(),
                     [](const WorldFault& fault) { return fault.kind == WorldFault::Kind::kWipe; });
}

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
      gen::set(&KvPlan::stores, kind.compaction
                                    ? gen::weightedElement<uint64_t>({{5, 3}, {1, 5}})
                                    : gen::weightedElement<uint64_t>({{5, 3}, {1, 5}, {1, 1}})),
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
      gen::set(&KvPlan::patience_ms, gen::element<uint32_t>(2000, 2000, 600)),
      gen::set(&KvPlan::stray_percent, gen::element<uint32_t>(0, 0, 30)),
      gen::set(&KvPlan::first_appends_lost, kind.bad_links ? Sometimes(25) : gen::just(false)),
      gen::set(&KvPlan::value_bytes, gen::element<uint32_t>(8, 8, 300)),
      gen::set(&KvPlan::log_entries_max,
               kind.compaction ? gen::element<uint32_t>(5, 10, 20) : gen::just<uint32_t>(0)),
      gen::set(&KvPlan::faulty_ms,
               InRange<uint32_t>(kind.compaction ? kSnapshotMs : 2000, kFaultyMsMax)),
      gen::set(&KvPlan::faults, AnyFaults(kind)));
}

rc::Gen<KvPlan> AnyInterruptedSnapshot() {
  const auto cut_off = gen::map(InRange<uint64_t>(1, 4), [](uint64_t peer) {
    return std::vector<WorldFault>{
        {.kind = WorldFault::Kind::kIsolate, .peer = peer, .at_ms = 1500, .for_ms = 1500}};
  });
  const auto plans = gen::build<KvPlan>(
      gen::set(&KvPlan::seed, gen::noShrink(InRange<uint64_t>(0, uint64_t{1} << 32))),
      gen::set(&KvPlan::small_tables, Sometimes(50)),
      // So many that some are written only while the store is away; and after the snapshot there is
      // little to do, so that no second one mends what the first left.
      gen::set(&KvPlan::keys, gen::just<uint64_t>(60)),
      gen::set(&KvPlan::clients, gen::just<uint64_t>(1)),
      gen::set(&KvPlan::pause_ms, gen::just(10u)),
      gen::set(&KvPlan::log_entries_max, gen::just(30u)),
      gen::set(&KvPlan::interrupt_at_change,
               gen::map(InRange<uint32_t>(0, 70),
                        [](uint32_t drawn) { return drawn < 20 ? 0 : drawn - 20; })),
      gen::set(&KvPlan::few_snapshots, gen::just(true)),
      gen::set(&KvPlan::install_sync_ms, gen::element<uint32_t>(0, 50, 150, 250)),
      gen::set(&KvPlan::faults, cut_off));
  return gen::map(plans, [](KvPlan plan) {
    if (plan.interrupt_at_change > 0) plan.install_sync_ms = 0;
    // Without an interruption, until who was never answered would have sent another snapshot.
    plan.faulty_ms = plan.interrupt_at_change > 0 ? 3700 : plan.install_sync_ms > 0 ? 8000 : 6000;
    return plan;
  });
}

rc::Gen<KvPlan> AnyLostDisks() {
  const KvPlanKind kind{.faults = {.crashes = true, .kills = true, .partitions = true},
                        .bad_links = true,
                        .compaction = true};
  return gen::map(gen::tuple(AnyKvPlan(kind), AnyLoss(), AnyLoss(), Sometimes(30)), [](auto drawn) {
    auto& [plan, first, second, are_two] = drawn;
    if (plan.stores == 1) plan.stores = 3;
    plan.faults.insert(plan.faults.end(), first.begin(), first.end());
    if (are_two) plan.faults.insert(plan.faults.end(), second.begin(), second.end());
    return plan;
  });
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
  if (plan.patience_ms < 2000)
    out << "client 1 waits " << plan.patience_ms << " ms for an answer\n";
  if (plan.stray_percent > 0) {
    out << plan.stray_percent << " % of gets go to any store, whoever leads\n";
  }
  if (plan.first_appends_lost) out << "the first append of a new leader to each other is lost\n";
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
  if (plan.install_sync_ms > 0) {
    out << "once a snapshot is sent to a store, clients rest, and each sync there takes "
        << plan.install_sync_ms << " ms\n";
  }
  for (const WorldFault& fault : plan.faults) {
    if (fault.at_ms < plan.faulty_ms) out << fault << '\n';
  }
  return out << "at " << plan.faulty_ms << " ms: everything is mended\n";
}

}  // namespace tinykv::grading
