// What a table does about bytes that are not what was written.
#include <gtest/gtest.h>

#include "common/coding.h"
#include "common/random.h"
#include "lsm/format/checksum.h"
#include "lsm/table/table.h"
#include "lsm/table/table_builder.h"
#include "lsm/table/table_format.h"
#include "lsm/table/table_test_util.h"

namespace tinykv::lsm {
namespace {

std::vector<ModelEntry> Entries() {
  std::vector<ModelEntry> entries;
  for (int i = 0; i < 60; ++i) {
    const std::string user_key = "key" + std::to_string(100 + i);
    entries.push_back({EncodeInternalKey({user_key, 5, ValueType::kPut}), "value of " + user_key});
  }
  return entries;
}

std::string SmallTable(int zstd_level) {
  Options options;
  options.block_bytes = 256;
  options.zstd_level = zstd_level;
  return BuildTable(options, Entries());
}

// Reads all of a table in every way. Entries that come out must be right; trouble must be a
// kDataLoss that names the file.
absl::Status ReadEverything(const std::string& content) {
  const auto entries = Entries();
  TKV_ASSIGN_OR_RETURN(const auto table, OpenTable(content));
  const auto iterator = table->NewIterator(false);
  size_t count = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++count) {
    EXPECT_LT(count, entries.size());
    EXPECT_EQ(iterator->key(), entries[count].key);
    EXPECT_EQ(iterator->value(), entries[count].value);
  }
  absl::Status forward = iterator->status();
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
  }
  EXPECT_EQ(iterator->status().ok(), forward.ok());
  for (const ModelEntry& entry : entries) {
    bool found = false;
    const auto check = [&](const ParsedInternalKey&, std::string_view value) {
      found = true;
      EXPECT_EQ(value, entry.value);
    };
    const absl::Status status = table->Get(entry.key, false, check);
    EXPECT_EQ(found, status.ok());
  }
  EXPECT_TRUE(!forward.ok() || count == entries.size());
  return forward;
}

void ExpectDamageNamed(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(MessageOf(status).find("db/000007.sst: offset "), std::string_view::npos) << status;
}

TEST(TableDamage, ToAnyByteIsFound) {
  for (const int zstd_level : {0, 1}) {
    const std::string content = SmallTable(zstd_level);
    ASSERT_EQ(ReadEverything(content), absl::OkStatus());
    for (size_t place = 0; place < content.size(); ++place) {
      for (const char flip : {'\x01', '\x80', '\xff'}) {
        std::string damaged = content;
        damaged[place] ^= flip;
        SCOPED_TRACE(testing::Message() << "byte " << place);
        ExpectDamageNamed(ReadEverything(damaged));
      }
    }
  }
}

TEST(TableDamage, ByLossOfItsEndOrStartIsFound) {
  const std::string content = SmallTable(1);
  for (size_t bytes = 0; bytes < content.size(); ++bytes) {
    ExpectDamageNamed(ReadEverything(content.substr(0, bytes)));
    ExpectDamageNamed(ReadEverything(content.substr(content.size() - bytes)));
  }
  ExpectDamageNamed(ReadEverything(content + '\0'));
}

TEST(TableDamage, ByBlocksInTheWrongPlaceIsFound) {
  // Two blocks of equal length change places: each is sound, but not here.
  Options options;
  options.block_bytes = 1;
  options.zstd_level = 0;
  std::string content = BuildTable(options, Entries());
  const auto table = OpenTable(content);
  ASSERT_TRUE(table.ok());
  const auto entries = Entries();
  const uint64_t second = (*table)->ApproximateOffsetOf(entries[1].key);
  ASSERT_EQ((*table)->ApproximateOffsetOf(entries[2].key), 2 * second);
  std::swap_ranges(content.begin(), content.begin() + second, content.begin() + second);
  ExpectDamageNamed(ReadEverything(content));
}

// Sound checksums over nonsense, as a bug or an enemy would make them.
TEST(TableDamage, BeneathTheChecksumsNeverCrashes) {
  Random random(1);
  const std::string content = SmallTable(0);
  const uint64_t footer_offset = content.size() - kFooterBytes;
  for (int round = 0; round < 3000; ++round) {
    Footer footer = *DecodeFooter(content.substr(footer_offset), "", footer_offset);
    std::string damaged = content.substr(0, footer_offset);
    BlockHandle* const handles[] = {&footer.index, &footer.filter, &footer.properties};
    BlockHandle& victim = *handles[random.Uniform(3)];
    if (random.OneIn(3)) {
      (random.OneIn(2) ? victim.offset : victim.size) = random.Next() >> random.Uniform(64);
    } else {
      const uint64_t covered_bytes = victim.size + kBlockTrailerBytes - sizeof(uint64_t);
      damaged[victim.offset + random.Uniform(covered_bytes)] = static_cast<char>(random.Next());
      const uint64_t checksum =
          Checksum(std::string_view(damaged).substr(victim.offset, covered_bytes), victim.offset);
      std::memcpy(damaged.data() + victim.offset + covered_bytes, &checksum, sizeof(checksum));
    }
    damaged += EncodeFooter(footer, footer_offset);
    const auto table = OpenTable(damaged);
    if (!table.ok()) continue;
    const auto iterator = (*table)->NewIterator(false);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    }
    for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    }
    for (const ModelEntry& entry : Entries()) {
      (void)(*table)->Get(entry.key, false, [](const ParsedInternalKey&, std::string_view) {});
    }
  }
}

TEST(TableVersion, FromTheFutureIsRefusedAsSuch) {
  std::string content = SmallTable(1);
  const uint64_t footer_offset = content.size() - kFooterBytes;
  const uint32_t version = kTableFormatVersion + 1;
  std::memcpy(content.data() + footer_offset + 64, &version, sizeof(version));
  const uint64_t checksum =
      Checksum(std::string_view(content).substr(footer_offset, 68), footer_offset);
  std::memcpy(content.data() + footer_offset + 68, &checksum, sizeof(checksum));
  EXPECT_EQ(OpenTable(content).status().code(), absl::StatusCode::kFailedPrecondition);
}

// A block that is sound in itself, but holds entries.
TEST(TableDamage, EntriesInThePlaceOfRangeDeletesAreFound) {
  std::string content = SmallTable(1);
  const uint64_t footer_offset = content.size() - kFooterBytes;
  Footer footer = *DecodeFooter(content.substr(footer_offset), "", footer_offset);
  footer.range_deletes = footer.index;
  content.replace(footer_offset, kFooterBytes, EncodeFooter(footer, footer_offset));
  EXPECT_EQ(OpenTable(content).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tinykv::lsm
