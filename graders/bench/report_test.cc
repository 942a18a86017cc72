#include "graders/bench/report.h"

#include <gtest/gtest.h>

#include "graders/bench/series.h"

namespace tinykv::bench {
namespace {

LoadResult Result(uint64_t operations, uint64_t errors) {
  LoadResult result;
  result.operations = operations;
  result.errors = errors;
  result.seconds = 2;
  result.latencies_us = {1000, 2000, 3000};
  return result;
}

TEST(Series, TakesMediansOverRoundsAndRatiosWithinThem) {
  Series ours{Row{}};
  Series theirs{Row{}};
  for (const uint64_t operations : {100, 400, 200}) ours.Add(Result(operations, 0));
  for (const uint64_t operations : {100, 100, 100}) theirs.Add(Result(operations, 1));
  EXPECT_DOUBLE_EQ(ours.RatioTo(theirs), 2);
  EXPECT_DOUBLE_EQ(ours.Finish().ops_per_second, 100);
  EXPECT_DOUBLE_EQ(ours.Finish().p50_ms, 2);
  EXPECT_EQ(ours.Finish().operations, 700u);
  EXPECT_EQ(theirs.Finish().errors, 3u);
}

TEST(Report, TellsOfErrorsAndOfWhatElseThereIs) {
  Row row;
  row.workload = "put-1";
  row.subject = "etcd";
  row.errors = 7;
  row.more = {{"share_of_echo", 0.5}, {"cpu_seconds_per_100k", 1.25}};
  const std::string table = ToTable({row});
  EXPECT_NE(table.find("      7"), std::string::npos) << table;
  EXPECT_NE(table.find("\n    share_of_echo 0.50, cpu_seconds_per_100k 1.25\n"), std::string::npos)
      << table;
  const std::string json = ToJson({row});
  EXPECT_NE(json.find("\"errors\": 7"), std::string::npos) << json;
  EXPECT_NE(json.find("\"share_of_echo\": 0.5"), std::string::npos) << json;
  EXPECT_EQ(json.find("\"ratio\""), std::string::npos) << json;
}

}  // namespace
}  // namespace tinykv::bench
