// The identity of a data directory: which stage it belongs to, in which version.
//
// A data directory has a file IDENTITY, of three lines, and what a stage puts beside it:
//
//   tinykv data directory
//   format 1
//   stage 1
//
// It keeps a server away from data that it would misread or spoil, and from a directory that is not
// ours at all (a mistyped --data).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/env/file_system.h"

namespace tinykv {

// Claims the directory `path` for a server of `stage`: makes it if it is not there, writes its
// identity if it is empty, checks its identity otherwise. The result holds the directory: no other
// server gets it until it is destroyed.
//
// Errors, as one line that names the directory, what was found and what to do, and with nothing
// changed: kFailedPrecondition if it has another stage's or version's data, or somebody else's
// files; kDataLoss if its identity cannot be read; kUnavailable if another server holds it; those
// of the file system.
absl::StatusOr<std::unique_ptr<FileLock>> ClaimDataDirectory(FileSystem& file_system,
                                                             const std::string& path, int stage);

}  // namespace tinykv
