// MakeBackup: has the leader of a cluster's region make a backup, for operators.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/client/client_options.h"
#include "proto/kvrpcpb.pb.h"

namespace tinykv {

// The store that leads makes the backup `name` on its own disk, and says where; it has all that was
// acknowledged before the call. It takes as long as the store's memtable takes to be written: the
// deadline is a minute at least. Should an answer get lost, the next attempt finds the backup that
// it told of, and says so.
// Errors: those of RawClient's calls.
absl::StatusOr<kvrpcpb::BackupResponse> MakeBackup(ClientOptions options, const std::string& name);

}  // namespace tinykv
