// Golden bytes: what docs/formats says, kept. Files in the field look like this; a change that
// breaks one of these tests needs a new format version, not new golden bytes.
#include <gtest/gtest.h>

#include "common/env/temporary_directory.h"
#include "lsm/log/log_reader.h"
#include "lsm/log/log_writer.h"
#include "lsm/string_file.h"
#include "lsm/table/table_test_util.h"

namespace tinykv::lsm {
namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// Log 7: "one", synced; "two"; the end mark.
constexpr std::string_view kLog =
    "74696e796b766c670100000007000000000000003d94fc01879de151d2386f981d1f4b53030000000000000000"
    "0000006f6e658432aa4ed7f1a69403000000330000000000000074776ffee9b9cf5302d686000000004a000000"
    "00000000";

TEST(Golden, LogIsWrittenAndReadAsInVersionOne) {
  std::string content;
  StringWritableFile file(content);
  LogWriter writer(file, 7);
  ASSERT_TRUE(writer.WriteHeader().ok());
  ASSERT_TRUE(writer.AddRecord("one").ok());
  ASSERT_TRUE(writer.Sync().ok());
  ASSERT_TRUE(writer.AddRecord("two").ok());
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(Hex(content), kLog);

  const TemporaryDirectory directory;
  const std::string path = JoinPath(directory.path(), "log");
  ASSERT_TRUE(WriteFileAtomically(PosixFileSystem(), path, Unhex(kLog)).ok());
  const auto reader = LogReader::Open(PosixFileSystem(), path, {7, false});
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->ReadRecord()->value(), "one");
  EXPECT_EQ((*reader)->ReadRecord()->value(), "two");
  EXPECT_FALSE((*reader)->ReadRecord()->has_value());
}

std::vector<ModelEntry> TableEntries() {
  return {{EncodeInternalKey({"apple", 3, ValueType::kPut}), "red"},
          {EncodeInternalKey({"apricot", 2, ValueType::kDelete}), ""},
          {EncodeInternalKey({"banana", 1, ValueType::kPut}), std::string(40, 'y')}};
}

Options TableOptions(int zstd_level) {
  Options options;
  options.block_bytes = 40;  // two blocks
  options.zstd_level = zstd_level;
  return options;
}

constexpr std::string_view kPlainTable =
    "000d036170706c650103000000000000726564020d007269636f7400020000000000000000000001000000002b"
    "000000aaedf81edd3a4dba000e2862616e616e6101010000000000007979797979797979797979797979797979"
    "797979797979797979797979797979797979797979797900000000010000000041000000048e7571b2f6d41e00"
    "00000000000000000000000010000102200000000000100081000000000000000000000420000002a000001000"
    "000000000040800000001000010100000000060041000000b620cb3c274dc83a0301025501030006000000f64e"
    "af0e392eaac60009026201ffffffffffffff002b000e0262616e616e6101010000000000003841000000000e00"
    "000002000000002d00000020203910170569b3e7000000000000002d0000000000000086000000000000004100"
    "000000000000d40000000000000006000000000000000000000000000000000000000000000001000000fec723"
    "924db505a674696e796b767374";

// Written by zstd 1.5.4. Other releases may compress to other bytes: this one is only read.
constexpr std::string_view kZstdTable =
    "000d036170706c650103000000000000726564020d007269636f7400020000000000000000000001000000002b"
    "000000aaedf81edd3a4dba28b52ffd2041ed0000a8000e2862616e616e61010100790000000001000000020040"
    "1102480201410000009216342b7b7a9e4b28b52ffd2041650100f00000100001022000100081000420000002a0"
    "00001000408001000000000605004e0d0617812220140360010141000000f21e15a5bea9358d03010255010300"
    "06000000503c9b703aabe1b90009026201ffffffffffffff002b000e0262616e616e6101010000000000003826"
    "000000000e00000002000000002d000000a97a0eebba6d66afc0000000000000002d000000000000006b000000"
    "000000003500000000000000ad0000000000000006000000000000000000000000000000000000000000000001"
    "000000c1d86f9f5f04a60874696e796b767374";

void ExpectTableEntries(const std::string& content) {
  const auto table = OpenTable(content);
  ASSERT_TRUE(table.ok()) << table.status();
  const auto iterator = (*table)->NewIterator(false);
  iterator->SeekToFirst();
  for (const ModelEntry& entry : TableEntries()) {
    ASSERT_TRUE(iterator->Valid());
    EXPECT_EQ(iterator->key(), entry.key);
    EXPECT_EQ(iterator->value(), entry.value);
    EXPECT_TRUE((*table)->MayContain(UserKeyOf(entry.key)));
    iterator->Next();
  }
  EXPECT_FALSE(iterator->Valid());
  EXPECT_EQ((*table)->properties().data_blocks, 2u);
}

TEST(Golden, TableIsWrittenAndReadAsInVersionOne) {
  EXPECT_EQ(Hex(BuildTable(TableOptions(0), TableEntries())), kPlainTable);
  ExpectTableEntries(Unhex(kPlainTable));
}

// Ranges [b, d) at 5 and 2 and [x, end of the key space) at 4, and the entry "c" = "v" at 3.
constexpr std::string_view kTableWithTombstones =
    "0009016301030000000000007600000000010000000015000000cd0650c1248224900009016202050000000000"
    "006400090162020200000000000064000900780204000000000000000000000d0000001a000000030000000036"
    "000000a9ff5416b0a65d2800000000000000000000022000000004002000000000000000000000000000000000"
    "0000000000000000000000000000000100000000000000000000000010000600410000002dc7dc1ae5f8a0c201"
    "00010a02050006000000602f618a295162ba000902630103000000000000001500000000010000000016000000"
    "59150f132ba3f264c600000000000000160000000000000065000000000000004100000000000000b300000000"
    "00000006000000000000002200000000000000360000000000000001000000b9efe67316e83c0574696e796b76"
    "7374";

TEST(Golden, RangeDeletesAreWrittenAndReadAsInVersionOne) {
  std::string content;
  StringWritableFile file(content);
  TableBuilder builder(TableOptions(0), file);
  builder.AddTombstone({"b", "d", 5});
  builder.AddTombstone({"b", "d", 2});
  ASSERT_TRUE(builder.Add(EncodeInternalKey({"c", 3}), "v").ok());
  builder.AddTombstone({"x", "", 4});
  ASSERT_TRUE(builder.Finish().ok());
  EXPECT_EQ(builder.smallest(), EncodeInternalKey({"b", 5, ValueType::kDeleteRange}));
  EXPECT_TRUE(IsEndless(builder.largest()));
  EXPECT_EQ(Hex(content), kTableWithTombstones);

  const auto table = OpenTable(Unhex(kTableWithTombstones));
  ASSERT_TRUE(table.ok()) << table.status();
  const auto tombstones = (*table)->tombstones();
  ASSERT_NE(tombstones, nullptr);
  EXPECT_EQ(tombstones->ToTombstones().size(), 3u);
  EXPECT_EQ(tombstones->Newest("c", kMaxSequenceNumber), 5u);
  EXPECT_EQ(tombstones->Newest("c", 4), 2u);
  EXPECT_EQ(tombstones->Newest("d", 4), 0u);
  EXPECT_EQ(tombstones->Newest("y", 4), 4u);
}

TEST(Golden, CompressedTableIsReadAsInVersionOne) { ExpectTableEntries(Unhex(kZstdTable)); }

}  // namespace
}  // namespace tinykv::lsm
