// 2b-save: what a peer has written and synced is what it finds after a power failure.
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "graders/stage2/kv_tasks.h"
#include "graders/stage2/store_process.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raftstore/bootstrap.h"
#include "stage2-raftkv/raftstore/peer_storage.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

// What one Ready wants stored: so many entries of a term, behind a point of the log that is not
// decided; or a vote.
struct Save {
  int back = 0;  // how many entries at the end are overwritten
  int entries = 1;
  bool new_term = false;
  uint64_t vote = 0;
  int commit = 0;  // how many more entries are known to be decided
};

struct Program {
  uint64_t seed = 0;
  std::vector<Save> saves = {};
};

std::ostream& operator<<(std::ostream& out, const Program& program) {
  for (const Save& save : program.saves) {
    out << "stored: ";
    if (save.new_term) out << "a new term, with a vote for " << save.vote << "; ";
    out << Counted(save.entries, "entry") << ", " << save.back
        << " before the end of the log; commit index " << save.commit << " higher\n";
  }
  return out << "the power fails, and the peer starts again\n";
}

rc::Gen<Program> AnyProgram() {
  const auto save = gen::build<Save>(
      gen::set(&Save::back, gen::element(0, 0, 1, 2)), gen::set(&Save::entries, InRange(0, 4)),
      gen::set(&Save::new_term, gen::element(false, false, true)),
      gen::set(&Save::vote, InRange<uint64_t>(0, 4)), gen::set(&Save::commit, InRange(0, 3)));
  return gen::build<Program>(
      gen::set(&Program::seed, gen::noShrink(InRange<uint64_t>(0, 1000))),
      gen::set(&Program::saves, gen::resize(10, gen::container<std::vector<Save>>(save))));
}

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program), random_(program.seed), executor_(clock_, random_.Fork()) {}

  Result Run() {
    if (absl::Status status = Prepare(); !status.ok()) return Wrong(status.ToString());
    for (const Save& save : program_.saves) {
      if (absl::Status status = Store(save); !status.ok()) return Wrong(status.ToString());
    }
    disk_.Halt();
    Close();
    disk_.Crash(random_);
    if (absl::Status status = Open(); !status.ok()) return Wrong(status.ToString());
    const auto loaded = raftstore::PeerStorage::Load({*raft_, *kv_}, 1);
    if (!loaded.ok()) {
      return Wrong(Concat("the peer cannot start again: ", MessageOf(loaded.status())));
    }
    return Compare(loaded->raft);
  }

 private:
  absl::Status Prepare() {
    StoreSetup setup{.options = {.cluster_id = 9}, .stores = {1, 2, 3}, .small_tables = true};
    TKV_RETURN_IF_ERROR(PrepareStore(disk_, executor_, setup, 1));
    TKV_RETURN_IF_ERROR(Open());
    TKV_ASSIGN_OR_RETURN(const auto loaded, raftstore::PeerStorage::Load({*raft_, *kv_}, 1));
    model_ = loaded.raft;
    storage_ = std::make_unique<raftstore::PeerStorage>(1, loaded);
    return absl::OkStatus();
  }

  absl::Status Open() {
    const auto options = [&](std::vector<std::string> families) {
      return StoreEngineOptions(disk_, executor_, true, std::move(families));
    };
    TKV_ASSIGN_OR_RETURN(raft_,
                         lsm::DB::Open(options(raftstore::RaftColumnFamilies()), kRaftFolder));
    TKV_ASSIGN_OR_RETURN(kv_, lsm::DB::Open(options(raftstore::KvColumnFamilies()), kKvFolder));
    return absl::OkStatus();
  }

  void Close() {
    storage_.reset();
    raft_.reset();
    kv_.reset();
    executor_.Clear();
  }

  raft::Index Last() const { return model_.boundary.index + model_.entries.size(); }

  absl::Status Store(const Save& save) {
    raft::Ready ready{.must_sync = true};
    raft::HardState& hard = model_.hard_state;
    if (save.new_term) {
      ++hard.term;
      hard.vote = save.vote;
    }
    if (save.entries > 0) {
      const raft::Index first =
          std::max(hard.commit, Last() - std::min<raft::Index>(save.back, Last()));
      model_.entries.resize(first - model_.boundary.index);
      for (int i = 1; i <= save.entries; ++i) {
        const raft::Index index = first + static_cast<raft::Index>(i);
        ready.entries.push_back(
            {.term = hard.term, .index = index, .data = Concat("data ", index, " of ", hard.term)});
        model_.entries.push_back(ready.entries.back());
      }
    }
    hard.commit = std::min(Last(), hard.commit + static_cast<raft::Index>(save.commit));
    if (hard != stored_) ready.hard_state = hard;
    stored_ = hard;
    lsm::WriteBatch batch;
    storage_->SaveReady(ready, batch);
    return raft_->Write({.sync = true}, batch);
  }

  Result Compare(const raft::StoredState& found) const {
    const raft::HardState& wanted = model_.hard_state;
    if (found.hard_state != wanted) {
      return Wrong(Concat("the peer had term ", wanted.term, ", vote ", wanted.vote, ", commit ",
                          wanted.commit, ", and finds term ", found.hard_state.term, ", vote ",
                          found.hard_state.vote, ", commit ", found.hard_state.commit));
    }
    if (found.entries.size() != model_.entries.size()) {
      return Wrong(Concat("the log ended with entry ", Last(), ", and ends with entry ",
                          found.boundary.index + found.entries.size()));
    }
    for (size_t i = 0; i < found.entries.size(); ++i) {
      if (found.entries[i] == model_.entries[i]) continue;
      return Wrong(Concat("entry ", model_.entries[i].index, " was of term ",
                          model_.entries[i].term, ", and the log has one of term ",
                          found.entries[i].term, " there"));
    }
    return std::nullopt;
  }

  const Program& program_;
  Random random_;
  sim::SimClock clock_;
  sim::SimFileSystem disk_;
  sim::SimExecutor executor_;
  std::unique_ptr<lsm::DB> raft_;
  std::unique_ptr<lsm::DB> kv_;
  std::unique_ptr<raftstore::PeerStorage> storage_;
  raft::StoredState model_;
  raft::HardState stored_ = model_.hard_state;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task KvSave() {
  return {.id = "2b-save",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
