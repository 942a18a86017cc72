#include "stage1-standalone/engine_metrics.h"

#include <nlohmann/json.hpp>
#include <string>

#include "common/storage/column_family.h"

namespace tinykv {
namespace {

// A member of lsm::Statistics under the two names it is shown by.
struct Field {
  uint64_t lsm::Statistics::*member;
  const char* status_name;
  const char* metric_name;
  const char* help;
};

constexpr Field kGauges[] = {
    {&lsm::Statistics::memtable_bytes, "memtable_bytes", "tinykv_engine_memtable_bytes",
     "Writes held in memory, in all memtables."},
    {&lsm::Statistics::immutable_memtables, "immutable_memtables",
     "tinykv_engine_immutable_memtables", "Full memtables that wait for their flush."},
    {&lsm::Statistics::live_snapshots, "live_snapshots", "tinykv_engine_live_snapshots",
     "Snapshots that hold on to old versions."},
    {&lsm::Statistics::block_cache_bytes, "block_cache_bytes", "tinykv_engine_block_cache_bytes",
     "Blocks of tables kept in memory."},
};

constexpr Field kCounters[] = {
    {&lsm::Statistics::block_cache_hits, "block_cache_hits", "tinykv_engine_block_cache_hits_total",
     "Blocks found in the cache."},
    {&lsm::Statistics::block_cache_misses, "block_cache_misses",
     "tinykv_engine_block_cache_misses_total", "Blocks read from disk."},
    {&lsm::Statistics::bloom_filter_skips, "bloom_filter_skips",
     "tinykv_engine_bloom_filter_skips_total", "Table reads that a Bloom filter saved."},
    {&lsm::Statistics::writes, "writes", "tinykv_engine_writes_total", "Batches written."},
    {&lsm::Statistics::wal_bytes, "wal_bytes", "tinykv_engine_wal_bytes_total",
     "Bytes appended to the write-ahead log."},
    {&lsm::Statistics::wal_syncs, "wal_syncs", "tinykv_engine_wal_syncs_total",
     "Syncs of the write-ahead log."},
    {&lsm::Statistics::flushes, "flushes", "tinykv_engine_flushes_total", "Memtables flushed."},
    {&lsm::Statistics::flush_bytes, "flush_bytes", "tinykv_engine_flush_bytes_total",
     "Bytes of tables made by flushes."},
    {&lsm::Statistics::compactions, "compactions", "tinykv_engine_compactions_total",
     "Compactions done."},
    {&lsm::Statistics::compaction_bytes_read, "compaction_bytes_read",
     "tinykv_engine_compaction_read_bytes_total", "Bytes of tables read by compactions."},
    {&lsm::Statistics::compaction_bytes_written, "compaction_bytes_written",
     "tinykv_engine_compaction_written_bytes_total", "Bytes of tables made by compactions."},
    {&lsm::Statistics::write_stalls, "write_stalls", "tinykv_engine_write_stalls_total",
     "Writes that had to wait for a flush or a compaction, or were refused for it."},
};

}  // namespace

void CollectEngineMetrics(const lsm::Statistics& statistics, MetricSink& sink) {
  for (const Field& field : kGauges) {
    sink.Gauge(field.metric_name, field.help, static_cast<double>(statistics.*field.member));
  }
  for (const Field& field : kCounters) {
    sink.Counter(field.metric_name, field.help, static_cast<double>(statistics.*field.member));
  }
  for (size_t cf = 0; cf < statistics.levels.size(); ++cf) {
    for (size_t level = 0; level < statistics.levels[cf].size(); ++level) {
      const lsm::LevelStatistics& at = statistics.levels[cf][level];
      const MetricSink::Labels labels = {
          {"column_family", std::string(NameOf(static_cast<ColumnFamily>(cf)))},
          {"level", std::to_string(level)}};
      sink.Gauge("tinykv_engine_level_tables", "Sorted tables of a level.", at.tables, labels);
      sink.Gauge("tinykv_engine_level_bytes", "Bytes of a level's tables.",
                 static_cast<double>(at.bytes), labels);
    }
  }
}

nlohmann::json EngineStatus(const lsm::Statistics& statistics) {
  nlohmann::json status = nlohmann::json::object();
  for (const Field& field : kGauges) status[field.status_name] = statistics.*field.member;
  for (const Field& field : kCounters) status[field.status_name] = statistics.*field.member;
  for (size_t cf = 0; cf < statistics.levels.size(); ++cf) {
    nlohmann::json& levels = status["levels"][std::string(kColumnFamilyNames[cf])];
    for (const lsm::LevelStatistics& level : statistics.levels[cf]) {
      levels.push_back({{"tables", level.tables}, {"bytes", level.bytes}});
    }
  }
  return status;
}

}  // namespace tinykv
