#include "stage1-standalone/engine_metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/match.h"
#include "common/status.h"

namespace tinykv {
namespace {

using std::chrono::milliseconds;

// Numbers that are all different, so that none can stand for another.
lsm::Statistics SomeStatistics() {
  lsm::Statistics statistics;
  statistics.levels = {{{.tables = 3, .bytes = 300}, {.tables = 4, .bytes = 4000}}};
  statistics.memtable_bytes = 11;
  statistics.write_bytes = 12;
  statistics.wal_bytes = 13;
  statistics.wal_syncs = 14;
  statistics.wal_sync_time = milliseconds(1500);
  statistics.wal_sync_time_max = milliseconds(250);
  statistics.pending_compaction_bytes = 15;
  statistics.obsolete_tables = 16;
  statistics.obsolete_table_bytes = 17;
  return statistics;
}

std::string MetricsOf(const lsm::Statistics& statistics) {
  Metrics metrics;
  const auto registration = metrics.AddCollector(
      [&statistics](MetricSink& sink) { CollectEngineMetrics(statistics, sink); });
  return metrics.Text();
}

TEST(EngineMetrics, ShowEachNumberUnderItsName) {
  const std::string text = MetricsOf(SomeStatistics());
  for (const char* line :
       {"tinykv_engine_memtable_bytes 11\n", "tinykv_engine_write_bytes_total 12\n",
        "tinykv_engine_wal_bytes_total 13\n", "tinykv_engine_wal_syncs_total 14\n",
        "tinykv_engine_wal_sync_seconds_total 1.5\n", "tinykv_engine_wal_sync_max_seconds 0.25\n",
        "tinykv_engine_pending_compaction_bytes 15\n", "tinykv_engine_obsolete_tables 16\n",
        "tinykv_engine_obsolete_table_bytes 17\n", "tinykv_engine_writes_stalled 0\n",
        "tinykv_engine_writes_stopped 0\n",
        "tinykv_engine_level_bytes{column_family=\"default\",level=\"1\"} 4000\n"}) {
    EXPECT_TRUE(absl::StrContains(text, line)) << line << "is not in\n" << text;
  }
}

TEST(EngineMetrics, TellThatWritesAreStopped) {
  lsm::Statistics statistics;
  statistics.writes_stalled = true;
  statistics.write_error = ResourceExhausted("db/000007.log: append: no space left");
  const std::string text = MetricsOf(statistics);
  EXPECT_TRUE(absl::StrContains(text, "tinykv_engine_writes_stalled 1\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "tinykv_engine_writes_stopped 1\n")) << text;
}

TEST(EngineMetrics, OfSeveralEnginesAreTold) {
  lsm::Statistics statistics = SomeStatistics();
  statistics.levels.resize(4);
  statistics.levels[3] = {{.tables = 9, .bytes = 90}};
  const EngineNames names = {.column_families = {"default", "lock", "write", "meta"},
                             .labels = {{"engine", "kv"}}};
  Metrics metrics;
  const auto registration = metrics.AddCollector(
      [&](MetricSink& sink) { CollectEngineMetrics(statistics, sink, names); });
  const std::string text = metrics.Text();
  for (const char* line :
       {"tinykv_engine_wal_syncs_total{engine=\"kv\"} 14\n",
        "tinykv_engine_level_tables{column_family=\"meta\",engine=\"kv\",level=\"0\"} 9\n"}) {
    EXPECT_TRUE(absl::StrContains(text, line)) << line << "is not in\n" << text;
  }
  EXPECT_EQ(EngineStatus(statistics, names)["levels"]["meta"][0]["bytes"], 90);
}

TEST(EngineStatus, HasTheNamesOfStatistics) {
  lsm::Statistics statistics = SomeStatistics();
  nlohmann::json status = EngineStatus(statistics);
  EXPECT_EQ(status["write_bytes"], 12);
  EXPECT_EQ(status["wal_sync_seconds"], 1.5);
  EXPECT_EQ(status["wal_sync_seconds_max"], 0.25);
  EXPECT_EQ(status["pending_compaction_bytes"], 15);
  EXPECT_EQ(status["obsolete_tables"], 16);
  EXPECT_EQ(status["obsolete_table_bytes"], 17);
  EXPECT_EQ(status["writes_stalled"], false);
  EXPECT_EQ(status["write_error"], "");
  EXPECT_EQ(status["levels"]["default"][1]["bytes"], 4000);

  statistics.write_error = ResourceExhausted("no space left");
  EXPECT_TRUE(absl::StrContains(std::string(EngineStatus(statistics)["write_error"]), "no space"));
}

}  // namespace
}  // namespace tinykv
