#include "graders/soak/store_probe.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "common/client/raw_client.h"
#include "common/client/toy_store.h"
#include "graders/soak/soak_values.h"

namespace tinykv::soak {
namespace {

// Answers of one probe, of a store with one key.
class Probe : public testing::Test {
 protected:
  void SetUp() override {
    executor_ = MakeThreadExecutor({.threads = 1});
    probe_ = std::make_unique<StoreProbe>(StoreProbe::Options{
        .address = store_.address(),
        .keys = 1,
        .seed = 1,
        .checker = &checker_,
        .on_answer = [this](const auto& read, const auto& value) { OnAnswer(read, value); }});
  }

  // Waits for an answer, and returns why it cannot be, or "".
  std::string Next() {
    MutexLock lock(mutex_);
    answer_.reset();
    while (!answer_) answered_.Wait(mutex_);
    return *answer_;
  }

  void OnAnswer(const RegisterChecker::Read& read, const std::optional<std::string>& value) {
    std::optional<uint64_t> sequence;
    if (value) sequence = *ParseValue(0, *value, 200);
    MutexLock lock(mutex_);
    answer_ = checker_.EndRead(read, sequence, "it").value_or("");
    answered_.NotifyAll();
  }

  ToyStore store_;
  RegisterChecker checker_{1, SystemClock()};
  Mutex mutex_;
  CondVar answered_;
  std::optional<std::string> answer_;
  std::unique_ptr<StoreProbe> probe_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(Probe, FindsAStoreThatAnswersWithoutTheLastWrite) {
  probe_->Start(*executor_);
  EXPECT_EQ(Next(), "");
  checker_.Acknowledge(0, checker_.BeginWrite(0, RegisterChecker::Write::kPut), "another");
  Next();  // it may have been asked before
  std::string wrong;
  while (wrong.empty()) wrong = Next();
  EXPECT_NE(wrong.find("it answered that it is absent, although write 1"), std::string::npos);
}

TEST_F(Probe, FindsAnAnswerThatCameLate) {
  store_.Hold();
  checker_.Acknowledge(0, checker_.BeginWrite(0, RegisterChecker::Write::kPut), "another");
  probe_->Start(*executor_);
  store_.WaitForHeld(1);
  store_.Release();
  EXPECT_NE(Next(), "");
}

TEST_F(Probe, TakesNoRefusalForAnAnswer) {
  store_.Follow({.failing = 3, .failure = ToyStore::Failure::kNotLeader});
  probe_->Start(*executor_);
  EXPECT_EQ(Next(), "");
  EXPECT_GE(store_.requests(), 4u);
}

TEST_F(Probe, DoesNotWaitForAStoreThatHangsWhenItEnds) {
  store_.Hold();
  probe_->Start(*executor_);
  store_.WaitForHeld(2);
  executor_.reset();
  probe_.reset();
  store_.Release();
}

}  // namespace
}  // namespace tinykv::soak
