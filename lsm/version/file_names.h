// Names of the files in a database's folder.
//
//   CURRENT          names the manifest in use
//   LOCK             held while the database is open
//   MANIFEST-000007  which tables make up the database (docs/formats/manifest.md)
//   000012.log       write-ahead log (docs/formats/wal.md)
//   000015.sst       sorted table (docs/formats/table.md)
//   CURRENT.tmp      half-written CURRENT; worthless after a crash
// Numbers come from one counter and are used once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

enum class FileType { kCurrent, kLock, kManifest, kLog, kTable, kTemporary };

struct FileName {
  FileType type = FileType::kTemporary;
  FileNumber number = 0;  // of a manifest, log or table
};

// Nothing for a name that is not the engine's.
std::optional<FileName> ParseFileName(std::string_view name);

// Without the folder, as CURRENT holds it.
std::string ManifestName(FileNumber number);

std::string CurrentPath(std::string_view directory);
std::string LockPath(std::string_view directory);
std::string ManifestPath(std::string_view directory, FileNumber number);
std::string LogPath(std::string_view directory, FileNumber number);
std::string TablePath(std::string_view directory, FileNumber number);

}  // namespace tinykv::lsm
