#include "graders/bench/bars.h"

#include <gtest/gtest.h>

namespace tinykv::bench {
namespace {

Row RowOf(const std::string& workload, const std::string& subject, double p50_ms) {
  Row row;
  row.workload = workload;
  row.subject = subject;
  row.p50_ms = p50_ms;
  return row;
}

std::vector<Row> Rows(double put_ratio, double get_ratio, double our_latency_ms) {
  std::vector<Row> rows;
  for (const char* workload : {"put-1", "put-256", "get-1", "get-256"}) {
    rows.push_back(RowOf(workload, "echo", 0.1));
    rows.push_back(RowOf(workload, "etcd", 1));
    rows.push_back(RowOf(workload, "tinykv", our_latency_ms));
    rows.back().ratio = std::string(workload).starts_with("put") ? put_ratio : get_ratio;
  }
  return rows;
}

TEST(Bars, AreMetFromTheirValueOn) {
  EXPECT_EQ(ToBars(Rows(2.0, 3.0, 1)),
            "put-256  2.00 times etcd's rate; bar 2.0: met; aim 2.5: MISSED\n"
            "get-256  3.00 times etcd's rate; bar 3.0: met\n"
            "put-1    median latency 1.000 ms, etcd's 1.000 ms; bar no more: met\n"
            "get-1    median latency 1.000 ms, etcd's 1.000 ms; bar no more: met\n");
}

TEST(Bars, AreMissedBelow) {
  EXPECT_EQ(ToBars(Rows(1.99, 2.98, 1.002)),
            "put-256  1.99 times etcd's rate; bar 2.0: MISSED; aim 2.5: MISSED\n"
            "get-256  2.98 times etcd's rate; bar 3.0: MISSED\n"
            "put-1    median latency 1.002 ms, etcd's 1.000 ms; bar no more: MISSED\n"
            "get-1    median latency 1.002 ms, etcd's 1.000 ms; bar no more: MISSED\n");
}

TEST(Bars, NeedBothToBeMeasured) {
  EXPECT_EQ(ToBars({}), "");
  EXPECT_EQ(ToBars({RowOf("put-256", "tinykv", 1), RowOf("put-1", "tinykv", 1)}), "");
}

}  // namespace
}  // namespace tinykv::bench
