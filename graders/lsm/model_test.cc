// The model is a grader, so it is graded: it must refuse what the contract forbids.
#include "graders/lsm/model.h"

#include <gtest/gtest.h>

namespace tinykv::lsm::grading {
namespace {

ModelBatch Put(const std::string& key, const std::string& value) { return {{0, key, value}}; }

State StateOf(ColumnFamilyState state) { return {std::move(state)}; }

// Writes a=1, synced; then b=2 and c=3, not synced.
Model OneSyncedAndTwoMore() {
  Model model(1);
  model.Add(Put("a", "1"));
  model.MarkDurable();
  model.Add(Put("b", "2"));
  model.Add(Put("c", "3"));
  return model;
}

TEST(Model, AllowsEveryPrefixWithTheSyncedWritesAfterPowerLoss) {
  for (const State& found : {StateOf({{"a", "1"}}), StateOf({{"a", "1"}, {"b", "2"}}),
                             StateOf({{"a", "1"}, {"b", "2"}, {"c", "3"}})}) {
    Model model = OneSyncedAndTwoMore();
    EXPECT_EQ(model.Recover(found, Loss::kPower), std::nullopt);
    EXPECT_EQ(model.now(), found);
    EXPECT_EQ(model.Recover(found, Loss::kPower), std::nullopt);
    if (found[0].size() > 1) {  // what survived once survives again
      EXPECT_NE(model.Recover(StateOf({{"a", "1"}}), Loss::kPower), std::nullopt);
    }
  }
}

TEST(Model, RefusesALostSyncedWriteAGapAndAnInvention) {
  for (const State& found : {StateOf({}), StateOf({{"a", "1"}, {"c", "3"}}),
                             StateOf({{"a", "1"}, {"x", "9"}}), StateOf({{"a", "other"}})}) {
    EXPECT_NE(OneSyncedAndTwoMore().Recover(found, Loss::kPower), std::nullopt);
  }
}

TEST(Model, RefusesAnyLossWhenOnlyTheProcessDied) {
  Model model = OneSyncedAndTwoMore();
  EXPECT_EQ(model.Recover(StateOf({{"a", "1"}, {"b", "2"}}), Loss::kProcess),
            "column family 0, key \"c\": expected \"3\", found nothing");
  EXPECT_EQ(model.Recover(model.now(), Loss::kProcess), std::nullopt);
  // And the machine may die afterwards.
  EXPECT_EQ(model.Recover(StateOf({{"a", "1"}}), Loss::kPower), std::nullopt);
}

TEST(Model, RefusesHalfABatch) {
  Model model(2);
  model.Add({{0, "a", "1"}, {1, "b", "2"}});
  EXPECT_NE(model.Recover({{{"a", "1"}}, {}}, Loss::kPower), std::nullopt);
}

TEST(Model, LetsADoubtfulWriteBeThereOrNot) {
  for (const bool there : {false, true}) {
    Model model(1);
    model.Add(Put("a", "1"));
    model.AddDoubtful(Put("b", "2"));
    model.AddDoubtful(Put("c", "3"));  // refused, since the one before had failed
    EXPECT_EQ(model.now(), StateOf({{"a", "1"}}));
    EXPECT_NE(model.Recover(StateOf({{"a", "1"}, {"c", "3"}}), Loss::kProcess), std::nullopt);
    State found = StateOf({{"a", "1"}});
    if (there) found[0]["b"] = "2";
    EXPECT_EQ(model.Recover(found, Loss::kProcess), std::nullopt);
    EXPECT_EQ(model.now(), found);
  }
}

TEST(Model, TellsTheFirstDifference) {
  EXPECT_EQ(Difference({{{"a", "1"}}, {{"b", "2"}}}, {{{"a", "1"}}, {{"b", "x"}}}),
            "column family 1, key \"b\": expected \"2\", found \"x\"");
}

}  // namespace
}  // namespace tinykv::lsm::grading
