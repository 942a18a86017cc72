// StoreProbe: reads that are put to one store, whether it leads or not.
//
// A client leaves a store that does not answer, and asks the new leader; so it would hardly ever
// meet an old leader that takes itself for one still and answers with what it had, as one may that
// was paused or cut off from the others. A probe goes on asking it. Its reads wait for long, also
// in the socket of a store that is paused: those that began after a write was acknowledged
// elsewhere must not be answered without it, whenever that is.
//
// Thread-safety: none; its answers come on gRPC's threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/env/executor.h"
#include "common/mutex.h"
#include "common/random.h"
#include "graders/soak/register_checker.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv::soak {

class StoreProbe {
 public:
  // Of a read that the store has served; whatever else it says is none of our business.
  using OnAnswer = std::function<void(const RegisterChecker::Read& read,
                                      const std::optional<std::string>& value)>;

  struct Options {
    std::string address = {};
    uint32_t keys = 0;
    uint64_t seed = 0;
    const RegisterChecker* checker = nullptr;  // outlives the probe
    OnAnswer on_answer = {};
  };
  explicit StoreProbe(const Options& options);
  ~StoreProbe();  // breaks off what is not answered. `executor` of Start() is gone by then.

  StoreProbe(const StoreProbe&) = delete;
  StoreProbe& operator=(const StoreProbe&) = delete;

  // Reads one key after the other, with pauses, until `executor` is destroyed.
  void Start(Executor& executor);

 private:
  struct Call;

  void Ask();
  void OnEnd(const std::shared_ptr<Call>& call, bool served);

  const Options options_;
  const std::unique_ptr<tinykvpb::TinyKv::Stub> stub_;
  Random random_;
  Mutex mutex_;
  CondVar ended_;
  std::set<std::shared_ptr<Call>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::soak
