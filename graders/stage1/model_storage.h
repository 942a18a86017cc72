// ModelStorage: a Storage that is a map, for grading handlers without any other hole.
//
// Every call suspends once before it acts, and once after, so that other requests come in between.
// It counts what handlers open, remembers what they write, and can be told to fail.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/storage/storage.h"
#include "graders/sim/coroutines.h"
#include "graders/stage1/planned_write.h"

namespace tinykv::grading {

class ModelStorage : public Storage {
 public:
  // `executor` must outlive the storage.
  explicit ModelStorage(sim::SimExecutor& executor) : executor_(executor) {}

  // What went over the seam, for the grader. `context` is of the last call.
  struct Seen {
    std::vector<WriteSet> writes = {};
    int readers = 0;       // opened in all
    int open_readers = 0;  // and not closed yet
    int open_iterators = 0;
    std::optional<uint64_t> region_id = {};
    bool met_failure = false;          // since Fail(): somebody was where it strikes
    bool reader_closed_first = false;  // a reader was closed before an iterator of its own
  };
  const Seen& seen() const { return seen_; }

  Content& content() { return content_; }

  // Where `failure` appears instead of an answer.
  enum class Call { kWrite, kReader, kGet, kIterator };
  // Every such call fails from now on; an iterator does after `pairs` pairs.
  void Fail(Call call, absl::Status failure, int pairs = 0) {
    failing_ = call;
    failure_ = std::move(failure);
    failing_pairs_ = pairs;
    seen_.met_failure = false;
  }

  asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) override;
  asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) override;

 private:
  class ModelReader;
  class ModelIterator;

  absl::Status FailureOf(Call call) const { return failing_ == call ? failure_ : absl::OkStatus(); }

  // As FailureOf(), and notes that it was met.
  absl::Status Meet(Call call);

  sim::SimExecutor& executor_;
  Content content_;
  Seen seen_;
  std::optional<Call> failing_;
  absl::Status failure_;
  int failing_pairs_ = 0;
};

}  // namespace tinykv::grading
