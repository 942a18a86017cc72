// The DB under real threads: writers, readers, flushes and compactions at the same time, on real
// files. Built with ThreadSanitizer it also finds races that do not show in a result.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/env/temporary_directory.h"
#include "common/random.h"
#include "common/strings.h"
#include "lsm/db.h"
#include "lsm/table_writer.h"

namespace tinykv::lsm {
namespace {

constexpr int kWriters = 3;
constexpr uint64_t kBatches = 2'000;  // of each writer
constexpr int kKeys = 4;              // of each writer, in each column family
constexpr int kReaders = 3;

// Every batch of a writer sets all of its keys, in both column families, to the batch's number.
std::string KeyOf(int writer, int key) { return Concat("writer", writer, "-key", key); }

// Values differ in length, so that memtables fill at uneven places.
std::string ValueOf(uint64_t number) { return Concat(number, ':', std::string(number % 200, 'v')); }
uint64_t NumberOf(std::string_view value) {
  return std::stoull(std::string(value.substr(0, value.find(':'))));
}

class DBStressTest : public testing::Test {
 protected:
  DBStressTest() {
    options_.file_system = &PosixFileSystem();
    options_.background = background_.get();
    options_.column_families = {"default", "lock"};
    options_.memtable_bytes = 64 << 10;
    options_.table_bytes = 16 << 10;
    options_.block_bytes = 1 << 10;
    options_.level_bytes_base = 64 << 10;
    options_.level_multiplier = 4;
    options_.l0_compact_tables = 2;
    options_.l0_slowdown_tables = 4;
    options_.l0_stop_tables = 8;
    options_.block_cache_bytes = 256 << 10;
    Open();
  }

  void Open() {
    db_.reset();
    auto opened = DB::Open(options_, JoinPath(directory_.path(), "db"));
    ASSERT_TRUE(opened.ok()) << opened.status();
    db_ = *std::move(opened);
  }

  void WriteBatches(int writer) {
    for (uint64_t number = 1; number <= kBatches; ++number) {
      WriteBatch batch;
      if (number % 5 == 0) {
        for (const ColumnFamilyId column_family : {0, 1}) {
          batch.DeleteRange(column_family, KeyOf(writer, 0), KeyOf(writer, kKeys));
        }
      }
      for (int key = 0; key < kKeys; ++key) {
        // Deleted and written again: a reader must never see the deletion alone.
        if (number % 3 == 0) batch.Delete(0, KeyOf(writer, key));
        batch.Put(0, KeyOf(writer, key), ValueOf(number));
        batch.Put(1, KeyOf(writer, key), ValueOf(number));
      }
      const absl::Status status = db_->Write({.sync = number % 64 == 0}, batch);
      ASSERT_TRUE(status.ok()) << status;
    }
    ++writers_done_;
  }

  uint64_t GetNumber(const ReadOptions& options, ColumnFamilyId column_family,
                     const std::string& key) {
    const auto value = db_->Get(options, column_family, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() && *value ? NumberOf(**value) : 0;
  }

  // All keys of a writer are equal at one moment, whichever way they are read.
  void CheckMoment(int writer, const Snapshot* snapshot) {
    const uint64_t first = GetNumber({.snapshot = snapshot}, 0, KeyOf(writer, 0));
    for (int key = 0; key < kKeys; ++key) {
      for (const ColumnFamilyId column_family : {0, 1}) {
        ASSERT_EQ(GetNumber({.snapshot = snapshot}, column_family, KeyOf(writer, key)), first);
      }
    }
  }

  void CheckIterator(int writer, bool forward, ColumnFamilyId column_family) {
    const ReadOptions options{.lower_bound = KeyOf(writer, 0), .upper_bound = KeyOf(writer, kKeys)};
    const auto it = db_->NewIterator(options, column_family);
    std::vector<uint64_t> numbers;
    if (forward) {
      for (it->SeekToFirst(); it->Valid(); it->Next()) numbers.push_back(NumberOf(it->value()));
    } else {
      for (it->SeekToLast(); it->Valid(); it->Prev()) numbers.push_back(NumberOf(it->value()));
    }
    ASSERT_TRUE(it->status().ok()) << it->status();
    if (numbers.empty()) return;  // before the first batch
    ASSERT_EQ(numbers, std::vector<uint64_t>(kKeys, numbers.front()));
  }

  // A reader never goes back in time, and sees whole batches.
  void Read(uint64_t seed) {
    Random random(seed);
    std::vector<uint64_t> seen(kWriters, 0);
    while (writers_done_ < kWriters) {
      const int writer = static_cast<int>(random.Uniform(kWriters));
      const uint64_t number =
          GetNumber({}, 0, KeyOf(writer, static_cast<int>(random.Uniform(kKeys))));
      ASSERT_GE(number, seen[writer]);
      seen[writer] = number;
      if (random.OneIn(3)) CheckMoment(writer, db_->NewSnapshot().get());
      if (random.OneIn(3)) {
        CheckIterator(writer, random.Percent(50), static_cast<ColumnFamilyId>(random.Uniform(2)));
      }
    }
  }

  void DoMaintenance() {
    Random random(99);
    while (writers_done_ < kWriters) {
      const uint64_t choice = random.Uniform(20);
      if (choice == 0) {
        ASSERT_TRUE(db_->CompactAll(static_cast<ColumnFamilyId>(random.Uniform(2))).ok());
      } else if (choice < 4) {
        ASSERT_TRUE(db_->Flush().ok());
      } else if (choice < 8) {
        ASSERT_TRUE(db_->SyncLog().ok());
      } else {
        ASSERT_EQ(db_->GetStatistics().levels.size(), 2u);
      }
    }
  }

  // What all keys of a writer hold in a database that nobody writes to.
  void CheckCopy(DB& copy, int writer, uint64_t at_least) {
    std::vector<uint64_t> numbers;
    for (int key = 0; key < kKeys; ++key) {
      for (const ColumnFamilyId column_family : {0, 1}) {
        const auto value = copy.Get({}, column_family, KeyOf(writer, key));
        ASSERT_TRUE(value.ok()) << value.status();
        numbers.push_back(*value ? NumberOf(**value) : 0);
      }
    }
    ASSERT_GE(numbers.front(), at_least);
    ASSERT_EQ(numbers, std::vector<uint64_t>(numbers.size(), numbers.front()));
  }

  // A checkpoint holds whole batches, and all that were acknowledged before.
  void MakeCheckpoints() {
    for (int i = 0; writers_done_ < kWriters; ++i) {
      std::vector<uint64_t> before;
      for (int writer = 0; writer < kWriters; ++writer) {
        before.push_back(GetNumber({}, 0, KeyOf(writer, 0)));
      }
      const std::string path = JoinPath(directory_.path(), Concat("checkpoint", i));
      const absl::Status status = db_->Checkpoint(path);
      ASSERT_TRUE(status.ok()) << status;
      const auto copy = DB::Open(options_, path);
      ASSERT_TRUE(copy.ok()) << copy.status();
      for (int writer = 0; writer < kWriters; ++writer) CheckCopy(**copy, writer, before[writer]);
      // How much there is changes all the time; asking must do no harm.
      ASSERT_TRUE(db_->ApproximateSize(0, {.lower = KeyOf(1, 0)}).ok());
      ASSERT_TRUE(db_->MiddleKey(1, {}).ok());
    }
  }

  void CheckEnd() {
    for (int writer = 0; writer < kWriters; ++writer) {
      for (int key = 0; key < kKeys; ++key) {
        for (const ColumnFamilyId column_family : {0, 1}) {
          ASSERT_EQ(GetNumber({}, column_family, KeyOf(writer, key)), kBatches);
        }
      }
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Executor> background_ =
      MakeThreadExecutor({.threads = 2, .name = "lsm-background"});
  Options options_;
  std::unique_ptr<DB> db_;
  std::atomic<int> writers_done_ = 0;
};

TEST_F(DBStressTest, ReadersSeeWholeBatchesWhileEverythingHappens) {
  std::vector<std::thread> threads;
  threads.reserve(kWriters + kReaders + 2);
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([this, writer] { WriteBatches(writer); });
  }
  for (uint64_t seed = 0; seed < kReaders; ++seed) {
    threads.emplace_back([this, seed] { Read(seed); });
  }
  threads.emplace_back([this] { DoMaintenance(); });
  threads.emplace_back([this] { MakeCheckpoints(); });
  for (std::thread& thread : threads) thread.join();
  CheckEnd();
  const Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.writes, kWriters * kBatches);
  EXPECT_GT(statistics.flushes, 10u);
  EXPECT_GT(statistics.compactions, 5u);
  EXPECT_EQ(statistics.live_snapshots, 0u);
  EXPECT_EQ(statistics.write_error, absl::OkStatus());
  Open();
  CheckEnd();
}

constexpr uint64_t kIngestions = 60;

// Ingestions and writers set the same keys. Every key is written by one writer, to 1, 2, 3...; an
// ingestion sets all of them to "ingestion N:".
class IngestStressTest : public DBStressTest {
 protected:
  std::string WriteFile(const std::string& name, uint64_t number) {
    const std::string path = JoinPath(directory_.path(), name);
    auto writer = TableWriter::Create(options_, path);
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (int i = 0; i < kWriters; ++i) {
      EXPECT_TRUE((*writer)->Add(KeyOf(i, 0), Concat("ingestion ", number)).ok());
    }
    EXPECT_TRUE((*writer)->Finish().ok());
    return path;
  }

  std::string Read(const Snapshot* snapshot, ColumnFamilyId column_family, const std::string& key) {
    const auto value = db_->Get({.snapshot = snapshot}, column_family, key);
    EXPECT_TRUE(value.ok()) << value.status();
    return value.ok() ? value->value_or("") : "";
  }
  static bool IsOfIngestion(const std::string& value) { return value.starts_with("ingestion "); }
  static uint64_t IngestionOf(const std::string& value) { return std::stoull(value.substr(10)); }

  // What was acknowledged before an ingestion is below it.
  void IngestRepeatedly() {
    for (uint64_t number = 1; number <= kIngestions; ++number) {
      Ingestion ingestion;
      ingestion.cleared = {{0, "", std::nullopt}, {1, "", std::nullopt}};
      ingestion.files = {{0, WriteFile("0", number)}, {1, WriteFile("1", number)}};
      ingestion.batch.Put(1, "state", Concat("ingestion ", number));
      std::vector<uint64_t> acknowledged;
      for (const auto& count : acknowledged_) acknowledged.push_back(count.load());
      const absl::Status status = db_->Ingest(std::move(ingestion));
      ASSERT_TRUE(status.ok()) << status;
      for (int writer = 0; writer < kWriters; ++writer) {
        const std::string value = Read(nullptr, 0, KeyOf(writer, 0));
        if (IsOfIngestion(value)) {
          ASSERT_EQ(IngestionOf(value), number);
        } else {
          ASSERT_GT(std::stoull(value), acknowledged[writer]);
        }
      }
      ingested_ = number;
    }
    writers_done_ = kWriters;
  }

  // What starts behind an ingestion is above it.
  void WriteRepeatedly(int writer) {
    for (uint64_t number = 1; writers_done_ == 0; ++number) {
      const uint64_t ingested_before = ingested_;
      WriteBatch batch;
      batch.Put(0, KeyOf(writer, 0), std::to_string(number));
      const absl::Status status = db_->Write({.sync = false}, batch);
      ASSERT_TRUE(status.ok()) << status;
      acknowledged_[writer] = number;
      const std::string value = Read(nullptr, 0, KeyOf(writer, 0));
      if (IsOfIngestion(value)) {
        ASSERT_GT(IngestionOf(value), ingested_before);
      } else {
        ASSERT_EQ(value, std::to_string(number));
      }
    }
  }

  // A snapshot sees all of an ingestion or nothing, and the same however often it is asked.
  void ReadRepeatedly() {
    while (writers_done_ == 0) {
      const auto snapshot = db_->NewSnapshot();
      const std::string state = Read(snapshot.get(), 1, "state");
      for (int writer = 0; writer < kWriters; ++writer) {
        ASSERT_EQ(Read(snapshot.get(), 1, KeyOf(writer, 0)), state);
        const std::string value = Read(snapshot.get(), 0, KeyOf(writer, 0));
        if (IsOfIngestion(value)) {
          ASSERT_EQ(value, state);
        }
        ASSERT_EQ(Read(snapshot.get(), 0, KeyOf(writer, 0)), value);
      }
    }
  }

  std::atomic<uint64_t> ingested_ = 0;
  std::atomic<uint64_t> acknowledged_[kWriters] = {};
};

TEST_F(IngestStressTest, IngestionsStandBetweenWritesAndAreSeenAsAWhole) {
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([this, writer] { WriteRepeatedly(writer); });
  }
  threads.emplace_back([this] { ReadRepeatedly(); });
  threads.emplace_back([this] { IngestRepeatedly(); });
  threads.emplace_back([this] { DoMaintenance(); });
  for (std::thread& thread : threads) thread.join();
  Open();
  EXPECT_EQ(Read(nullptr, 1, "state"), Concat("ingestion ", kIngestions));
}

TEST_F(DBStressTest, WritersThatSyncShareSyncs) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 40;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < kWrites; ++i) {
        WriteBatch batch;
        batch.Put(0, Concat(thread, "-", i), "v");
        ASSERT_TRUE(db_->Write({.sync = true}, batch).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.writes, static_cast<uint64_t>(kThreads * kWrites));
  EXPECT_LE(statistics.wal_syncs, statistics.writes);
  for (int thread = 0; thread < kThreads; ++thread) {
    for (int i = 0; i < kWrites; ++i) {
      ASSERT_TRUE((*db_->Get({}, 0, Concat(thread, "-", i))).has_value());
    }
  }
}

TEST_F(DBStressTest, FlushesAndCompactionsMayBeAskedForByManyAtOnce) {
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 10; ++i) {
        WriteBatch batch;
        batch.Put(0, Concat(thread, "-", i), "v");
        ASSERT_TRUE(db_->Write({.sync = false}, batch).ok());
        const absl::Status status = thread % 3 == 0 ? db_->CompactAll(0) : db_->Flush();
        ASSERT_TRUE(status.ok()) << status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int found = 0;
  const auto it = db_->NewIterator({}, 0);
  for (it->SeekToFirst(); it->Valid(); it->Next()) ++found;
  EXPECT_TRUE(it->status().ok()) << it->status();
  EXPECT_EQ(found, 60);
}

TEST_F(DBStressTest, ClosesWhileFlushesAndCompactionsRun) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 200; ++i) {
      WriteBatch batch;
      batch.Put(0, Concat("key", i), Concat(round, std::string(1'000, 'v')));
      ASSERT_TRUE(db_->Write({.sync = false}, batch).ok());
    }
    Open();
    for (int i = 0; i < 200; ++i) {
      const auto value = db_->Get({}, 0, Concat("key", i));
      ASSERT_TRUE(value.ok() && *value) << value.status();
      ASSERT_EQ((*value)->substr(0, 2), Concat(round, 'v'));
    }
  }
}

}  // namespace
}  // namespace tinykv::lsm
