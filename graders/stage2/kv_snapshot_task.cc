// 2c-snapshot: a region is made a snapshot of, sent, and put in place at another store, whose disk
// may stop at any change. It is there whole or not at all, and touches nothing else.
#include <algorithm>
#include <ostream>

#include "common/status.h"
#include "common/storage/column_family.h"
#include "common/strings.h"
#include "graders/sim/sim_clock.h"
#include "graders/stage2/applier_bench.h"
#include "graders/stage2/kv_tasks.h"
#include "graders/stage2/store_process.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raftstore/bootstrap.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

// The region has the keys [b, m).
constexpr char kKeys[] = "abcdlmz";
constexpr raft::EntryId kLast{.index = 20, .term = 6};
constexpr raft::Index kAppliedBefore = 7;

struct Pair {
  int family = 0;
  int key = 0;
};

struct Program {
  uint64_t seed = 0;
  std::vector<Pair> sent = {};   // what the sender has when the snapshot is taken
  std::vector<Pair> later = {};  // and what it gets then; all the rest of it goes
  std::vector<Pair> old = {};    // what the receiver has
  // While the snapshot comes, so many changes of the receiver's disk are done, then the power
  // fails; 0: it fails when all is done.
  uint32_t halt_at_change = 0;
};

std::string PlaceOf(const Pair& pair) {
  return Concat(kColumnFamilyNames[pair.family], ' ', std::string_view(&kKeys[pair.key], 1));
}

void Print(std::ostream& out, std::string_view who, const std::vector<Pair>& pairs) {
  out << who;
  for (const Pair& pair : pairs) out << ' ' << PlaceOf(pair) << ';';
  out << (pairs.empty() ? " nothing\n" : "\n");
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "the region has the keys from b to before m\n";
  Print(out, "the sender has:", program.sent);
  Print(out, "and, after the snapshot was taken:", program.later);
  Print(out, "the receiver has:", program.old);
  if (program.halt_at_change > 0) {
    out << "change " << program.halt_at_change << " of its disk is not done: the power fails\n";
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto pair =
      gen::build<Pair>(gen::set(&Pair::family, InRange(0, 3)),
                       gen::set(&Pair::key, InRange(0, static_cast<int>(sizeof(kKeys)) - 1)));
  const auto pairs = gen::resize(12, gen::container<std::vector<Pair>>(pair));
  return gen::build<Program>(gen::set(&Program::seed, gen::noShrink(InRange<uint64_t>(0, 1000))),
                             gen::set(&Program::sent, pairs), gen::set(&Program::later, pairs),
                             gen::set(&Program::old, pairs),
                             gen::set(&Program::halt_at_change, InRange<uint32_t>(0, 40)));
}

metapb::Region RegionOfVersion(uint64_t version) {
  metapb::Region region = raftstore::FirstRegion({1, 2});
  region.set_start_key("b");
  region.set_end_key("m");
  region.mutable_region_epoch()->set_version(version);
  return region;
}

bool IsInRegion(const std::string& place) {
  const char key = place.back();
  return key >= 'b' && key < 'm';
}

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program),
        sender_(program.seed, handlers_),
        receiver_(program.seed + 1, handlers_) {}

  Result Run() {
    if (absl::Status status = Prepare(); !status.ok()) return Wrong(status.ToString());
    receiver_.disk().SetFaults({.halt_at_change = program_.halt_at_change});
    const absl::Status sent = Send();
    if (!sent.ok() && !receiver_.disk().halted()) return Wrong(sent.ToString());
    if (!receiver_.disk().halted()) {
      if (!is_in_place_)
        return Stuck("the snapshot has arrived, and nobody says that it is in place");
      if (Result found = Check(true)) return found;
    }
    receiver_.FailPower();
    receiver_.disk().SetFaults({});
    if (absl::Status status = receiver_.Open(); !status.ok()) return Wrong(status.ToString());
    const auto state = receiver_.ApplyState(1);
    if (!state.ok()) return Wrong(state.status().ToString());
    const bool is_new = state->applied_index() == kLast.index;
    if (is_in_place_ && !is_new) {
      return Wrong("the snapshot was said to be in place, and a power failure took it away");
    }
    return Check(is_new);
  }

 private:
  absl::Status Prepare() {
    TKV_RETURN_IF_ERROR(sender_.Open());
    TKV_RETURN_IF_ERROR(receiver_.Open());
    TKV_RETURN_IF_ERROR(Put(sender_, program_.sent, "sent"));
    lsm::WriteBatch batch;
    raft_serverpb::RegionLocalState local;
    *local.mutable_region() = RegionOfVersion(1);
    raft_serverpb::RaftApplyState state;
    state.set_applied_index(kAppliedBefore);
    batch.Put(raftstore::kMetaFamily, raftstore::RegionStateKey(1), local.SerializeAsString());
    batch.Put(raftstore::kMetaFamily, raftstore::ApplyStateKey(1), state.SerializeAsString());
    TKV_RETURN_IF_ERROR(receiver_.kv().Write({.sync = true}, batch));
    TKV_RETURN_IF_ERROR(Put(receiver_, program_.old, "old"));
    receiver_.Start({.region = RegionOfVersion(1), .state = state, .applied_term = 5},
                    {.applied =
                         [this](const raftstore::Applied& applied) {
                           is_in_place_ = is_in_place_ || applied.snapshot;
                         },
                     .failed = [](const auto&) {}});
    receiver_.Work();
    return absl::OkStatus();
  }

  static absl::Status Put(ApplierBench& store, const std::vector<Pair>& pairs, const char* value) {
    lsm::WriteBatch batch;
    for (const Pair& pair : pairs) {
      batch.Put(static_cast<lsm::ColumnFamilyId>(pair.family), {&kKeys[pair.key], 1}, value);
    }
    return store.kv().Write({.sync = true}, batch);
  }

  // Takes the snapshot, changes the sender, and carries it over.
  absl::Status Send() {
    sim::SimClock clock;
    raftstore::RateLimit no_limit(0, clock);
    raftstore::Snapshots sending(sender_.kv(), sender_.options(), kSnapshotFolder, no_limit);
    raftstore::Snapshots receiving(receiver_.kv(), receiver_.options(), kSnapshotFolder, no_limit);
    TKV_RETURN_IF_ERROR(sending.Open());
    TKV_RETURN_IF_ERROR(receiving.Open());
    TKV_ASSIGN_OR_RETURN(raftstore::BuiltSnapshot built, Build(sending));
    raft_serverpb::RaftMessage message;
    message.set_region_id(1);
    message.mutable_message()->set_msg_type(eraftpb::MsgSnapshot);
    message.mutable_message()->mutable_snapshot()->set_data(
        std::string(built.snapshot.data.view()));
    const auto source = sending.Send(message, std::move(built));
    const auto sink = receiving.Receive([this](raftstore::ReceivedSnapshot received) {
      raft_serverpb::RaftSnapshotData data;
      data.ParseFromString(received.message.message().snapshot().data());
      receiver_.applier().Apply(raftstore::ApplySnapshot{
          .region = data.region(), .last = kLast, .files = std::move(received.files)});
    });
    while (true) {
      TKV_ASSIGN_OR_RETURN(auto chunk, source->Next());
      if (!chunk) break;
      TKV_RETURN_IF_ERROR(sink->Take(*std::move(chunk)));
    }
    TKV_RETURN_IF_ERROR(sink->Finish());
    receiver_.Work();
    return absl::OkStatus();
  }

  absl::StatusOr<raftstore::BuiltSnapshot> Build(raftstore::Snapshots& sending) {
    raftstore::AppliedRegion region{.region = RegionOfVersion(3), .applied_term = kLast.term};
    region.state.set_applied_index(kLast.index);
    const auto moment = sender_.kv().NewSnapshot();
    lsm::WriteBatch batch;
    for (const Pair& pair : program_.sent) {
      batch.Delete(static_cast<lsm::ColumnFamilyId>(pair.family), {&kKeys[pair.key], 1});
    }
    TKV_RETURN_IF_ERROR(sender_.kv().Write({}, batch));
    TKV_RETURN_IF_ERROR(Put(sender_, program_.later, "later"));
    return sending.Build(region, *moment);
  }

  KvContent Wanted(bool is_new) const {
    KvContent content;
    for (const Pair& pair : program_.old) content[PlaceOf(pair)] = "old";
    if (!is_new) return content;
    std::erase_if(content, [](const auto& entry) { return IsInRegion(entry.first); });
    for (const Pair& pair : program_.sent) {
      if (IsInRegion(PlaceOf(pair))) content[PlaceOf(pair)] = "sent";
    }
    return content;
  }

  // The receiver has the data, and says of it, that of before the snapshot or that of after it.
  Result Check(bool is_new) {
    const auto found = receiver_.Content();
    if (!found.ok()) return Wrong(found.status().ToString());
    if (*found != Wanted(is_new)) {
      return Wrong(Concat("the apply state is that of ", is_new ? "after" : "before",
                          " the snapshot, so the data must be: ", ToString(Wanted(is_new)),
                          "; and is: ", ToString(*found)));
    }
    const auto state = receiver_.ApplyState(1);
    if (!state.ok()) return Wrong(state.status().ToString());
    const raft::EntryId begin{.index = state->truncated_state().index(),
                              .term = state->truncated_state().term()};
    const raft::EntryId wanted = is_new ? kLast : raft::EntryId{};
    const raft::Index applied = is_new ? kLast.index : kAppliedBefore;
    if (begin != wanted || state->applied_index() != applied) {
      return Wrong(Concat("the apply state must have entry ", applied,
                          " applied and the log begin "
                          "behind ",
                          raft::ToString(wanted), "; it has entry ", state->applied_index(),
                          " and ", raft::ToString(begin)));
    }
    return CheckRegion(is_new ? 3 : 1);
  }

  Result CheckRegion(uint64_t version) {
    const auto stored =
        receiver_.kv().Get({}, raftstore::kMetaFamily, raftstore::RegionStateKey(1));
    if (!stored.ok()) return Wrong(stored.status().ToString());
    raft_serverpb::RegionLocalState local;
    if (stored->has_value()) local.ParseFromString(**stored);
    const uint64_t found = local.region().region_epoch().version();
    if (found == version) return std::nullopt;
    return Wrong(
        Concat("the region's state must be of version ", version, ", and is of version ", found));
  }

  const Program& program_;
  const raftstore::AdminHandlers handlers_;
  ApplierBench sender_;
  ApplierBench receiver_;
  bool is_in_place_ = false;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task KvSnapshot() {
  return {.id = "2c-snapshot",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
