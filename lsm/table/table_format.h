// Layout of a sorted table: where its blocks are, and how the file ends. docs/formats/table.md
// draws it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lsm/table/table.h"

namespace tinykv::lsm {

inline constexpr uint64_t kTableMagic = 0x7473766b796e6974;  // "tinykvst" in the file
inline constexpr uint32_t kTableFormatVersion = 1;

// Behind each stored block: [compression:1][uncompressed size:4][checksum:8]
inline constexpr size_t kBlockTrailerBytes = 13;

// No block is larger before compression: an entry is bounded by kKeyBytesMax and kBatchBytesMax.
inline constexpr uint32_t kBlockBytesMax = 1 << 30;

// On disk; never change a value.
enum class BlockCompression : uint8_t { kNone = 0, kZstd = 1 };

// Where a block stands; `size` is without its trailer. No block is {0, 0}: that means absent.
struct BlockHandle {
  uint64_t offset = 0;
  uint64_t size = 0;

  bool absent() const { return size == 0; }
};

// Two varints.
void AppendBlockHandle(std::string* out, const BlockHandle& handle);
// False if `encoded` is not exactly one handle.
[[nodiscard]] bool DecodeBlockHandle(std::string_view encoded, BlockHandle* handle);

// The last bytes of the file:
// [index:16][filter:16][properties:16][range deletes:16][version:4][checksum:8][magic:8]
inline constexpr size_t kFooterBytes = 84;

struct Footer {
  BlockHandle index;   // absent if there is nothing but range deletes
  BlockHandle filter;  // may be absent
  BlockHandle properties;
  BlockHandle range_deletes;  // absent if there are none
};

// `offset` is where the footer stands in the file; the checksum covers it.
std::string EncodeFooter(const Footer& footer, uint64_t offset);
// REQUIRES: `encoded` has kFooterBytes.
// Errors: kDataLoss and kFailedPrecondition (unknown version), naming `path` and the offset.
absl::StatusOr<Footer> DecodeFooter(std::string_view encoded, const std::string& path,
                                    uint64_t offset);

// Varints in the order of the struct. A reader ignores bytes behind those that it knows.
std::string EncodeProperties(const TableProperties& properties);
[[nodiscard]] bool DecodeProperties(std::string_view encoded, TableProperties* properties);

}  // namespace tinykv::lsm
