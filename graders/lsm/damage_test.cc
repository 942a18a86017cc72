// Damage to the files of a database that was closed cleanly: the answer is an error that names a
// file, or the right data. Never other data, never a crash of the process.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/lsm/fixed_program.h"
#include "graders/lsm/model.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "lsm/db.h"
#include "lsm/table_writer.h"

namespace tinykv::lsm::grading {
namespace {

using Files = std::map<std::string, std::string>;  // content by path

const std::string kDirectory = "db";

// A database on a disk of its own.
class Place {
 public:
  explicit Place(const Files& files) {
    EXPECT_TRUE(disk_.CreateDirectories(kDirectory).ok());
    for (const auto& [path, content] : files) {
      EXPECT_TRUE((*disk_.Create(path))->Append(content).ok());
    }
  }

  absl::StatusOr<std::unique_ptr<DB>> Open() { return DB::Open(EngineOptions(), kDirectory); }

  // Puts `value` under neighbouring keys, by way of a file, and clears the range around them.
  absl::Status Ingest(DB& db, const IngestedFile& file, const std::string& value) {
    const std::string path = "ingested";
    TKV_ASSIGN_OR_RETURN(const auto writer, TableWriter::Create(EngineOptions(), path));
    for (int key = file.first_key; key < file.first_key + file.keys; ++key) {
      TKV_RETURN_IF_ERROR(writer->Add(KeyOf(key), value));
    }
    TKV_RETURN_IF_ERROR(writer->Finish().status());
    Ingestion ingestion;
    ingestion.cleared = {{file.column_family, KeyOf(file.first_key), KeyOf(file.first_key + 20)}};
    ingestion.files = {{file.column_family, path}};
    TKV_RETURN_IF_ERROR(db.Ingest(std::move(ingestion)));
    return disk_.Remove(path);
  }

  Files Content() {
    Files files;
    for (const std::string& path : disk_.files()) files[path] = *ReadFile(disk_, path);
    return files;
  }

 private:
  Options EngineOptions() {
    Setup setup = FixedProgram().setup;
    setup.zstd_level = 1;
    Options options = OptionsOf(setup);
    options.file_system = &disk_;
    options.background = &background_;
    return options;
  }

  sim::SimFileSystem disk_;
  sim::SimClock clock_;
  sim::SimExecutor background_{clock_};
};

// The first error, or everything that is there, by a scan and by Get.
absl::StatusOr<State> ReadAll(DB& db) {
  State state(kColumnFamilies);
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    const auto it = db.NewIterator({}, id);
    for (it->SeekToFirst(); it->Valid(); it->Next()) state[id].emplace(it->key(), it->value());
    TKV_RETURN_IF_ERROR(it->status());
    for (int number = 0; number < kKeys; ++number) {
      const std::string& key = KeyOf(number);
      TKV_ASSIGN_OR_RETURN(const auto value, db.Get({}, id, key));
      const auto scanned = state[id].find(key);
      const bool same = value ? scanned != state[id].end() && scanned->second == *value
                              : scanned == state[id].end();
      EXPECT_TRUE(same) << "Get and scan differ for " << Quote(key);
    }
  }
  return state;
}

// A database to be damaged, and what is in it.
struct Subject {
  Files files;
  State state;
};

// With tables in several levels, one of them ingested, range deletes among them, writes that are
// only in the log, and edits behind the snapshot of the manifest.
Subject MakeSubject() {
  Subject subject;
  Place place({});
  auto db = *place.Open();
  uint64_t written = 0;
  for (const Command& command : FixedProgram().commands) {
    if (const auto* write = std::get_if<Write>(&command.action)) {
      WriteBatch batch;
      for (const Modification& modification : write->modifications) {
        AddTo(modification, Concat("value ", ++written), &batch);
      }
      EXPECT_TRUE(db->Write({.sync = write->sync}, batch).ok());
    } else if (std::holds_alternative<Flush>(command.action)) {
      EXPECT_TRUE(db->Flush().ok());
    }
  }
  EXPECT_TRUE(place.Ingest(*db, {.column_family = 1, .first_key = 10, .keys = 12}, "in").ok());
  subject.state = *ReadAll(*db);
  EXPECT_TRUE(db->Close().ok());
  db.reset();
  subject.files = place.Content();
  return subject;
}

// What became of a damaged database: "" if that is all right.
std::string Verdict(const Subject& subject, const Files& damaged) {
  Place place(damaged);
  const auto db = place.Open();
  const auto state = db.ok() ? ReadAll(**db) : db.status();
  if (!state.ok()) {
    const bool names_file = absl::StrContains(state.status().message(), kDirectory + "/");
    return names_file ? "" : Concat("an error that names no file: ", state.status().ToString());
  }
  if (*state == subject.state) return "";
  return "silently wrong: " + Difference(subject.state, *state);
}

TEST(Damage, OfAnyBitIsFoundOrHarmless) {
  const Subject subject = MakeSubject();
  ASSERT_GE(subject.files.size(), 5u);
  // A prime: over the files, every bit of a byte gets its turn.
  const uint64_t step = std::max<uint64_t>(1, 17 / TestScale());
  for (const auto& [path, content] : subject.files) {
    Files damaged = subject.files;
    for (uint64_t bit = 0; bit < content.size() * 8; bit += step) {
      char& byte = damaged[path][bit / 8];
      byte = static_cast<char>(byte ^ (1 << bit % 8));
      ASSERT_EQ(Verdict(subject, damaged), "") << path << ", bit " << bit % 8 << " of " << bit / 8;
      byte = static_cast<char>(byte ^ (1 << bit % 8));
    }
  }
}

TEST(Damage, OfAFileThatIsCutIsFound) {
  const Subject subject = MakeSubject();
  for (const auto& [path, content] : subject.files) {
    for (uint64_t size = 0; size < content.size(); size += 3) {
      Files damaged = subject.files;
      damaged[path].resize(size);
      ASSERT_EQ(Verdict(subject, damaged), "") << path << ", cut to " << size;
    }
  }
}

TEST(Damage, OfAFileThatIsMissingIsFound) {
  const Subject subject = MakeSubject();
  for (const auto& [path, content] : subject.files) {
    Files damaged = subject.files;
    damaged.erase(path);
    EXPECT_EQ(Verdict(subject, damaged), "") << path;
  }
}

TEST(Damage, OfAFileThatIsSwappedWithAnotherIsFound) {
  const Subject subject = MakeSubject();
  for (const auto& [path, content] : subject.files) {
    for (const auto& [other, other_content] : subject.files) {
      Files damaged = subject.files;
      damaged[path] = other_content;
      EXPECT_EQ(Verdict(subject, damaged), "") << path << " has the content of " << other;
    }
  }
}

}  // namespace
}  // namespace tinykv::lsm::grading
