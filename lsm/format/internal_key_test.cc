#include "lsm/format/internal_key.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lsm/iterator_model.h"

namespace tinykv::lsm {
namespace {

std::string Key(std::string_view user_key, SequenceNumber sequence,
                ValueType type = ValueType::kPut) {
  return EncodeInternalKey({user_key, sequence, type});
}

TEST(InternalKey, IsTheUserKeyThenSequenceAndType) {
  EXPECT_EQ(Key("k", 0x0203, ValueType::kPut), std::string("k\x01\x03\x02\0\0\0\0\0", 9));
}

TEST(InternalKey, OrdersUserKeysUpAndVersionsDown) {
  EXPECT_LT(CompareInternalKeys(Key("a", 1), Key("b", 9)), 0);
  EXPECT_LT(CompareInternalKeys(Key("a", 1), Key("ab", 1)), 0);
  EXPECT_LT(CompareInternalKeys(Key("a", 2), Key("a", 1)), 0);
  EXPECT_LT(CompareInternalKeys(Key("a", 1, ValueType::kPut), Key("a", 1, ValueType::kDelete)), 0);
  EXPECT_EQ(CompareInternalKeys(Key("a", 1), Key("a", 1)), 0);
}

TEST(InternalKey, OrdersBytesAsUnsigned) {
  EXPECT_LT(CompareInternalKeys(Key("\x7f", 1), Key("\x80", 1)), 0);
}

TEST(InternalKey, RefusesAShortKeyAndAnUnknownType) {
  ParsedInternalKey parsed;
  EXPECT_FALSE(ParseInternalKey("seven b", &parsed));
  EXPECT_FALSE(ParseInternalKey(std::string("\x03\0\0\0\0\0\0\0", 8), &parsed));
}

RC_GTEST_PROP(InternalKey, ParsesBackToWhatItWas, (const std::string& user_key, bool put)) {
  const SequenceNumber sequence = *rc::gen::inRange<SequenceNumber>(0, kMaxSequenceNumber + 1);
  const ValueType type = put ? ValueType::kPut : ValueType::kDelete;
  ParsedInternalKey parsed;
  const std::string encoded = Key(user_key, sequence, type);
  RC_ASSERT(ParseInternalKey(encoded, &parsed));
  RC_ASSERT(parsed.user_key == user_key);
  RC_ASSERT(parsed.sequence == sequence);
  RC_ASSERT(parsed.type == type);
}

RC_GTEST_PROP(InternalKey, SeparatorsDivideTheirNeighbours, ()) {
  std::string a = *ArbitraryInternalKey();
  std::string b = *ArbitraryInternalKey();
  if (CompareInternalKeys(a, b) > 0) std::swap(a, b);
  RC_PRE(a != b);
  const std::string separator = SeparatorBetween(a, b);
  RC_ASSERT(separator.size() <= a.size());
  RC_ASSERT(CompareInternalKeys(a, separator) <= 0);
  RC_ASSERT(CompareInternalKeys(separator, b) < 0);
  RC_ASSERT(separator == a ||
            (UserKeyOf(a) < UserKeyOf(separator) && UserKeyOf(separator) < UserKeyOf(b)));
}

TEST(InternalKey, SeparatorsAreShort) {
  EXPECT_EQ(UserKeyOf(SeparatorBetween(Key("apple pie", 1), Key("apricot", 1))), "apr");
}

TEST(InternalKey, SeparatorsDivideVersionsOfOneKey) {
  EXPECT_EQ(SeparatorBetween(Key("a", 2), Key("a", 1)), Key("a", 2));
}

}  // namespace
}  // namespace tinykv::lsm
