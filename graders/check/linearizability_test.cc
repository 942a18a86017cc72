#include "graders/check/linearizability.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <tuple>

namespace tinykv::check {
namespace {

using Type = Operation::Type;

Operation Get(std::optional<std::string> value, Moment called, Moment returned) {
  return {.client = 1,
          .type = Type::kGet,
          .key = "k",
          .value = std::move(value),
          .called = called,
          .returned = returned};
}

Operation Put(std::string value, Moment called, Moment returned) {
  return {.client = 2,
          .type = Type::kPut,
          .key = "k",
          .value = std::move(value),
          .called = called,
          .returned = returned};
}

Operation Delete(Moment called, Moment returned) {
  return {.client = 3, .type = Type::kDelete, .key = "k", .called = called, .returned = returned};
}

Verdict Of(const History& history) { return CheckLinearizability(history).verdict; }

TEST(Linearizability, TakesWhatOneClientWouldSee) {
  EXPECT_EQ(Of({}), Verdict::kLinearizable);
  EXPECT_EQ(Of({Get({}, 1, 2), Put("a", 3, 4), Get("a", 5, 6), Delete(7, 8), Get({}, 9, 10)}),
            Verdict::kLinearizable);
}

TEST(Linearizability, FindsAStaleRead) {
  const auto result = CheckLinearizability({Put("a", 1, 2), Put("b", 3, 4), Get("a", 5, 6)});
  EXPECT_EQ(result.verdict, Verdict::kViolation);
  EXPECT_EQ(result.explanation,
            "key \"k\": no order of its operations explains what client 1: get \"k\" -> \"a\" "
            "[5, 6] saw. The best one that was found puts 2 of 3 operations before it, after which "
            "the key has \"b\"");
}

TEST(Linearizability, FindsALostWrite) {
  EXPECT_EQ(Of({Put("a", 1, 2), Get({}, 3, 4)}), Verdict::kViolation);
}

TEST(Linearizability, FindsAValueThatNobodyWrote) {
  EXPECT_EQ(Of({Put("a", 1, 10), Get("b", 2, 3)}), Verdict::kViolation);
}

TEST(Linearizability, FindsADeleteThatDidNothing) {
  EXPECT_EQ(Of({Put("a", 1, 2), Delete(3, 4), Get("a", 5, 6)}), Verdict::kViolation);
}

TEST(Linearizability, FindsTwoReadersThatDisagreeOnTheOrder) {
  // While both puts run, one reader sees a then b, another b then a.
  EXPECT_EQ(Of({Put("a", 1, 20), Put("b", 2, 21), Get("a", 3, 4), Get("b", 5, 6), Get("b", 7, 8),
                Get("a", 9, 10)}),
            Verdict::kViolation);
  EXPECT_EQ(Of({Put("a", 1, 20), Put("b", 2, 21), Get("a", 3, 4), Get("b", 5, 6), Get("b", 7, 8)}),
            Verdict::kLinearizable);
}

TEST(Linearizability, AReadMaySeeAWriteThatRunsOrNot) {
  EXPECT_EQ(Of({Put("a", 1, 10), Get("a", 2, 3)}), Verdict::kLinearizable);
  EXPECT_EQ(Of({Put("a", 1, 10), Get({}, 2, 3)}), Verdict::kLinearizable);
  EXPECT_EQ(Of({Put("a", 1, 10), Get("a", 2, 3), Get({}, 4, 5)}), Verdict::kViolation)
      << "once seen, it stays";
}

TEST(Linearizability, AWriteWithoutAnAnswerMayHappenLateOrNever) {
  const Operation lost = Put("a", 1, kNeverReturned);
  EXPECT_EQ(Of({lost, Get({}, 2, 3)}), Verdict::kLinearizable);
  EXPECT_EQ(Of({lost, Get({}, 2, 3), Get("a", 4, 5)}), Verdict::kLinearizable);
  EXPECT_EQ(Of({lost, Get("a", 2, 3), Get({}, 4, 5)}), Verdict::kViolation);
  EXPECT_EQ(Of({Get("a", 1, 2), Put("a", 3, kNeverReturned)}), Verdict::kViolation)
      << "but not before its call";
}

TEST(Linearizability, AWriteWithoutAnAnswerHappensOnce) {
  EXPECT_EQ(Of({Put("a", 1, kNeverReturned), Get("a", 2, 3), Delete(4, 5), Get({}, 6, 7),
                Get("a", 8, 9)}),
            Verdict::kViolation);
}

TEST(Linearizability, AReadWithoutAnAnswerSaysNothing) {
  EXPECT_EQ(Of({Get("whatever", 1, kNeverReturned)}), Verdict::kLinearizable);
}

TEST(Linearizability, KeysAreApart) {
  Operation other = Get({}, 3, 4);
  other.key = "other";
  EXPECT_EQ(Of({Put("a", 1, 2), other}), Verdict::kLinearizable);
  other.value = "a";
  EXPECT_EQ(Of({Put("a", 1, 2), other}), Verdict::kViolation);
}

// All puts run at once, and the reads fit none of their orders: the search must try them all.
TEST(Linearizability, SaysUnknownWhenTheBudgetIsSpent) {
  History history;
  for (int i = 0; i < 20; ++i) history.push_back(Put(std::to_string(i), i + 1, 100 + i));
  history.push_back(Get("nobody's", 50, 51));
  const auto result = CheckLinearizability(history, {.configurations_max = 1000});
  EXPECT_EQ(result.verdict, Verdict::kUnknown);
  EXPECT_LE(result.configurations, 1000u);
}

TEST(Linearizability, AViolationOfOneKeyIsFoundWhereAnotherIsUnknown) {
  History history;
  for (int i = 0; i < 12; ++i) history.push_back(Put(std::to_string(i), i + 1, 100 + i));
  history.push_back(Get("nobody's", 50, 51));
  for (Operation& operation : history) operation.key = "z";  // is checked last
  history.push_back(Get("nobody's", 60, 61));
  EXPECT_EQ(CheckLinearizability(history, {.configurations_max = 100}).verdict,
            Verdict::kViolation);
}

// A random history, of few operations that overlap a lot.
History Arbitrary() {
  const size_t operations = *rc::gen::inRange<size_t>(1, 7);
  const auto moments = *rc::gen::exec([operations] {
    std::vector<Moment> all(2 * operations);
    for (size_t i = 0; i < all.size(); ++i) all[i] = i + 1;
    for (size_t i = all.size() - 1; i > 0; --i) {
      std::swap(all[i], all[*rc::gen::inRange<size_t>(0, i + 1)]);
    }
    return all;
  });
  History history;
  for (size_t i = 0; i < operations; ++i) {
    Operation operation{.client = static_cast<int>(i), .key = "k"};
    std::tie(operation.called, operation.returned) =
        std::minmax(moments[2 * i], moments[2 * i + 1]);
    operation.type = *rc::gen::element(Type::kGet, Type::kGet, Type::kPut, Type::kDelete);
    const std::string value = *rc::gen::element<std::string>("a", "b");
    const bool finds = operation.type == Type::kGet && *rc::gen::arbitrary<bool>();
    if (finds || operation.type == Type::kPut) operation.value = value;
    if (*rc::gen::inRange(0, 5) == 0) operation.returned = kNeverReturned;
    history.push_back(operation);
  }
  return history;
}

// Do `order`'s first operations, put in that order, explain the history? Those that are left out
// are the ones without an answer.
bool Explains(const std::vector<const Operation*>& order) {
  std::optional<std::string> value;
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t later = i + 1; later < order.size(); ++later) {
      if (order[later]->returned < order[i]->called) return false;
    }
    if (order[i]->type != Type::kGet) {
      value = order[i]->value;
    } else if (order[i]->value != value && order[i]->returned != kNeverReturned) {
      return false;
    }
  }
  return true;
}

// By the definition: all subsets of what has no answer, all orders.
bool IsLinearizable(const History& history) {
  for (unsigned subset = 0; subset < 1u << history.size(); ++subset) {
    std::vector<const Operation*> order;
    bool complete = true;
    for (size_t i = 0; i < history.size(); ++i) {
      if (subset >> i & 1) {
        order.push_back(&history[i]);
      } else if (history[i].returned != kNeverReturned) {
        complete = false;
      }
    }
    if (!complete) continue;
    std::sort(order.begin(), order.end());
    do {
      if (Explains(order)) return true;
    } while (std::next_permutation(order.begin(), order.end()));
  }
  return false;
}

RC_GTEST_PROP(LinearizabilityProperty, IsWhatTheDefinitionSays, ()) {
  const History history = Arbitrary();
  const bool expected = IsLinearizable(history);
  RC_CLASSIFY(expected, "linearizable");
  for (const Operation& operation : history) RC_LOG() << ToString(operation) << "\n";
  RC_ASSERT(Of(history) == (expected ? Verdict::kLinearizable : Verdict::kViolation));
}

}  // namespace
}  // namespace tinykv::check
