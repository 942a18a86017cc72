// Layout of a log file, shared by LogWriter and LogReader. docs/formats/wal.md draws it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/coding.h"
#include "lsm/format/checksum.h"

namespace tinykv::lsm {

// Header: [magic:8][format version:4][log number:8][checksum:8]
inline constexpr uint64_t kLogMagic = 0x676c766b796e6974;  // "tinykvlg" in the file
inline constexpr uint32_t kLogFormatVersion = 1;
inline constexpr size_t kLogHeaderBytes = 28;
inline constexpr size_t kLogHeaderChecksumOffset = 20;

// Frame: [checksum:8][length:4][synced:8][payload]
// A frame without payload is the end mark; its `synced` is its own offset.
inline constexpr size_t kFrameHeaderBytes = 20;
inline constexpr size_t kFrameLengthOffset = 8;
inline constexpr size_t kFrameSyncedOffset = 12;

// `bytes` is everything that the checksum covers. Mixing in log number and offset makes a frame of
// another log, or one that moved, as bad as a damaged one: files are recycled by the file system,
// and old frames may show up where a new log was never written.
inline uint64_t LogChecksum(uint64_t log_number, uint64_t offset, std::string_view bytes) {
  char place[16];
  std::memcpy(place, &log_number, 8);
  std::memcpy(place + 8, &offset, 8);
  return Checksum(bytes, Checksum({place, sizeof(place)}, 0));
}

}  // namespace tinykv::lsm
