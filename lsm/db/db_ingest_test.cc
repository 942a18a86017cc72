// DB::Ingest(): what comes in, in which order, and what a crash or an error leaves.
#include <map>

#include "common/strings.h"
#include "lsm/db/db_test_util.h"
#include "lsm/table/block_builder.h"
#include "lsm/table/block_writer.h"
#include "lsm/table/table_builder.h"
#include "lsm/table_writer.h"

namespace tinykv::lsm {
namespace {

using Content = std::map<std::string, std::string>;

class IngestTest : public DBTest {
 protected:
  IngestTest() {
    EXPECT_TRUE(disk_.CreateDirectories("incoming").ok());
    options_.file_system = &disk_;
  }

  std::string MakeFile(const std::string& name, const Content& content) {
    const std::string path = JoinPath("incoming", name);
    auto writer = TableWriter::Create(options_, path);
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (const auto& [key, value] : content) EXPECT_TRUE((*writer)->Add(key, value).ok());
    EXPECT_TRUE((*writer)->Finish().ok());
    return path;
  }

  void Ingest(const Ingestion& ingestion) {
    const absl::Status status = db_->Ingest(ingestion);
    ASSERT_TRUE(status.ok()) << status;
  }

  // As a Raft snapshot: [b, e) of both column families is replaced, and a key says so.
  Ingestion Snapshot() {
    Ingestion ingestion;
    ingestion.cleared = {{0, "b", "e"}, {1, "b", "e"}};
    ingestion.files = {{0, MakeFile("0", {{"b", "new"}, {"d", "new"}})},
                       {1, MakeFile("1", {{"c", "new"}})}};
    ingestion.batch.Put(1, "state", "applied");
    return ingestion;
  }
  void PutOld() {
    for (const char* key : {"a", "b", "c", "e"}) {
      Put(key, "old", 0);
      Put(key, "old", 1);
    }
  }
  const KeyValues kOld = {{"a", "old"}, {"b", "old"}, {"c", "old"}, {"e", "old"}};
  const KeyValues kNew0 = {{"a", "old"}, {"b", "new"}, {"d", "new"}, {"e", "old"}};
  const KeyValues kNew1 = {{"a", "old"}, {"c", "new"}, {"e", "old"}, {"state", "applied"}};

  // "old" or "new", or what is wrong.
  std::string Moment(const lsm::Snapshot* snapshot = nullptr) {
    const ReadOptions options{.snapshot = snapshot};
    const KeyValues first = ScanForward(options, 0);
    const KeyValues second = ScanForward(options, 1);
    EXPECT_EQ(ScanBackward(options, 0), KeyValues(first.rbegin(), first.rend()));
    for (const auto& [key, value] : first) EXPECT_EQ(Get(key, snapshot, 0), value);
    if (first == kOld && second == kOld) return "old";
    if (first == kNew0 && second == kNew1) return "new";
    return "something between";
  }
};

TEST_F(IngestTest, ReplacesRangesOfSeveralColumnFamiliesInOneMoment) {
  Open();
  PutOld();
  const auto snapshot = db_->NewSnapshot();
  const auto it = db_->NewIterator({}, 0);
  Ingest(Snapshot());
  for (const char* name : {"0", "1"}) {
    EXPECT_TRUE(disk_.Remove(JoinPath("incoming", name)).ok());  // they are still the caller's
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Moment(), "new");
    EXPECT_EQ(Moment(snapshot.get()), "old");
    KeyValues seen;
    for (it->SeekToFirst(); it->Valid(); it->Next()) seen.emplace_back(it->key(), it->value());
    EXPECT_EQ(seen, kOld);
    if (i == 0) Flush();
    if (i == 1) CompactAll(0);
    if (i == 2) CompactAll(1);
  }
  it->SeekForPrev("c");
  EXPECT_EQ(it->key(), "c");
}

TEST_F(IngestTest, OfItsPartsTheLaterWins) {
  Open();
  Put("k", "write");
  Ingestion ingestion;
  ingestion.cleared = {{0, "", std::nullopt}};
  ingestion.files = {{0, MakeFile("0", {{"k", "first"}, {"x", "first"}, {"z", "first"}})},
                     {0, MakeFile("1", {{"k", "second"}, {"x", "second"}})}};
  ingestion.batch.Put(0, "k", "batch");
  ingestion.batch.Delete(0, "z");
  Ingest(ingestion);
  const KeyValues expected = {{"k", "batch"}, {"x", "second"}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ScanForward(), expected);
    for (const auto& [key, value] : expected) EXPECT_EQ(Get(key), value);
    EXPECT_EQ(Get("z"), "-");
    if (i == 0) Open();
    if (i == 1) CompactAll();
  }
}

TEST_F(IngestTest, StandsBetweenTheWritesBeforeAndAfterIt) {
  for (const bool flush : {false, true}) {
    Open();
    Put("k", "before");
    if (flush) Flush();
    Ingest({.files = {{0, MakeFile("0", {{"k", "ingested"}})}}});
    EXPECT_EQ(Get("k"), "ingested");
    const auto snapshot = db_->NewSnapshot();
    Put("k", "after");
    EXPECT_EQ(Get("k"), "after");
    EXPECT_EQ(Get("k", snapshot.get()), "ingested");
  }
  Open();
  EXPECT_EQ(Get("k"), "after");
}

// Sequence numbers of the logs go on where the ingestion's end: a gap would be data loss.
TEST_F(IngestTest, LogsGoOnBehindIt) {
  Open();
  for (int round = 0; round < 3; ++round) {
    Put("a", Concat("write ", round));
    Ingest(Snapshot());
    KillAndOpen();  // the log behind it is empty
    EXPECT_EQ(Get("b"), "new");
    Ingest(Snapshot());
    Ingest(Snapshot());
    Put("b", "after");
    Delete("d");
    KillAndOpen();
    EXPECT_EQ(Get("a"), Concat("write ", round));
    EXPECT_EQ(Get("b"), "after");
    EXPECT_EQ(Get("d"), "-");
    Ingest(Snapshot());
    Open();  // closed cleanly
    EXPECT_EQ(Get("b"), "new");
  }
}

TEST_F(IngestTest, MakesWhatWasWrittenBeforeDurable) {
  Open();
  ASSERT_TRUE(TryPut("x", "not synced", {.sync = false}).ok());
  Ingest({});
  disk_.Halt();
  Close();
  background_.Clear();
  Random random(1);
  disk_.Crash({}, random);
  Open();
  EXPECT_EQ(Get("x"), "not synced");
}

TEST_F(IngestTest, IsThereAsAWholeOrNotAtAllAfterACrashAtAnyChange) {
  std::map<std::string, int> found;
  bool done = false;
  for (uint64_t at = 1; !done; ++at) {
    ASSERT_LT(at, 200u);
    for (const std::string& path : disk_.files()) ASSERT_TRUE(disk_.Remove(path).ok());
    Open();
    PutOld();
    const Ingestion ingestion = Snapshot();
    ASSERT_TRUE(disk_.SyncDirectory("incoming").ok());
    disk_.SetFaults({.halt_at_change = at});
    done = db_->Ingest(ingestion).ok();
    disk_.Halt();
    Close();
    background_.Clear();
    Random random(at);
    disk_.Crash(random);
    Open();
    const std::string moment = Moment();
    ++found[moment];
    EXPECT_TRUE(moment == "new" || (moment == "old" && !done)) << moment << ", change " << at;
    Ingest(ingestion);  // the files are still there
    EXPECT_EQ(Moment(), "new") << "change " << at;
    Close();
  }
  EXPECT_GT(found["old"], 10);
  EXPECT_GT(found["new"], 1);
}

TEST_F(IngestTest, ThatFailsLeavesNoTraceUnlessTheManifestFailed) {
  int left_no_trace = 0;
  bool done = false;
  for (uint64_t at = 1; !done; ++at) {
    ASSERT_LT(at, 200u);
    for (const std::string& path : disk_.files()) ASSERT_TRUE(disk_.Remove(path).ok());
    Open();
    PutOld();
    Flush();
    const Ingestion ingestion = Snapshot();
    const size_t files = disk_.files().size();
    disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = at}});
    const absl::Status status = db_->Ingest(ingestion);
    disk_.SetFaults({});
    done = status.ok();
    const absl::Status after = TryPut("a", "old");
    if (!done && after.ok()) {
      ++left_no_trace;
      EXPECT_EQ(Moment(), "old");
      EXPECT_EQ(disk_.files().size(), files) << "change " << at;
    } else if (!done) {
      EXPECT_EQ(after, status);
    }
    Open();
    const std::string moment = Moment();
    EXPECT_TRUE(moment == (done ? "new" : "old") || !after.ok()) << "change " << at;
    Ingest(ingestion);
    EXPECT_EQ(Moment(), "new");
    Close();
  }
  EXPECT_GT(left_no_trace, 5);
}

class RefusedFileTest : public IngestTest {
 protected:
  std::string Write(const std::string& name, const std::string& content) {
    const std::string path = JoinPath("incoming", name);
    EXPECT_TRUE(WriteFileAtomically(disk_, path, content).ok());
    return path;
  }
  std::string Build(const std::string& name, absl::FunctionRef<void(TableBuilder&)> fill) {
    const std::string path = JoinPath("incoming", name);
    const auto file = disk_.Create(path);
    TableBuilder builder(options_, **file);
    fill(builder);
    EXPECT_TRUE(builder.Finish().ok());
    return path;
  }
  // One block with these keys, as they come.
  std::string BuildUnchecked(const std::string& name, const std::vector<std::string>& keys) {
    const std::string path = JoinPath("incoming", name);
    const auto file = disk_.Create(path);
    BlockWriter writer(**file, 0);
    BlockBuilder data(16), index(1);
    for (const std::string& key : keys) data.Add(EncodeInternalKey({key, 0}), "v");
    std::string handle;
    AppendBlockHandle(&handle, *writer.Write(data.Finish()));
    index.Add(EncodeInternalKey({"\xff", 0}), handle);
    const TableProperties properties{.entries = keys.size(), .data_blocks = 1};
    Footer footer;
    footer.properties = *writer.Write(EncodeProperties(properties));
    footer.index = *writer.Write(index.Finish());
    EXPECT_TRUE(writer.Finish(footer).ok());
    return path;
  }

  // The file is refused with this code and a message that names it and says `why`, and neither it
  // nor the database has changed.
  void ExpectRefused(const std::string& path, absl::StatusCode code, std::string_view why) {
    Ingestion ingestion = Snapshot();
    ingestion.files.push_back({0, path});
    const auto before = disk_.files();
    const absl::Status status = db_->Ingest(ingestion);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.ToString().find(path), std::string::npos) << status;
    EXPECT_NE(status.ToString().find(why), std::string::npos) << status;
    EXPECT_EQ(disk_.files(), before);
    EXPECT_EQ(Moment(), "old");
    EXPECT_TRUE(TryPut("a", "old").ok());
  }
};

TEST_F(RefusedFileTest, BecauseItIsNoneOfTableWriters) {
  options_.zstd_level = 0;
  Open();
  PutOld();
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  ExpectRefused(Build("sequences",
                      [](TableBuilder& builder) {
                        EXPECT_TRUE(builder.Add(EncodeInternalKey({"k", 7}), "v").ok());
                      }),
                kInvalid, "not made by TableWriter");
  ExpectRefused(Build("deletion",
                      [](TableBuilder& builder) {
                        const auto key = EncodeInternalKey({"k", 0, ValueType::kDelete});
                        EXPECT_TRUE(builder.Add(key, "").ok());
                      }),
                kInvalid, "not made by TableWriter");
  ExpectRefused(Build("range",
                      [](TableBuilder& builder) {
                        builder.AddTombstone({"k", "l", 7});
                      }),
                kInvalid, "range deletes");
  ExpectRefused(BuildUnchecked("unsorted", {"b", "c", "a"}), kInvalid,
                "\"a\" does not come after \"c\"");
  ExpectRefused(BuildUnchecked("twice", {"b", "b"}), kInvalid, "\"b\" does not come after \"b\"");
  ExpectRefused(BuildUnchecked("long", {std::string(kKeyBytesMax + 1, 'k')}), kInvalid, "65537");
}

TEST_F(RefusedFileTest, BecauseItIsDamagedOrSomethingElse) {
  options_.zstd_level = 0;
  Open();
  PutOld();
  constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
  ExpectRefused(Write("empty", ""), kDataLoss, "no sorted table");
  ExpectRefused(Write("text", std::string(500, 't')), kDataLoss, "magic");
  ExpectRefused("incoming/missing", absl::StatusCode::kNotFound, "");
  const std::string good = *ReadFile(disk_, MakeFile("good", {{"x", std::string(300, 'v')}}));
  for (size_t byte = 0; byte < good.size(); byte += 7) {
    std::string damaged = good;
    damaged[byte] = static_cast<char>(damaged[byte] ^ 16);
    ExpectRefused(Write("damaged", damaged), kDataLoss, "");
    ExpectRefused(Write("cut", good.substr(0, byte)), kDataLoss, "");
  }
}

TEST_F(IngestTest, RefusesWhatIsOutOfBounds) {
  Open();
  PutOld();
  const auto expect_refused = [&](const Ingestion& ingestion) {
    EXPECT_EQ(db_->Ingest(ingestion).code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(Moment(), "old");
  };
  expect_refused({.cleared = {{2, "a", "b"}}});
  expect_refused({.cleared = {{0, "a", "b"}, {0, std::string(kKeyBytesMax + 1, 'k'), {}}}});
  expect_refused({.files = {{2, MakeFile("0", {{"k", "v"}})}}});
  Ingestion with_batch = Snapshot();
  with_batch.batch.Put(2, "k", "v");
  expect_refused(with_batch);
  Ingest({});  // nothing is allowed, and done
  EXPECT_EQ(Moment(), "old");
  ASSERT_TRUE(db_->Close().ok());
  EXPECT_EQ(db_->Ingest({}).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(IngestTest, WaitsForLevel0AndKeepsItSmall) {
  options_.l0_compact_tables = 2;
  options_.l0_slowdown_tables = 3;
  options_.l0_stop_tables = 4;
  Open();
  for (int i = 0; i < 50; ++i) {
    Ingest(Snapshot());
    EXPECT_LE(db_->GetStatistics().levels[1][0].tables, 4 + 3);
  }
  EXPECT_EQ(Get("b"), "new");
}

}  // namespace
}  // namespace tinykv::lsm
