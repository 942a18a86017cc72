#include "graders/soak/register_checker.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace tinykv::soak {
namespace {

using Write = RegisterChecker::Write;

const std::string kStore = "10.0.0.1:20160";
constexpr uint32_t kKey = 7;

class Registers : public testing::Test {
 protected:
  uint64_t Put() { return checker_.BeginWrite(kKey, Write::kPut); }
  uint64_t Delete() { return checker_.BeginWrite(kKey, Write::kDelete); }
  void Acknowledge(uint64_t sequence) { checker_.Acknowledge(kKey, sequence, kStore); }
  void PutAcknowledged() { Acknowledge(Put()); }
  void DeleteAcknowledged() { Acknowledge(Delete()); }

  // Of a read that nothing happens beside; "" where it is right.
  std::string Wrong(std::optional<uint64_t> sequence) {
    return Wrong(checker_.BeginRead(kKey), sequence);
  }
  std::string Wrong(const RegisterChecker::Read& read, std::optional<uint64_t> sequence) {
    return checker_.EndRead(read, sequence, "10.0.0.2:20160").value_or("");
  }

  static bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  RegisterChecker checker_{8, SystemClock()};
};

TEST_F(Registers, AWriteThatWasAcknowledgedIsThere) {
  EXPECT_EQ(Wrong(std::nullopt), "");
  PutAcknowledged();
  EXPECT_EQ(Wrong(1), "");
  PutAcknowledged();
  EXPECT_EQ(Wrong(2), "");
}

TEST_F(Registers, ALostWriteIsFoundAndNamed) {
  PutAcknowledged();
  PutAcknowledged();
  const std::string wrong = Wrong(1);
  EXPECT_TRUE(Has(wrong, "key 7: 10.0.0.2:20160 answered with write 1")) << wrong;
  EXPECT_TRUE(Has(wrong, "although write 2 was acknowledged or read")) << wrong;
  EXPECT_TRUE(Has(wrong, "acknowledged by 10.0.0.1:20160")) << wrong;
}

TEST_F(Registers, AKeyThatIsGoneIsFound) {
  PutAcknowledged();
  const std::string wrong = Wrong(std::nullopt);
  EXPECT_TRUE(Has(wrong, "answered that it is absent, although write 1")) << wrong;
}

TEST_F(Registers, AStaleReadIsFoundAfterAnotherHasSeenTheWrite) {
  PutAcknowledged();
  const uint64_t second = Put();  // nobody has answered it
  EXPECT_EQ(Wrong(second), "");
  const std::string wrong = Wrong(1);
  EXPECT_TRUE(Has(wrong, "although write 2")) << wrong;
  EXPECT_TRUE(Has(wrong, "read by 10.0.0.2:20160")) << wrong;
}

TEST_F(Registers, AReadFromTheFutureIsFound) {
  PutAcknowledged();
  Put();
  EXPECT_TRUE(Has(Wrong(3), "although no write after 2 was ever started"));
}

TEST_F(Registers, AWriteOfUnknownOutcomeMayHaveBeenDoneOrNot) {
  PutAcknowledged();
  Put();
  EXPECT_EQ(Wrong(1), "");
  EXPECT_EQ(Wrong(2), "");
}

TEST_F(Registers, AnUnknownWriteIsOverOnceTheNextOneIsAcknowledged) {
  PutAcknowledged();
  Put();
  PutAcknowledged();
  EXPECT_EQ(Wrong(3), "");
  EXPECT_TRUE(Has(Wrong(2), "although write 3"));
}

TEST_F(Registers, AReadMaySeeWhatWasWrittenBesideIt) {
  PutAcknowledged();
  const auto early = checker_.BeginRead(kKey);
  const auto late = checker_.BeginRead(kKey);
  const auto later = checker_.BeginRead(kKey);
  PutAcknowledged();
  PutAcknowledged();
  EXPECT_EQ(Wrong(early, 1), "");
  EXPECT_EQ(Wrong(late, 2), "");
  EXPECT_EQ(Wrong(later, 3), "");
}

TEST_F(Registers, ADeletionIsAWrite) {
  PutAcknowledged();
  DeleteAcknowledged();
  EXPECT_EQ(Wrong(std::nullopt), "");
  EXPECT_TRUE(Has(Wrong(1), "although write 2"));
  PutAcknowledged();
  EXPECT_TRUE(Has(Wrong(std::nullopt), "absent, although write 3"));
}

TEST_F(Registers, ADeletionOfUnknownOutcomeMayHaveBeenDoneOrNot) {
  PutAcknowledged();
  Delete();
  EXPECT_EQ(Wrong(std::nullopt), "");
  EXPECT_EQ(Wrong(1), "");
  PutAcknowledged();
  EXPECT_TRUE(Has(Wrong(std::nullopt), "absent, although write 3"));
}

TEST_F(Registers, AReadMaySeeADeletionBesideIt) {
  PutAcknowledged();
  const auto read = checker_.BeginRead(kKey);
  DeleteAcknowledged();
  PutAcknowledged();
  EXPECT_EQ(Wrong(read, std::nullopt), "");
}

TEST_F(Registers, KeysDoNotMix) {
  PutAcknowledged();
  EXPECT_FALSE(checker_.EndRead(checker_.BeginRead(0), std::nullopt, kStore).has_value());
}

}  // namespace
}  // namespace tinykv::soak
