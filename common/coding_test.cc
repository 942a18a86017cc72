#include "common/coding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace tinykv {
namespace {

std::string Varint(uint64_t value) {
  std::string bytes;
  PutVarint64(&bytes, value);
  return bytes;
}

TEST(Coding, WritesFixedIntegersLowestByteFirst) {
  std::string bytes;
  PutFixed32(&bytes, 0x01020304);
  PutFixed64(&bytes, 0x0102030405060708);
  EXPECT_EQ(bytes, "\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01");
}

TEST(Coding, WritesVarintsSevenBitsAByte) {
  EXPECT_EQ(Varint(0), std::string(1, '\0'));
  EXPECT_EQ(Varint(127), "\x7f");
  EXPECT_EQ(Varint(300), "\xac\x02");
  EXPECT_EQ(Varint(std::numeric_limits<uint64_t>::max()), std::string(9, '\xff') + '\x01');
}

RC_GTEST_PROP(Coding, ReadsBackWhatItWrote,
              (uint32_t narrow, uint64_t wide, const std::string& text)) {
  // Shifted, so that varints of every length occur.
  const uint64_t shifted = wide >> *rc::gen::inRange(0, 64);
  std::string bytes;
  PutFixed32(&bytes, narrow);
  PutLengthPrefixed(&bytes, text);
  PutVarint64(&bytes, shifted);
  PutFixed64(&bytes, wide);
  PutVarint64(&bytes, narrow);
  bytes += "rest";

  std::string_view input = bytes;
  uint32_t narrow_back, varint32_back;
  uint64_t wide_back, shifted_back;
  std::string_view text_back;
  RC_ASSERT(GetFixed32(&input, &narrow_back));
  RC_ASSERT(GetLengthPrefixed(&input, &text_back));
  RC_ASSERT(GetVarint64(&input, &shifted_back));
  RC_ASSERT(GetFixed64(&input, &wide_back));
  RC_ASSERT(GetVarint32(&input, &varint32_back));
  RC_ASSERT(narrow_back == narrow && varint32_back == narrow);
  RC_ASSERT(wide_back == wide && shifted_back == shifted);
  RC_ASSERT(text_back == text);
  RC_ASSERT(input == "rest");
}

RC_GTEST_PROP(Coding, RefusesEveryCutOffValue, (uint64_t wide, const std::string& text)) {
  std::string_view view;
  uint64_t value;
  std::string prefixed;
  PutLengthPrefixed(&prefixed, text);
  for (size_t size = 0; size < prefixed.size(); ++size) {
    std::string_view input = std::string_view(prefixed).substr(0, size);
    RC_ASSERT(!GetLengthPrefixed(&input, &view));
  }
  const std::string varint = Varint(wide);
  for (size_t size = 0; size < varint.size(); ++size) {
    std::string_view input = std::string_view(varint).substr(0, size);
    RC_ASSERT(!GetVarint64(&input, &value));
  }
}

// Damaged input may decode to anything, but never reads outside its bytes (ASan would tell).
RC_GTEST_PROP(Coding, SurvivesArbitraryBytes, (const std::string& bytes)) {
  std::string_view input = bytes;
  std::string_view part;
  while (GetLengthPrefixed(&input, &part)) {
    RC_ASSERT(part.data() >= bytes.data());
    RC_ASSERT(part.data() + part.size() <= bytes.data() + bytes.size());
  }
}

TEST(Coding, RefusesVarintsThatOverflow) {
  uint64_t wide;
  uint32_t narrow;
  const std::string bits_65 = std::string(9, '\xff') + '\x02';
  const std::string eleven_bytes = std::string(10, '\x80') + '\x01';
  const std::string bits_33 = Varint(uint64_t{1} << 32);
  for (std::string_view input : {std::string_view(bits_65), std::string_view(eleven_bytes)}) {
    EXPECT_FALSE(GetVarint64(&input, &wide));
  }
  std::string_view input = bits_33;
  EXPECT_FALSE(GetVarint32(&input, &narrow));
}

TEST(Coding, RefusesALengthBeyondTheInput) {
  std::string huge = Varint(std::numeric_limits<uint64_t>::max()) + "abc";
  std::string_view input = huge, part;
  EXPECT_FALSE(GetLengthPrefixed(&input, &part));
}

TEST(Coding, RefusesFixedIntegersThatAreCutOff) {
  uint32_t narrow;
  uint64_t wide;
  std::string_view three = "abc", seven = "abcdefg";
  EXPECT_FALSE(GetFixed32(&three, &narrow));
  EXPECT_FALSE(GetFixed64(&seven, &wide));
}

}  // namespace
}  // namespace tinykv
