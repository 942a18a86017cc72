#include "stage1-standalone/engine_metrics.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

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
    {&lsm::Statistics::pending_compaction_bytes, "pending_compaction_bytes",
     "tinykv_engine_pending_compaction_bytes",
     "What compactions have to move down at least until none is due."},
    {&lsm::Statistics::obsolete_tables, "obsolete_tables", "tinykv_engine_obsolete_tables",
     "Tables that compactions have replaced and readers still use."},
    {&lsm::Statistics::obsolete_table_bytes, "obsolete_table_bytes",
     "tinykv_engine_obsolete_table_bytes", "Bytes of the obsolete tables."},
};

constexpr Field kCounters[] = {
    {&lsm::Statistics::block_cache_hits, "block_cache_hits", "tinykv_engine_block_cache_hits_total",
     "Blocks found in the cache."},
    {&lsm::Statistics::block_cache_misses, "block_cache_misses",
     "tinykv_engine_block_cache_misses_total", "Blocks read from disk."},
    {&lsm::Statistics::bloom_filter_skips, "bloom_filter_skips",
     "tinykv_engine_bloom_filter_skips_total", "Table reads that a Bloom filter saved."},
    {&lsm::Statistics::writes, "writes", "tinykv_engine_writes_total", "Batches written."},
    {&lsm::Statistics::write_bytes, "write_bytes", "tinykv_engine_write_bytes_total",
     "Bytes of the batches written."},
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

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void CollectEngineMetrics(const lsm::Statistics& statistics, MetricSink& sink,
                          const EngineNames& names) {
  for (const Field& field : kGauges) {
    sink.Gauge(field.metric_name, field.help, static_cast<double>(statistics.*field.member),
               names.labels);
  }
  for (const Field& field : kCounters) {
    sink.Counter(field.metric_name, field.help, static_cast<double>(statistics.*field.member),
                 names.labels);
  }
  sink.Counter("tinykv_engine_wal_sync_seconds_total",
               "Time spent in syncs of the write-ahead log.", Seconds(statistics.wal_sync_time),
               names.labels);
  sink.Gauge("tinykv_engine_wal_sync_max_seconds",
             "The longest sync of the write-ahead log since the start.",
             Seconds(statistics.wal_sync_time_max), names.labels);
  sink.Gauge("tinykv_engine_writes_stalled",
             "1 if a write would wait for a flush or a compaction, else 0.",
             statistics.writes_stalled ? 1 : 0, names.labels);
  sink.Gauge("tinykv_engine_writes_stopped",
             "1 if an error of the disk has stopped all writes, else 0; /status says which.",
             statistics.write_error.ok() ? 0 : 1, names.labels);
  for (size_t cf = 0; cf < statistics.levels.size(); ++cf) {
    for (size_t level = 0; level < statistics.levels[cf].size(); ++level) {
      const lsm::LevelStatistics& at = statistics.levels[cf][level];
      MetricSink::Labels labels = names.labels;
      labels["column_family"] = names.column_families[cf];
      labels["level"] = std::to_string(level);
      sink.Gauge("tinykv_engine_level_tables", "Sorted tables of a level.", at.tables, labels);
      sink.Gauge("tinykv_engine_level_bytes", "Bytes of a level's tables.",
                 static_cast<double>(at.bytes), labels);
    }
  }
}

nlohmann::json EngineStatus(const lsm::Statistics& statistics, const EngineNames& names) {
  nlohmann::json status = nlohmann::json::object();
  for (const Field& field : kGauges) status[field.status_name] = statistics.*field.member;
  for (const Field& field : kCounters) status[field.status_name] = statistics.*field.member;
  status["wal_sync_seconds"] = Seconds(statistics.wal_sync_time);
  status["wal_sync_seconds_max"] = Seconds(statistics.wal_sync_time_max);
  status["writes_stalled"] = statistics.writes_stalled;
  status["write_error"] = statistics.write_error.ok() ? "" : statistics.write_error.ToString();
  for (size_t cf = 0; cf < statistics.levels.size(); ++cf) {
    nlohmann::json& levels = status["levels"][names.column_families[cf]];
    for (const lsm::LevelStatistics& level : statistics.levels[cf]) {
      levels.push_back({{"tables", level.tables}, {"bytes", level.bytes}});
    }
  }
  return status;
}

}  // namespace tinykv
