#include "graders/stage1/model_storage.h"

#include <deque>
#include <iterator>
#include <map>
#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv::grading {

class ModelStorage::ModelIterator : public StorageIterator {
 public:
  // `open` counts the iterators of one reader.
  ModelIterator(ModelStorage& storage, std::shared_ptr<int> open,
                std::map<std::string, std::string> pairs)
      : storage_(storage), open_(std::move(open)), pairs_(std::move(pairs)), at_(pairs_.end()) {
    ++*open_;
    ++storage_.seen_.open_iterators;
    const absl::Status failure = storage_.FailureOf(Call::kIterator);
    if (failure.ok()) return;
    pairs_left_ = storage_.failing_pairs_;
    storage_.seen_.met_failure = true;
  }
  ~ModelIterator() override {
    --*open_;
    --storage_.seen_.open_iterators;
  }

  bool Valid() const override { return at_ != pairs_.end() && !failed(); }
  void SeekToFirst() override { MoveTo(pairs_.begin()); }
  void SeekToLast() override { MoveTo(Before(pairs_.end())); }
  void Seek(std::string_view target) override { MoveTo(pairs_.lower_bound(std::string(target))); }
  void SeekForPrev(std::string_view target) override {
    MoveTo(Before(pairs_.upper_bound(std::string(target))));
  }
  void Next() override {
    TKV_CHECK(Valid() && "Next() is for a valid iterator");
    if (pairs_left_.has_value()) --*pairs_left_;
    MoveTo(std::next(at_));
  }
  void Prev() override {
    TKV_CHECK(Valid() && "Prev() is for a valid iterator");
    if (pairs_left_.has_value()) --*pairs_left_;
    MoveTo(Before(at_));
  }
  std::string_view key() const override {
    TKV_CHECK(Valid() && "key() is for a valid iterator");
    return shown_.back().first;
  }
  std::string_view value() const override {
    TKV_CHECK(Valid() && "value() is for a valid iterator");
    return shown_.back().second;
  }
  absl::Status status() const override {
    return failed() ? storage_.FailureOf(Call::kIterator) : absl::OkStatus();
  }

 private:
  using Pairs = std::map<std::string, std::string>;

  // Views live until the iterator moves: those that somebody kept show stars from now on, in every
  // build, since what they look at is only written over here and freed with the iterator.
  void MoveTo(Pairs::const_iterator place) {
    if (!shown_.empty()) {
      shown_.back().first.assign(shown_.back().first.size(), '*');
      shown_.back().second.assign(shown_.back().second.size(), '*');
    }
    at_ = place;
    if (at_ != pairs_.end()) shown_.emplace_back(at_->first, at_->second);
  }

  bool failed() const { return pairs_left_.has_value() && *pairs_left_ <= 0; }
  Pairs::const_iterator Before(Pairs::const_iterator at) const {
    return at == pairs_.begin() ? pairs_.end() : std::prev(at);
  }

  ModelStorage& storage_;
  const std::shared_ptr<int> open_;
  const Pairs pairs_;
  Pairs::const_iterator at_;
  std::deque<std::pair<std::string, std::string>> shown_;  // what views look at, the last one's now
  std::optional<int> pairs_left_;                          // until it fails
};

class ModelStorage::ModelReader : public StorageReader {
 public:
  explicit ModelReader(ModelStorage& storage) : storage_(storage), content_(storage.content_) {
    ++storage_.seen_.readers;
    ++storage_.seen_.open_readers;
  }
  ~ModelReader() override {
    --storage_.seen_.open_readers;
    if (*open_iterators_ > 0) storage_.seen_.reader_closed_first = true;
  }

  absl::StatusOr<std::optional<std::string>> Get(ColumnFamily column_family,
                                                 std::string_view key) override {
    TKV_RETURN_IF_ERROR(storage_.Meet(Call::kGet));
    const auto at = content_.find({column_family, std::string(key)});
    if (at == content_.end()) return std::nullopt;
    return at->second;
  }

  std::unique_ptr<StorageIterator> NewIterator(ColumnFamily column_family,
                                               const IterateOptions& options) override {
    std::map<std::string, std::string> pairs;
    for (const auto& [key, value] : FamilyOf(content_, column_family)) {
      if (options.lower_bound.has_value() && key < *options.lower_bound) continue;
      if (options.upper_bound.has_value() && key >= *options.upper_bound) continue;
      pairs.emplace(key, value);
    }
    return std::make_unique<ModelIterator>(storage_, open_iterators_, std::move(pairs));
  }

 private:
  ModelStorage& storage_;
  const Content content_;
  const std::shared_ptr<int> open_iterators_ = std::make_shared<int>(0);
};

absl::Status ModelStorage::Meet(Call call) {
  absl::Status failure = FailureOf(call);
  if (!failure.ok()) seen_.met_failure = true;
  return failure;
}

asio::awaitable<absl::Status> ModelStorage::Write(const kvrpcpb::Context& context,
                                                  WriteSet writes) {
  seen_.region_id = context.region_id();
  co_await sim::Yield(executor_);
  TKV_CO_RETURN_IF_ERROR(Meet(Call::kWrite));
  for (const Modify& modify : writes.modifies()) {
    const Place place{modify.column_family, modify.key};
    if (modify.type == Modify::Type::kPut) {
      content_[place] = modify.value;
    } else {
      content_.erase(place);
    }
  }
  seen_.writes.push_back(std::move(writes));
  co_await sim::Yield(executor_);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> ModelStorage::Reader(
    const kvrpcpb::Context& context) {
  seen_.region_id = context.region_id();
  co_await sim::Yield(executor_);
  TKV_CO_RETURN_IF_ERROR(Meet(Call::kReader));
  auto reader = std::make_unique<ModelReader>(*this);
  co_await sim::Yield(executor_);
  co_return reader;
}

}  // namespace tinykv::grading
