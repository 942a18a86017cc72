#include "graders/bench/raft_bench.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/bench/report.h"
#include "stage2-raftkv/raft/bootstrap.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::bench {
namespace {

using raft::Entry;
using raft::Index;
using std::chrono::steady_clock;

constexpr Index kCompactEvery = 10'000;
constexpr raft::PeerId kLeader = 1;
constexpr size_t kMembers = 3;

// What was copied on the way of entries from one place to another.
struct Copies {
  uint64_t data_bytes = 0;
  uint64_t record_bytes = 0;

  // `entries` are copies of records; `original` is where the first one's data was made.
  void Count(const std::vector<Entry>& entries, const char* original) {
    record_bytes += entries.size() * sizeof(Entry);
    const bool is_shared = entries.empty() || entries.front().data.view().data() == original;
    for (const Entry& entry : entries) data_bytes += is_shared ? 0 : entry.data.size();
  }
};

class Subject {
 public:
  virtual ~Subject() = default;
  // Until all have applied all of it.
  virtual void Replicate(std::vector<raft::Payload> batch) = 0;

  const Copies& copies() const { return copies_; }

 protected:
  Copies copies_;
};

class RaftSubject final : public Subject {
 public:
  RaftSubject() {
    for (raft::PeerId id = 1; id <= kMembers; ++id) {
      cores_.emplace_back(raft::RaftOptions{.id = id}, raft::Bootstrapped({1, 2, 3}));
    }
    leader().StartElection();
    Settle();
    TKV_CHECK(leader().role() == raft::Role::kLeader);
  }

  void Replicate(std::vector<raft::Payload> batch) override {
    original_ = batch.front().view().data();
    const Index last = leader().log().last_index() + batch.size();
    TKV_CHECK(leader().Propose(raft::EntryType::kNormal, std::move(batch)).ok());
    Settle();
    for (raft::RaftCore& core : cores_) {
      TKV_CHECK(core.log().applied() == last);
      if (last > core.log().boundary().index + kCompactEvery) core.CompactTo(last);
    }
  }

 private:
  raft::RaftCore& leader() { return cores_[kLeader - 1]; }

  // Until nobody has anything to say.
  void Settle() {
    bool is_quiet = false;
    while (!is_quiet) {
      is_quiet = true;
      for (raft::RaftCore& core : cores_) {
        if (!core.HasReady()) continue;
        is_quiet = false;
        Handle(core);
      }
    }
  }

  void Handle(raft::RaftCore& core) {
    raft::Ready ready = core.TakeReady();
    copies_.Count(ready.entries, original_);
    copies_.Count(ready.committed, original_);
    core.Advance(ready);
    for (const raft::Message& message : ready.messages) {
      copies_.Count(message.entries, original_);
      cores_[message.to - 1].Step(message);
    }
  }

  std::vector<raft::RaftCore> cores_;
  const char* original_ = nullptr;
};

// The same records in the same places: a log each, a message to each follower, what is to be
// written, what is to be applied.
class PlainLogs final : public Subject {
 public:
  void Replicate(std::vector<raft::Payload> batch) override {
    const char* original = batch.front().view().data();
    const size_t first = logs_[0].size();
    for (raft::Payload& data : batch) {
      logs_[0].push_back({.term = 1, .index = ++last_, .data = std::move(data)});
    }
    for (size_t follower = 1; follower < kMembers; ++follower) {
      const std::vector<Entry> message = From(logs_[0], first);
      copies_.Count(message, original);
      logs_[follower].insert(logs_[follower].end(), message.begin(), message.end());
    }
    for (std::deque<Entry>& log : logs_) {
      copies_.Count(From(log, first), original);  // to be written
      copies_.Count(From(log, first), original);  // to be applied
      if (log.size() > kCompactEvery) log.clear();
    }
  }

 private:
  static std::vector<Entry> From(const std::deque<Entry>& log, size_t first) {
    return {log.begin() + static_cast<ptrdiff_t>(first), log.end()};
  }

  std::deque<Entry> logs_[kMembers];
  Index last_ = 0;
};

struct Measured {
  uint64_t operations = 0;
  double seconds = 0;
  std::vector<double> batch_ms = {};
  Copies copies = {};
};

Measured Measure(Subject& subject, size_t batch_size, const RaftBenchOptions& options) {
  Measured measured;
  const Copies before = subject.copies();
  const auto begin = steady_clock::now();
  const auto end = begin + std::chrono::seconds(options.seconds_per_workload);
  auto now = begin;
  while (now < end) {
    std::vector<raft::Payload> batch;
    for (size_t i = 0; i < batch_size; ++i) {
      batch.emplace_back(std::string(options.value_bytes, 'v'));
    }
    const auto started = steady_clock::now();
    subject.Replicate(std::move(batch));
    now = steady_clock::now();
    measured.batch_ms.push_back(std::chrono::duration<double, std::milli>(now - started).count());
    measured.operations += batch_size;
  }
  measured.seconds = std::chrono::duration<double>(now - begin).count();
  measured.copies = {subject.copies().data_bytes - before.data_bytes,
                     subject.copies().record_bytes - before.record_bytes};
  return measured;
}

double Quantile(std::vector<double> values, double quantile) {
  const auto at = static_cast<size_t>(quantile * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

// A row of all rounds of one subject.
Row ToRow(const std::string& subject, size_t batch_size, const std::vector<Measured>& rounds) {
  Row row;
  row.workload = Concat("propose-", batch_size);
  row.subject = subject;
  row.in_flight = static_cast<uint32_t>(batch_size);
  std::vector<double> rates;
  std::vector<double> p50;
  std::vector<double> p99;
  std::vector<double> p999;
  Copies copies;
  for (const Measured& round : rounds) {
    row.operations += round.operations;
    row.seconds += round.seconds;
    rates.push_back(static_cast<double>(round.operations) / round.seconds);
    p50.push_back(Quantile(round.batch_ms, 0.5));
    p99.push_back(Quantile(round.batch_ms, 0.99));
    p999.push_back(Quantile(round.batch_ms, 0.999));
    copies.data_bytes += round.copies.data_bytes;
    copies.record_bytes += round.copies.record_bytes;
  }
  row.ops_per_second = Median(rates);
  row.p50_ms = Median(p50);
  row.p99_ms = Median(p99);
  row.p999_ms = Median(p999);
  const auto operations = static_cast<double>(row.operations);
  row.more = {
      {"data_bytes_copied_per_entry", static_cast<double>(copies.data_bytes) / operations},
      {"record_bytes_copied_per_entry", static_cast<double>(copies.record_bytes) / operations}};
  return row;
}

void AddRows(size_t batch_size, const RaftBenchOptions& options, std::vector<Row>& rows) {
  RaftSubject ours;
  PlainLogs plain;
  std::vector<Measured> our_rounds;
  std::vector<Measured> plain_rounds;
  std::vector<double> ratios;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    plain_rounds.push_back(Measure(plain, batch_size, options));
    our_rounds.push_back(Measure(ours, batch_size, options));
    const auto rate = [](const Measured& measured) {
      return static_cast<double>(measured.operations) / measured.seconds;
    };
    ratios.push_back(rate(our_rounds.back()) / rate(plain_rounds.back()));
  }
  rows.push_back(ToRow("plain-logs", batch_size, plain_rounds));
  rows.push_back(ToRow("tinykv", batch_size, our_rounds));
  rows.back().ratio = Median(ratios);
}

}  // namespace

absl::Status RunRaftBench(const RaftBenchOptions& options) {
  std::vector<Row> rows;
  for (const size_t batch_size : {1, 16, 256}) AddRows(batch_size, options, rows);
  return Publish(rows, options.json_file);
}

}  // namespace tinykv::bench
