#include "graders/soak/soak_load.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/client/raw_client.h"
#include "common/client/store_routes.h"
#include "common/random.h"
#include "common/status.h"
#include "graders/soak/soak_values.h"

namespace tinykv::soak {
namespace {

using Write = RegisterChecker::Write;

// Of all calls; the rest are gets.
constexpr uint32_t kPutPercent = 47;
constexpr uint32_t kDeletePercent = 3;
constexpr uint32_t kScanPercent = 3;

constexpr uint32_t kScanKeysMax = 20;

}  // namespace

class SoakLoad::Worker {
 public:
  // Owns the keys `first`, `first` + workers, `first` + 2 * workers …
  Worker(SoakLoad& load, uint32_t first)
      : load_(load),
        first_(first),
        random_(load.options_.seed * 1000 + first),
        rests_until_((load.options_.keys - first + load.options_.workers - 1) /
                     load.options_.workers) {}

  absl::Status Open() {
    ClientOptions options = {.address = load_.options_.addresses,
                             .deadline = load_.options_.deadline,
                             .seed = random_.Next(),
                             .executor = load_.timers_.get()};
    options.on_attempt = [this](const std::string& address, const absl::Status& status) {
      OnAttempt(address, status);
    };
    TKV_ASSIGN_OR_RETURN(client_, RawClient::Open(options));
    return absl::OkStatus();
  }

  // Makes calls, with pauses, until `executor` is destroyed.
  void Start(Executor& executor) {
    executor.PostAfter(Pause(), [this, &executor] {
      Step();
      Start(executor);
    });
  }

  // Errors: it failed until its deadline.
  absl::Status Get(uint32_t key) {
    const auto read = load_.checker_.BeginRead(key);
    const auto found = client_->Get(KeyOf(key));
    load_.counters_.Call("get", false, found.status());
    TKV_RETURN_IF_ERROR(found.status());
    load_.Check(read, *found, asked_);
    return absl::OkStatus();
  }

 private:
  // One call, drawn.
  void Step() {
    const uint64_t draw = random_.Uniform(100);
    if (draw < kPutPercent) return MayWrite(Write::kPut);
    if (draw < kPutPercent + kDeletePercent) return MayWrite(Write::kDelete);
    const auto key = static_cast<uint32_t>(random_.Uniform(load_.options_.keys));
    // What fails is counted; here it makes no difference.
    if (draw < kPutPercent + kDeletePercent + kScanPercent) return Scan(key);
    Get(key).IgnoreError();
  }

  // Half of the pause to one and a half, so that workers do not march in step.
  Duration Pause() {
    const uint64_t mean = uint64_t{1'000'000'000} * load_.options_.workers /
                          std::max(load_.options_.calls_per_second, 1U);
    return Duration(random_.Between(mean / 2, mean + mean / 2));
  }

  // As the client tells; between the calls of this worker, which come one after the other.
  void OnAttempt(const std::string& address, const absl::Status& status) {
    asked_ = address;
    if (status.ok()) return;
    load_.counters_.FailedAttempt(status);
    if (!IsAnswer(status)) was_silent_ = true;
  }

  void MayWrite(Write write) {
    const size_t place = random_.Uniform(rests_until_.size());
    if (rests_until_[place] > SystemClock().Now()) return;
    const auto key = static_cast<uint32_t>(first_ + place * load_.options_.workers);
    const uint64_t sequence = load_.checker_.BeginWrite(key, write);
    was_silent_ = false;
    const absl::Status status =
        write == Write::kPut
            ? client_->Put(KeyOf(key), ValueOf(key, sequence, load_.options_.value_bytes_max))
            : client_->Delete(KeyOf(key));
    load_.counters_.Call(write == Write::kPut ? "put" : "delete", true, status);
    if (status.ok()) load_.checker_.Acknowledge(key, sequence, asked_);
    if (was_silent_) rests_until_[place] = SystemClock().Now() + load_.options_.rest;
  }

  // All keys from `first` on to the last one that comes back: those between that do not are absent.
  void Scan(uint32_t first) {
    std::vector<RegisterChecker::Read> reads;
    const uint32_t end = std::min(first + kScanKeysMax, load_.options_.keys);
    for (uint32_t key = first; key < end; ++key) reads.push_back(load_.checker_.BeginRead(key));
    const auto found = client_->Scan(KeyOf(first), kScanKeysMax);
    load_.counters_.Call("scan", false, found.status());
    if (!found.ok()) return;
    size_t next = 0;
    for (const KeyValue& pair : *found) {
      const auto key = ParseKey(pair.key);
      if (!key || *key < first + next) {
        load_.Report(Concat("a scan from key ", first, ": ", asked_, " answered with key ",
                            Quote(pair.key), ", which ",
                            key ? "is out of order" : "nobody has written"));
        return;
      }
      for (; next < reads.size() && reads[next].key < *key; ++next)
        load_.Check(reads[next], {}, asked_);
      if (next == reads.size()) return;
      load_.Check(reads[next++], pair.value, asked_);
    }
  }

  SoakLoad& load_;
  const uint32_t first_;
  Random random_;
  std::vector<Duration> rests_until_;  // of each key of its own
  std::unique_ptr<RawClient> client_;
  // Of the call that runs, or of the last one.
  std::string asked_;
  bool was_silent_ = false;
};

absl::StatusOr<std::unique_ptr<SoakLoad>> SoakLoad::Make(const SoakLoadOptions& options,
                                                         OnViolation on_violation) {
  if (options.workers == 0) return InvalidArgument("workers: there must be one at least");
  if (options.keys < options.workers) {
    return InvalidArgument("keys: ", options.keys, " are not enough for ",
                           Counted(options.workers, "worker"), ", each of which has its own");
  }
  std::unique_ptr<SoakLoad> load(new SoakLoad(options, std::move(on_violation)));
  for (uint32_t i = 0; i < options.workers; ++i) {
    load->workers_.push_back(std::make_unique<Worker>(*load, i));
    TKV_RETURN_IF_ERROR(load->workers_.back()->Open());
  }
  load->reader_ = std::make_unique<Worker>(*load, 0);
  TKV_RETURN_IF_ERROR(load->reader_->Open());
  TKV_ASSIGN_OR_RETURN(const auto addresses, ParseStoreAddresses(options.addresses));
  for (const std::string& address : addresses) load->AddProbe(address);
  return load;
}

SoakLoad::SoakLoad(const SoakLoadOptions& options, OnViolation on_violation)
    : options_(options),
      on_violation_(std::move(on_violation)),
      counters_(SystemClock()),
      checker_(options.keys, SystemClock()),
      timers_(MakeThreadExecutor({.threads = 1, .name = "client-timers"})) {}

SoakLoad::~SoakLoad() { Stop(); }

void SoakLoad::AddProbe(const std::string& address) {
  StoreProbe::Options options = {.address = address,
                                 .keys = options_.keys,
                                 .seed = options_.seed + probes_.size(),
                                 .checker = &checker_};
  options.on_answer = [this, address](const auto& read, const auto& value) {
    counters_.Call("probe", false, absl::OkStatus());
    Check(read, value, address);
  };
  probes_.push_back(std::make_unique<StoreProbe>(options));
}

void SoakLoad::Start() {
  threads_ = MakeThreadExecutor({.threads = static_cast<int>(options_.workers), .name = "workers"});
  for (const auto& worker : workers_) worker->Start(*threads_);
  for (const auto& probe : probes_) probe->Start(*threads_);
}

void SoakLoad::Stop() { threads_.reset(); }

absl::Status SoakLoad::ReadAll() {
  for (uint32_t key = 0; key < options_.keys; ++key) {
    TKV_RETURN_IF_ERROR(Annotate(reader_->Get(key), Concat("reading key ", key)));
  }
  return absl::OkStatus();
}

void SoakLoad::Check(const RegisterChecker::Read& read, const std::optional<std::string>& value,
                     const std::string& server) {
  std::optional<uint64_t> sequence;
  if (value) {
    const auto parsed = ParseValue(read.key, *value, options_.value_bytes_max);
    if (!parsed.ok()) {
      Report(Concat("key ", read.key, ": ", server, " answered with ", MessageOf(parsed.status())));
      return;
    }
    sequence = *parsed;
  }
  const auto wrong = checker_.EndRead(read, sequence, server);
  if (wrong) Report(*wrong);
}

void SoakLoad::Report(const std::string& what) {
  ++violations_;
  on_violation_(what);
}

}  // namespace tinykv::soak
