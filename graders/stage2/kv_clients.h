// KvClients: clients of simulated stores, who share a few keys and write down what they see.
//
// A request takes time to a store and back, and may get lost either way. A client goes to whom it
// takes for the leader and follows what region errors say. Each put writes one value to two column
// families in one write set, and each get reads both with one reader, so that a write or a reader
// that is not of one moment shows.
//
// What a client does not know: a put without an answer, or answered with "stale command", may have
// taken effect, may do so later, or never. The history says just that.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graders/check/recorder.h"
#include "graders/stage2/kv_plan.h"
#include "graders/stage2/store_process.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

class KvClients {
 public:
  // The store of a number, or null while it is down. Its errors are no finding while `may_fail`
  // says so.
  struct Stores {
    std::function<StoreProcess*(uint64_t)> find;
    std::function<bool(uint64_t)> may_fail;
  };
  // `world` must outlive the clients, and no event of it may run once they are gone.
  KvClients(sim::World& world, const KvPlan& plan, Stores stores);

  // Clients go on until they are told to stop; those that wait for an answer still do.
  void Start();
  void Stop() { stopped_ = true; }
  bool idle() const;

  // From now on each client has to get through to the end of a put and of a get.
  void ExpectProgress();
  bool all_progressed() const;

  // One more client reads every key. REQUIRES: stopped.
  void ReadAll();

  const check::Recorder& recorder() const { return recorder_; }
  // What a client saw that no history is needed to condemn.
  const Result& finding() const { return finding_; }
  // What came out of a handler.
  std::exception_ptr exception() const { return exception_; }
  uint64_t answered() const { return answered_; }
  // How each client stands, for findings.
  std::string Describe() const;

 private:
  using Type = check::Operation::Type;
  struct Request {
    Type type = Type::kGet;
    std::string key = {};
    std::string value = {};
  };
  using Reply = absl::StatusOr<std::optional<std::string>>;  // what a get found
  struct Client {
    Random random;
    uint64_t target = 1;   // the store that it takes for the leader
    uint64_t attempt = 0;  // replies to others are too late
    bool busy = false;
    bool reads_all = false;
    Request request = {};
    size_t operation = 0;  // in the recorder
    std::string last_trouble = {};
    bool put_done = false;
    bool get_done = false;
  };

  static asio::awaitable<Reply> Serve(StoreProcess& store, Request request,
                                      kvrpcpb::Context context);
  void ScheduleNext(size_t number);
  void Begin(size_t number, Request request);
  void Send(size_t number);
  void Arrive(size_t number, uint64_t attempt);
  // A store that has led since a request arrived knows what became of it. `term`: in which it led
  // then, if it did.
  void CheckStale(StoreProcess& store, std::optional<raft::Term> term, const absl::Status& status);
  void Answer(size_t number, uint64_t attempt, Reply reply);
  void OnReply(size_t number, const Reply& reply);
  void OnRegionError(size_t number, const errorpb::Error& error);
  void Retry(size_t number);
  // The client has an answer, or gives up.
  void End(size_t number);
  void Note(size_t number, const std::string& text);
  // How long a client waits for an answer.
  Duration PatienceOf(size_t number) const;
  Duration Delay();
  kvrpcpb::Context ContextOf(const Client& client, size_t number) const;

  sim::World& world_;
  const KvPlan& plan_;
  const Stores stores_;
  Random random_;
  std::vector<Client> clients_;
  check::Recorder recorder_;
  Result finding_;
  std::exception_ptr exception_;
  bool stopped_ = false;
  uint64_t values_ = 0;
  uint64_t answered_ = 0;
};

}  // namespace tinykv::grading
