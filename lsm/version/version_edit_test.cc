#include "lsm/version/version_edit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tinykv::lsm {
namespace {

TableMeta SomeTable(FileNumber number) {
  return {number, 4096, EncodeInternalKey({"a", 9}), EncodeInternalKey({"z", 3})};
}

VersionEdit FullEdit() {
  VersionEdit edit;
  edit.format_version = kManifestFormatVersion;
  edit.column_families = {"default", "", std::string("\0x", 2)};
  edit.next_file_number = 300;
  edit.oldest_log_number = 200;
  edit.last_sequence = kMaxSequenceNumber;
  edit.closed_log_number = 201;
  edit.removed = {{0, 1, 17}, {2, 6, 18}};
  edit.added = {{0, 2, SomeTable(17)}, {1, 0, SomeTable(1'000'000)}};
  edit.added.back().table.global_sequence = 9;
  return edit;
}

TEST(VersionEdit, DecodesToWhatWasEncoded) {
  for (const VersionEdit& edit : {FullEdit(), VersionEdit()}) {
    const auto decoded = VersionEdit::Decode(edit.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, edit);
  }
}

TEST(VersionEdit, EncodingIsTheOneThatIsDocumented) {
  VersionEdit edit;
  edit.format_version = 1;
  edit.column_families = {"default"};
  edit.next_file_number = 300;
  edit.closed_log_number = 9;
  edit.removed = {{0, 1, 5}};
  edit.added = {{0, 2, {5, 77, EncodeInternalKey({"a", 2}), EncodeInternalKey({"b", 1})}}};
  const std::string expected =
      "\x01\x01"
      "\x02\x01\x07"
      "default"
      "\x03\xac\x02"
      "\x08\x09" +
      std::string("\x06\x00\x01\x05", 4) + std::string("\x07\x00\x02\x05\x4d", 5) +
      std::string("\x09\x61\x01\x02\x00\x00\x00\x00\x00\x00", 10) +
      std::string("\x09\x62\x01\x01\x00\x00\x00\x00\x00\x00", 10) + std::string(1, '\0');
  EXPECT_EQ(edit.Encode(), expected);
}

// The example of docs/formats/manifest.md.
TEST(VersionEdit, ExampleOfTheFormatPageIsRight) {
  VersionEdit edit;
  edit.next_file_number = 12;
  edit.oldest_log_number = 9;
  edit.last_sequence = 4;
  edit.added = {
      {0,
       0,
       {9, 1234, EncodeInternalKey({"a", 3}), EncodeInternalKey({"b", 4, ValueType::kDelete})}}};
  const unsigned char expected[] = {0x03, 0x0c, 0x04, 0x09, 0x05, 0x04, 0x07, 0x00, 0x00,
                                    0x09, 0xd2, 0x09, 0x09, 0x61, 0x01, 0x03, 0x00, 0x00,
                                    0x00, 0x00, 0x00, 0x00, 0x09, 0x62, 0x00, 0x04, 0x00,
                                    0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(edit.Encode(), std::string(reinterpret_cast<const char*>(expected), sizeof(expected)));
}

TEST(VersionEdit, CutAnywhereIsShorterOrDamaged) {
  const std::string whole = FullEdit().Encode();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto decoded = VersionEdit::Decode(std::string_view(whole).substr(0, size));
    if (decoded.ok()) {
      EXPECT_NE(*decoded, FullEdit()) << size;
    } else {
      EXPECT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(VersionEdit, UnknownFormatVersionIsNotTakenForDamage) {
  VersionEdit edit = FullEdit();
  edit.format_version = kManifestFormatVersion + 1;
  // What follows the version may be anything.
  EXPECT_EQ(VersionEdit::Decode(edit.Encode() + "\xee").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(VersionEdit, MalformedFieldsAreDamage) {
  VersionEdit keys_reversed;
  keys_reversed.added = {{0, 0, {1, 1, EncodeInternalKey({"b", 1}), EncodeInternalKey({"a", 1})}}};
  VersionEdit short_key;
  short_key.added = {{0, 0, {1, 1, "short", EncodeInternalKey({"a", 1})}}};
  VersionEdit level;
  level.removed = {{0, 64, 1}};
  for (const std::string& bytes :
       {keys_reversed.Encode(), short_key.Encode(), level.Encode(), std::string("\x63", 1),
        std::string("\0", 1), std::string("\x03\xff", 2)}) {
    EXPECT_EQ(VersionEdit::Decode(bytes).status().code(), absl::StatusCode::kDataLoss);
  }
}

RC_GTEST_PROP(VersionEditProperty, ArbitraryBytesNeverCrashTheDecoder, (const std::string& bytes)) {
  const auto decoded = VersionEdit::Decode(bytes);
  if (decoded.ok()) RC_ASSERT(VersionEdit::Decode(decoded->Encode()).ok());
}

}  // namespace
}  // namespace tinykv::lsm
