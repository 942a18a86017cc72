#include "lsm/log/log_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include "common/env/temporary_directory.h"
#include "common/random.h"
#include "lsm/log/log_format.h"
#include "lsm/log/log_writer.h"
#include "lsm/string_file.h"

namespace tinykv::lsm {
namespace {

constexpr uint64_t kLogNumber = 7;

// A log in memory, and what was put into it.
class WrittenLog {
 public:
  explicit WrittenLog(uint64_t log_number = kLogNumber) : writer_(file_, log_number) {
    EXPECT_TRUE(writer_.WriteHeader().ok());
  }

  void Add(std::string record) {
    EXPECT_TRUE(writer_.AddRecord(record).ok());
    records_.push_back(std::move(record));
    ends_.push_back(content_.size());
  }
  void Sync() {
    EXPECT_TRUE(writer_.Sync().ok());
    synced_bytes_ = content_.size();
  }
  void Finish() { EXPECT_TRUE(writer_.Finish().ok()); }

  const std::string& content() const { return content_; }
  const std::vector<std::string>& records() const { return records_; }
  // Where each record ends.
  const std::vector<uint64_t>& ends() const { return ends_; }
  uint64_t synced_bytes() const { return synced_bytes_; }

 private:
  std::string content_;
  StringWritableFile file_{content_};
  LogWriter writer_;
  std::vector<std::string> records_;
  std::vector<uint64_t> ends_;
  uint64_t synced_bytes_ = 0;
};

// Three records, synced after the first and after the second.
WrittenLog& ThreeRecords() {
  static WrittenLog log;
  if (log.records().empty()) {
    log.Add("one");
    log.Sync();
    log.Add("two two");
    log.Sync();
    log.Add("three three three");
  }
  return log;
}

// What a reader makes of a file.
struct Reading {
  std::vector<std::string> records;
  absl::Status status;
  uint64_t offset = 0;
};

Reading Read(const std::string& content, const LogReader::Options& options = {kLogNumber}) {
  static const TemporaryDirectory directory;
  const std::string path = JoinPath(directory.path(), "000007.log");
  FileSystem& file_system = PosixFileSystem();
  // Fresh each time: to truncate a file that has bytes makes some file systems sync it.
  (void)file_system.Remove(path);
  EXPECT_TRUE((*file_system.Create(path))->Append(content).ok());
  Reading reading;
  const auto reader = LogReader::Open(file_system, path, options);
  if (!reader.ok()) {
    reading.status = reader.status();
    return reading;
  }
  while (true) {
    const auto record = (*reader)->ReadRecord();
    reading.offset = (*reader)->offset();
    reading.status = record.status();
    if (!record.ok() || !record->has_value()) return reading;
    reading.records.emplace_back(**record);
  }
}

bool IsPrefix(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
  return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

void ExpectDamageAt(const Reading& reading, uint64_t offset) {
  EXPECT_EQ(reading.status.code(), absl::StatusCode::kDataLoss) << reading.status;
  const std::string place = Concat("000007.log: offset ", offset, ":");
  EXPECT_NE(MessageOf(reading.status).find(place), std::string_view::npos) << reading.status;
}

// Where the frame (or header) begins that `place` lies in.
uint64_t FrameStart(const WrittenLog& log, uint64_t place) {
  if (place < kLogHeaderBytes) return 0;
  uint64_t start = kLogHeaderBytes;
  for (const uint64_t end : log.ends()) {
    if (end <= place) start = end;
  }
  return start;
}

RC_GTEST_PROP(LogReader, ReadsBackWhatWasWritten, ()) {
  WrittenLog log;
  for (auto& record : *rc::gen::arbitrary<std::vector<std::string>>()) {
    if (!record.empty()) log.Add(record);
    if (*rc::gen::arbitrary<bool>()) log.Sync();
  }
  const bool finished = *rc::gen::arbitrary<bool>();
  if (finished) log.Finish();
  for (const bool torn_end_allowed : {true, false}) {
    if (!torn_end_allowed && !finished) continue;
    const Reading reading = Read(log.content(), {kLogNumber, torn_end_allowed});
    RC_ASSERT(reading.status.ok());
    RC_ASSERT(reading.records == log.records());
    RC_ASSERT(reading.offset == log.content().size());
  }
}

// Power loss may leave anything where bytes had not been synced: a shorter file, zeros, old bytes
// of other files, and later pages without earlier ones.
TEST(LogReader, SurvivesPowerLossWithAPrefixThatHoldsAllSyncedRecords) {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    WrittenLog log;
    for (uint64_t count = random.Uniform(10); count > 0; --count) {
      log.Add(std::string(random.Between(1, 50), static_cast<char>('a' + count)));
      if (random.OneIn(3)) log.Sync();
    }
    std::string content = log.content();
    const size_t unsynced = content.size() - log.synced_bytes();
    for (uint64_t holes = random.Uniform(3); holes > 0 && unsynced > 0; --holes) {
      const size_t from = log.synced_bytes() + random.Uniform(unsynced);
      const size_t to = from + random.Uniform(content.size() - from) + 1;
      const bool zeros = random.OneIn(2);
      for (size_t i = from; i < to; ++i) content[i] = static_cast<char>(zeros ? 0 : random.Next());
    }
    if (random.OneIn(2)) content.resize(log.synced_bytes() + random.Uniform(unsynced + 1));

    const Reading reading = Read(content);
    ASSERT_EQ(reading.status, absl::OkStatus());
    ASSERT_TRUE(IsPrefix(reading.records, log.records()));
    const auto synced_records =
        std::upper_bound(log.ends().begin(), log.ends().end(), log.synced_bytes()) -
        log.ends().begin();
    ASSERT_GE(static_cast<ptrdiff_t>(reading.records.size()), synced_records);
  }
}

TEST(LogReader, FindsDamageToBytesThatALaterFrameCallsSynced) {
  const WrittenLog& log = ThreeRecords();
  for (uint64_t place = 0; place < log.ends()[1]; ++place) {
    SCOPED_TRACE(testing::Message() << "byte " << place);
    std::string content = log.content();
    content[place] ^= '\x10';
    const Reading reading = Read(content);
    ExpectDamageAt(reading, FrameStart(log, place));
    EXPECT_TRUE(IsPrefix(reading.records, log.records()));
  }
}

TEST(LogReader, CutsADamagedLastRecordSilently) {
  const WrittenLog& log = ThreeRecords();
  for (uint64_t place = log.ends()[1]; place < log.content().size(); ++place) {
    std::string content = log.content();
    content[place] ^= '\x10';
    const Reading reading = Read(content);
    EXPECT_EQ(reading.status, absl::OkStatus());
    EXPECT_EQ(reading.records.size(), 2u);
    EXPECT_EQ(reading.offset, log.ends()[1]);
  }
}

TEST(LogReader, CutsATornEndOnlyIfToldSo) {
  const WrittenLog& log = ThreeRecords();
  for (size_t bytes = 0; bytes < log.content().size(); ++bytes) {
    SCOPED_TRACE(testing::Message() << bytes << " bytes");
    const std::string content = log.content().substr(0, bytes);
    const Reading tolerant = Read(content);
    EXPECT_EQ(tolerant.status, absl::OkStatus());
    EXPECT_TRUE(IsPrefix(tolerant.records, log.records()));
    EXPECT_EQ(tolerant.offset, bytes < kLogHeaderBytes ? 0 : FrameStart(log, bytes));

    const Reading strict = Read(content, {kLogNumber, false});
    ExpectDamageAt(strict, bytes < kLogHeaderBytes ? 0 : FrameStart(log, bytes));
  }
}

TEST(LogReader, FindsAnyDamageToAFinishedLog) {
  WrittenLog log;
  for (const char* record : {"one", "two", "three"}) log.Add(record);
  log.Finish();
  for (uint64_t place = 0; place < log.content().size(); ++place) {
    SCOPED_TRACE(testing::Message() << "byte " << place);
    std::string content = log.content();
    content[place] ^= '\x01';
    const Reading reading = Read(content);
    if (place < log.ends()[2]) {
      ExpectDamageAt(reading, FrameStart(log, place));
    } else {
      // The end mark itself. It holds no data: nothing is lost.
      EXPECT_EQ(reading.status, absl::OkStatus());
      EXPECT_EQ(reading.records, log.records());
    }
  }
}

TEST(LogReader, RefusesBytesBehindTheEndMark) {
  WrittenLog log;
  log.Add("record");
  log.Finish();
  ExpectDamageAt(Read(log.content() + "x"), log.content().size());
  ExpectDamageAt(Read(log.content() + std::string("\0\0x", 3)), log.content().size() + 2);
}

TEST(LogReader, TakesZerosBehindTheEndForWhatTheFileKeptAhead) {
  WrittenLog log;
  log.Add("record");
  const std::string zeros(1000, '\0');
  const Reading open = Read(log.content() + zeros);
  EXPECT_EQ(open.status, absl::OkStatus());
  EXPECT_EQ(open.records, log.records());
  EXPECT_EQ(open.offset, log.content().size());

  log.Finish();
  const Reading finished = Read(log.content() + zeros, {kLogNumber, false});
  EXPECT_EQ(finished.status, absl::OkStatus());
  EXPECT_EQ(finished.records, log.records());
}

TEST(LogReader, CallsALogEmptyWhoseHeaderNobodyVouchesFor) {
  WrittenLog log;
  log.Add("never synced");
  std::string content = log.content();
  content[3] ^= '\x01';
  const Reading reading = Read(content);
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_TRUE(reading.records.empty());
  EXPECT_EQ(reading.offset, 0u);
  ExpectDamageAt(Read(content, {kLogNumber, false}), 0);
}

TEST(LogReader, RefusesAnotherLog) {
  WrittenLog other(8);
  other.Add("record");
  ExpectDamageAt(Read(other.content()), 0);
}

TEST(LogReader, DoesNotTakeFramesOfAnotherLogForItsOwn) {
  WrittenLog log, other(8);
  log.Add("own");
  other.Add("new");
  other.Add("old");
  const Reading reading = Read(log.content() + other.content().substr(other.ends()[0]));
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_EQ(reading.records, log.records());
}

TEST(LogReader, DoesNotTakeAMovedFrameForAWitness) {
  // A copy of this very log, as part of a record: its frames stand in the wrong place.
  WrittenLog log;
  log.Add("first");
  log.Add(ThreeRecords().content());
  std::string content = log.content();
  content[log.ends()[0] + kFrameHeaderBytes] ^= '\x01';
  const Reading reading = Read(content);
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_EQ(reading.records.size(), 1u);
}

TEST(LogReader, FindsFramesThatChangedPlaces) {
  WrittenLog log;
  log.Add("aaa");
  log.Add("bbb");
  log.Finish();
  std::string content = log.content();
  const uint64_t frame = log.ends()[0] - kLogHeaderBytes;
  std::swap_ranges(content.begin() + kLogHeaderBytes, content.begin() + kLogHeaderBytes + frame,
                   content.begin() + kLogHeaderBytes + frame);
  ExpectDamageAt(Read(content), kLogHeaderBytes);
}

TEST(LogReader, RefusesAFormatVersionFromTheFuture) {
  std::string content = ThreeRecords().content();
  const uint32_t version = kLogFormatVersion + 1;
  std::memcpy(content.data() + 8, &version, sizeof(version));
  const std::string_view covered(content.data(), kLogHeaderChecksumOffset);
  const uint64_t checksum = LogChecksum(kLogNumber, 0, covered);
  std::memcpy(content.data() + kLogHeaderChecksumOffset, &checksum, sizeof(checksum));
  EXPECT_EQ(Read(content).status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(LogReader, TellsThatAFileIsMissing) {
  const auto reader = LogReader::Open(PosixFileSystem(), "/nonexistent/log", {kLogNumber});
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kNotFound);
}

TEST(LogReader, RepeatsItsAnswerAtTheEnd) {
  const TemporaryDirectory directory;
  const std::string path = JoinPath(directory.path(), "log");
  const std::string torn = ThreeRecords().content().substr(0, ThreeRecords().ends()[0] + 5);
  ASSERT_TRUE(WriteFileAtomically(PosixFileSystem(), path, torn).ok());
  const auto reader = *LogReader::Open(PosixFileSystem(), path, {kLogNumber});
  EXPECT_TRUE(reader->ReadRecord()->has_value());
  EXPECT_FALSE(reader->ReadRecord()->has_value());
  EXPECT_FALSE(reader->ReadRecord()->has_value());
}

}  // namespace
}  // namespace tinykv::lsm
